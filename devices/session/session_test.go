package session_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"tilld/devices"
	"tilld/devices/session"
)

const talk = `# a pole that answers
> "\x1b@"
> "HELLO\r"

< "\x06"
> "BYE"
< "ok\xff"
`

func play(t *testing.T, text string) *session.Player {
	t.Helper()
	p, err := session.Play("talk", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlayedToItsEnd(t *testing.T) {
	p := play(t, talk)
	var _ devices.Port = p
	for _, b := range []string{"\x1b", "@HEL", "LO\r"} { // however it is cut
		if n, err := p.Write([]byte(b)); n != len(b) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := p.Done(); err == nil || !strings.Contains(err.Error(), `line 5 still has "\x06"`) {
		t.Errorf("half way: %v", err)
	}
	if n, err := p.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	got := make(chan []byte)
	go func() { b, _ := io.ReadAll(p); got <- b }() // waits for its turn
	if _, err := p.Write([]byte("BYE")); err != nil {
		t.Fatal(err)
	}
	if b := <-got; string(b) != "ok\xff" {
		t.Errorf("%q", b)
	}
	if err := p.Done(); err != nil {
		t.Error(err)
	}
}

// A difference is told in quotes, in hex and with its place, and stays.
func TestDifferencesAreShown(t *testing.T) {
	for _, c := range []struct {
		sent string
		want []string
	}{
		{"\x1b@HELLO \r", []string{"line 3: byte 5 of it (7 of all that was sent) differs", `want "\r"  0d`, `got  " \r"  20 0d`}},
		{"\x1b@HELLO\rBYE", []string{"line 5: the device speaks first", `"BYE"  42 59 45`}},
	} {
		p := play(t, talk)
		_, err := p.Write([]byte(c.sent))
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v\nhas no %q", c.sent, err, w)
			}
		}
		if _, again := p.Write([]byte("x")); again == nil || p.Done() == nil {
			t.Error("forgotten")
		}
	}
	p := play(t, "> \"A\"\n")
	_, _ = p.Write([]byte("A"))
	if _, err := p.Write([]byte("B")); err == nil || !strings.Contains(err.Error(), "is over") {
		t.Errorf("besides: %v", err)
	}
}

func TestCloseEndsARead(t *testing.T) {
	p := play(t, talk)
	done := make(chan error, 1)
	go func() { _, err := p.Read(make([]byte, 1)); done <- err }()
	_ = p.Close()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

func TestParseNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"# a\n! \"x\"":  `line 2 begins with '!'`,
		"> abc":         "line 1: the bytes must stand in quotation marks",
		"\n\n> \"\\q\"": "line 3: the bytes are not quoted",
		"< \"\"":        "line 1 is empty",
	} {
		if _, err := session.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(talk)
	f.Add("> \"\\x00\\u044f\"\n< \"a\"")
	f.Add("#\n>")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := session.Parse(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, s := range steps {
			again.WriteString(session.Quote(s.To, s.Bytes))
		}
		back, err := session.Parse(again.String())
		if err != nil || len(back) != len(steps) {
			t.Fatalf("%v: %d steps, then %d", err, len(steps), len(back))
		}
		for i := range back {
			if back[i].To != steps[i].To || !bytes.Equal(back[i].Bytes, steps[i].Bytes) {
				t.Fatalf("step %d: %v, then %v", i, steps[i], back[i])
			}
		}
	})
}
