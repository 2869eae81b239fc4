package payment_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"tilld/payment"
)

// secret has parts that no other output of these tests contains, in every encoding that a verb could choose.
const secret = "1308471928374655SECRET"

type charge struct {
	N    int
	Code payment.Code
	Ptr  *payment.Code
	hid  payment.Code // what fmt cannot ask
	List []payment.Code
	Map  map[string]payment.Code
	Keys map[payment.Code]int
	Any  any
	Next *charge
}

func newCharge() charge {
	c := payment.NewCode(secret)
	return charge{
		N: 1, Code: c, Ptr: &c, hid: c, List: []payment.Code{c}, Map: map[string]payment.Code{"k": c},
		Keys: map[payment.Code]int{c: 1}, Any: c, Next: &charge{Code: c, hid: c, Any: &c},
	}
}

func leaks(s string) bool {
	low := strings.ToLower(s)
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%b", []byte(secret)), fmt.Sprint([]byte(secret)), fmt.Sprintf("%#v", []byte(secret)), "secret", "1308471928"} {
		if strings.Contains(low, strings.ToLower(strings.Trim(form, "[]"))) {
			return true
		}
	}
	return false
}

func TestCodeIsMaskedByEveryVerb(t *testing.T) {
	c := payment.NewCode(secret)
	values := map[string]any{
		"value": c, "pointer": &c, "slice": []payment.Code{c}, "array": [1]payment.Code{c}, "map value": map[string]payment.Code{"k": c},
		"map key": map[payment.Code]int{c: 1}, "any": []any{c, &c}, "struct in map": map[string]struct{ C payment.Code }{"k": {c}},
	}
	n := 0
	for name, v := range values {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "20", ".3", "+20.30", "# "} {
				n++
				if s := fmt.Sprintf("%"+flags+string(verb), v); leaks(s) {
					t.Errorf("%s with %%%s%c: %s", name, flags, verb, s)
				}
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x", "%X", "%d"} {
		if s := fmt.Sprintf(verb, c); s != payment.Mask {
			t.Errorf("%s prints %q", verb, s)
		}
	}
	t.Logf("%d ways to print", n)
}

func TestCodeInStructs(t *testing.T) {
	x := newCharge()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		for name, v := range map[string]any{"value": x, "pointer": &x, "slice": []charge{x}} {
			if s := fmt.Sprintf(verb, v); leaks(s) {
				t.Errorf("%s with %s: %s", name, verb, s)
			}
		}
	}
	if s := fmt.Errorf("charge %v: %w", x, errors.New("no")).Error(); leaks(s) {
		t.Error(s)
	}
}

func TestCodeInEncoders(t *testing.T) {
	c := payment.NewCode(secret)
	x := struct {
		Code payment.Code
		Ptr  *payment.Code
		Map  map[string]payment.Code
		Keys map[payment.Code]string
	}{c, &c, map[string]payment.Code{"k": c}, map[payment.Code]string{c: "v"}}
	b, err := json.Marshal(x)
	if err != nil || leaks(string(b)) || !strings.Contains(string(b), `"Code":"***"`) {
		t.Errorf("json: %s, %v", b, err)
	}
	type doc struct {
		Code payment.Code
		Attr payment.Code `xml:",attr"`
	}
	b, err = xml.Marshal(doc{c, c})
	if err != nil || leaks(string(b)) {
		t.Errorf("xml: %s, %v", b, err)
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(c); err == nil && leaks(buf.String()) {
		t.Errorf("gob: %q", buf.String())
	}
	buf.Reset()
	if err := template.Must(template.New("").Parse("{{.}} {{.Code}} {{printf \"%s\" .Code}}")).Execute(&buf, x); err != nil || leaks(buf.String()) {
		t.Errorf("template: %s, %v", buf.String(), err)
	}
}

func TestCodeInLogs(t *testing.T) {
	x := newCharge()
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		l := slog.New(handler(&b)).With("with", x.Code)
		l.Info("charge", "code", x.Code, "ptr", x.Ptr, "struct", x, "list", x.List, slog.Group("g", "code", x.Code), slog.Any("any", &x))
		if leaks(b.String()) || !strings.Contains(b.String(), payment.Mask) {
			t.Errorf("%s: %s", name, b.String())
		}
	}
	var b bytes.Buffer
	log.New(&b, "", 0).Println(x, x.Code, &x)
	if leaks(b.String()) {
		t.Error(b.String())
	}
}

func TestCodeReveal(t *testing.T) {
	if c := payment.NewCode(secret); c.Reveal() != secret || c.Empty() {
		t.Error("the code is gone")
	}
	if !(payment.Code{}).Empty() {
		t.Error("no code is a code")
	}
	var c payment.Code
	if err := json.Unmarshal([]byte(`"`+secret+`"`), &c); err == nil && c.Reveal() == secret { //nolint:staticcheck // that nothing can be read into it is what is tested
		t.Error("a code can be read from JSON: then it can be kept in it")
	}
}
