package kiosk

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Whatever is sent on a page's line: refused, or one message and nothing behind it; and modules that are no code are none.
func FuzzWord(f *testing.F) {
	for _, s := range []string{
		`{"t":"hello","visible":true}`, `{"t":"beat"}`, `{"t":"touch","ref":"r","button":"help","choice":"c"}`,
		`{"t":"drawn","nr":7,"code":{"size":21,"bits":"/8AA"}}`, `{"t":"drawn","nr":1,"code":{"size":-1,"bits":""}}`,
		`{"t":"drawn","code":{"size":1000000000,"bits":"AAAA"}}`, `{"t":"beat"}{"t":"hello"}`, `{"t":"beat"}x`, `{"T":1}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := parse(b)
		if err != nil {
			return
		}
		if !json.Valid(bytes.TrimSpace(b)) {
			t.Fatalf("%q was taken, and is no one message", b)
		}
		if w.Code != nil {
			if hash := readBack(*w.Code); hash != "" && len(hash) != 64 {
				t.Fatalf("%q is the hash of a code", hash)
			}
		}
	})
}
