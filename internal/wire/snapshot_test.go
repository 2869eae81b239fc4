package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tilld/internal/wire"
)

// TestSnapshotInFrames: however many payments a snapshot has and whatever their ids look like, each of its frames can be
// sent and read, and together they are the snapshot.
func TestSnapshotInFrames(t *testing.T) {
	ids := func(n int, id func(i int) string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = id(i)
		}
		return out
	}
	own := func(i int) string { return fmt.Sprintf("01m9k4t7v0q8x2w5y3z%07d", i) }
	worst := func(i int) string { return fmt.Sprintf("%0*d", wire.MaxID, i)[:8] + strings.Repeat("<", wire.MaxID-8) }
	frames, most := 0, 0
	for _, c := range []struct {
		name string
		ids  []string
	}{
		{"none", nil},
		{"one", ids(1, own)},
		{"as many as one frame holds, and around", ids(1129, own)},
		{"one more", ids(1130, own)},
		{"5,000", ids(5000, own)},
		{"the longest ids, each sign of six bytes", ids(300, worst)},
		{"as many as there may be", ids(wire.MaxSnapshot, own)},
	} {
		s := opened()
		s.Resume = "snapshot"
		for i := range 40 { // a house with many banks
			s.Providers = append(s.Providers, fmt.Sprint("provider-", i))
		}
		first, rest := (&wire.Snapshot{Seq: 7, Payments: c.ids}).Split()
		s.Snapshot = first
		frame, err := wire.EncodeResult(wire.SessionID, s)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		m, err := wire.Decode(frame)
		var back wire.Session
		if err != nil || wire.Into(m.Result, &back) != nil {
			t.Fatalf("%s: the answer cannot be read: %v", c.name, err)
		}
		got := back.Snapshot
		for i, p := range rest {
			frame, err := wire.EncodeNote(wire.SessionSnapshot, p)
			if err != nil {
				t.Fatalf("%s, part %d: %v", c.name, i+1, err)
			}
			most = max(most, len(frame))
			m, err := wire.Decode(frame)
			var part wire.Part
			if err != nil || wire.Into(m.Params, &part) != nil {
				t.Fatalf("%s, part %d cannot be read: %v", c.name, i+1, err)
			}
			if err := got.Add(part, i+1); err != nil {
				t.Fatalf("%s, part %d: %v", c.name, i+1, err)
			}
		}
		if got.More || got.Seq != 7 || got.Payments == nil || !slices.Equal(got.Payments, c.ids) {
			t.Fatalf("%s: %d payments came as %d, more %v", c.name, len(c.ids), len(got.Payments), got.More)
		}
		frames += 1 + len(rest)
	}
	t.Logf("%d frames, the largest part has %d bytes of %d", frames, most, wire.MaxFrame)
}

func TestPartsOutOfTurnAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		more  bool
		have  int
		part  wire.Part
		taken bool
	}{
		"the next":                 {true, 1, wire.Part{Index: 2, Payments: []string{"b"}}, true},
		"an empty last":            {true, 1, wire.Part{Index: 2}, true},
		"as many as may be":        {true, wire.MaxSnapshot - 1, wire.Part{Index: 2, Payments: []string{"b"}}, true},
		"one too many":             {true, wire.MaxSnapshot, wire.Part{Index: 2, Payments: []string{"b"}}, false},
		"none was due":             {false, 1, wire.Part{Index: 2, Payments: []string{"b"}}, false},
		"the one before":           {true, 1, wire.Part{Index: 1, Payments: []string{"b"}}, false},
		"one is missing":           {true, 1, wire.Part{Index: 3, Payments: []string{"b"}}, false},
		"nothing, and so for ever": {true, 1, wire.Part{Index: 2, More: true}, false},
	} {
		s := wire.Snapshot{More: c.more, Payments: make([]string, c.have)}
		err := s.Add(c.part, 2)
		if (err == nil) != c.taken || err != nil && !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
		if want := c.have; !c.taken && len(s.Payments) != want {
			t.Errorf("%s: refused, and taken in", name)
		}
	}
}

// FuzzSnapshotParts: whatever a server sends for parts ends, and what is taken in is what came.
func FuzzSnapshotParts(f *testing.F) {
	f.Add([]byte(`{"index":1,"payments":["a"],"more":true}`), []byte(`{"index":2,"payments":["b"]}`))
	f.Add([]byte(`{"index":1,"payments":[]}`), []byte(`{}`))
	f.Add([]byte(`{"index":9,"payments":null,"more":true}`), []byte(`{"index":-1}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s := wire.Snapshot{Payments: []string{}, More: true}
		want := 0
		for i, raw := range [][]byte{a, b} {
			var p wire.Part
			if wire.Into(json.RawMessage(raw), &p) != nil {
				return
			}
			if s.Add(p, i+1) != nil {
				break
			}
			want += len(p.Payments)
		}
		if len(s.Payments) != want {
			t.Errorf("%d payments, want %d", len(s.Payments), want)
		}
	})
}
