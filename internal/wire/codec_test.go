package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/wire"
)

func TestDecodeRefuses(t *testing.T) {
	nest := func(n int, open, end string) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	note := func(params string) string { return `{"jsonrpc":"2.0","method":"hint.x","params":` + params + `}` }
	var members []string
	for i := range 130 {
		members = append(members, `"m`+strings.Repeat("a", i/26)+string(rune('a'+i%26))+`":1`)
	}
	for name, frame := range map[string]string{
		"Nothing":              ``,
		"Blank":                `   `,
		"NoJSON":               `{"jsonrpc":"2.0"`,
		"TwoFrames":            note(`{}`) + note(`{}`),
		"Batch":                `[` + note(`{}`) + `]`,
		"Text":                 `"hint"`,
		"Null":                 `null`,
		"NoUTF8":               note("{\"a\":\"\xff\"}"),
		"NoVersion":            `{"method":"hint.x","params":{}}`,
		"OtherVersion":         `{"jsonrpc":"2.1","method":"hint.x","params":{}}`,
		"VersionAsNumber":      `{"jsonrpc":2.0,"method":"hint.x","params":{}}`,
		"MemberTwice":          note(`{"a":1,"a":2}`),
		"MemberTwiceDeepDown":  note(`{"b":[{"c":{"a":1,"a":2}}]}`),
		"EnvelopeMemberTwice":  `{"jsonrpc":"2.0","method":"hint.x","method":"hint.y","params":{}}`,
		"Capitals":             note(`{"Seq":1}`),
		"KelvinSign":           note(`{"` + "\u212a" + `ey":1}`),
		"EscapedName":          note(`{"\u0061":1}`),
		"EmptyName":            note(`{"":1}`),
		"LongName":             note(`{"` + strings.Repeat("a", 65) + `":1}`),
		"TooManyMembers":       note(`{` + strings.Join(members, ",") + `}`),
		"TooDeep":              note(nest(12, `{"a":`, ``) + `1` + nest(12, ``, `}`)),
		"TooDeepArrays":        note(`{"a":` + nest(12, `[`, `]`) + `}`),
		"TooLarge":             note(`{"a":"` + strings.Repeat("x", wire.MaxFrame) + `"}`),
		"UnknownEnvelope":      `{"jsonrpc":"2.0","method":"hint.x","params":{},"meta":{}}`,
		"NumberID":             `{"jsonrpc":"2.0","id":7,"method":"bill.get","params":{}}`,
		"NullID":               `{"jsonrpc":"2.0","id":null,"method":"bill.get","params":{}}`,
		"EmptyID":              `{"jsonrpc":"2.0","id":"","method":"bill.get","params":{}}`,
		"LongID":               `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 161) + `","method":"bill.get","params":{}}`,
		"SpaceInID":            `{"jsonrpc":"2.0","id":"a b","method":"bill.get","params":{}}`,
		"LineInID":             `{"jsonrpc":"2.0","id":"a\nb","method":"bill.get","params":{}}`,
		"MethodAsNumber":       `{"jsonrpc":"2.0","method":1,"params":{}}`,
		"EmptyMethod":          `{"jsonrpc":"2.0","method":"","params":{}}`,
		"NullMethod":           `{"jsonrpc":"2.0","id":"a","method":null,"result":{}}`,
		"MethodWithCapitals":   `{"jsonrpc":"2.0","method":"Event","params":{}}`,
		"NoParams":             `{"jsonrpc":"2.0","method":"hint.x"}`,
		"ParamsAsArray":        note(`[]`),
		"ParamsAsNull":         note(`null`),
		"MethodAndResult":      `{"jsonrpc":"2.0","id":"a","method":"bill.get","params":{},"result":{}}`,
		"ResultAndError":       `{"jsonrpc":"2.0","id":"a","result":{},"error":{"code":1,"message":"m","data":{"code":"c"}}}`,
		"NeitherResultNorErr":  `{"jsonrpc":"2.0","id":"a"}`,
		"ResultWithoutID":      `{"jsonrpc":"2.0","result":{}}`,
		"ResultAsText":         `{"jsonrpc":"2.0","id":"a","result":"ok"}`,
		"ResultAsNull":         `{"jsonrpc":"2.0","id":"a","result":null}`,
		"AnswerWithParams":     `{"jsonrpc":"2.0","id":"a","result":{},"params":{}}`,
		"ErrorAsText":          `{"jsonrpc":"2.0","id":"a","error":"no"}`,
		"ErrorWithoutData":     `{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"m"}}`,
		"ErrorWithoutCode":     `{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"m","data":{}}}`,
		"ErrorWithCodeAsText":  `{"jsonrpc":"2.0","id":"a","error":{"code":"1","message":"m","data":{"code":"c"}}}`,
		"ErrorAsNull":          `{"jsonrpc":"2.0","id":"a","error":null}`,
		"SurrogateHalfInParam": `{"jsonrpc":"2.0","id":"\ud800","method":"bill.get","params":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			m, err := wire.Decode([]byte(frame))
			if !errors.Is(err, wire.ErrFrame) {
				t.Fatalf("got %+v and %v", m, err)
			}
			if strings.Contains(err.Error(), "xxx") || len(err.Error()) > 120 {
				t.Errorf("the error speaks with the frame's words: %v", err)
			}
		})
	}
}

func TestDecodeAccepts(t *testing.T) {
	for name, frame := range map[string]string{
		"SpaceEverywhere":        " \r\n\t{ \"jsonrpc\" : \"2.0\" , \"method\" : \"hint.x\" , \"params\" : { \"a\" : [ 1 , 2 ] } } \n",
		"UnknownMembersInParams": `{"jsonrpc":"2.0","method":"hint.x","params":{"new":{"a":[true,false,null,-1.5e3,"\"\\\u0041"]}}}`,
		"SameNameInTwoObjects":   `{"jsonrpc":"2.0","method":"hint.x","params":{"a":{"a":[{"a":1},{"a":2}]}}}`,
		"ExactlyAtTheLimit":      `{"jsonrpc":"2.0","method":"hint.x","params":{"a":"` + strings.Repeat("x", wire.MaxFrame-55) + `"}}`,
	} {
		if _, err := wire.Decode([]byte(frame)); err != nil {
			t.Errorf("%s (%d bytes): %v", name, len(frame), err)
		}
	}
}

func TestDecodeOpenAndEventRefuse(t *testing.T) {
	for _, p := range []string{
		`{}`, `{"terminal":"t","journal":"j"}`, `{"terminal":"t u","journal":"j","boot":"b"}`, `{"terminal":"t","journal":"j","boot":"b","seen":-1}`,
		`{"terminal":"t","journal":"j","boot":"b","seen":"1"}`, `{"terminal":"t","journal":"j","boot":"b","open_payments":[1]}`,
		`{"terminal":"` + strings.Repeat("t", 161) + `","journal":"j","boot":"b"}`, `{"terminal":"t\nu","journal":"j","boot":"b"}`,
	} {
		if _, err := wire.DecodeOpen(json.RawMessage(p)); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("open %.40s: %v", p, err)
		}
	}
	for _, p := range []string{
		`{}`, `{"seq":0,"type":"bill.paid","age_ms":0,"body":{}}`, `{"seq":1,"type":"","age_ms":0,"body":{}}`, `{"seq":1,"type":"bill.paid","age_ms":-1,"body":{}}`,
		`{"seq":1,"type":"bill.paid","age_ms":0,"body":[]}`, `{"seq":1,"type":"bill.paid","age_ms":0}`, `{"seq":1.5,"type":"bill.paid","age_ms":0,"body":{}}`,
		`{"seq":1,"type":"bill.paid","age_ms":0,"fresh_ms":-1,"body":{}}`, `{"seq":9223372036854775808,"type":"bill.paid","age_ms":0,"body":{}}`,
	} {
		if _, err := wire.DecodeEvent(json.RawMessage(p)); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("event %s: %v", p, err)
		}
	}
}

func TestEncodeRefusesWhatNoPeerWouldTake(t *testing.T) {
	if _, err := wire.EncodeNote("hint.x", map[string]string{"a": strings.Repeat("x", wire.MaxFrame)}); err == nil || strings.Contains(err.Error(), "xxx") {
		t.Errorf("too large: %v", err)
	}
	if _, err := wire.EncodeCall("a", "bill.get", json.RawMessage(`{`)); err == nil {
		t.Error("broken raw params were sent")
	}
}

// seeds are the examples of docs/protocol and some that are not ours.
func seeds(f *testing.F) {
	files, err := filepath.Glob(docs + "/examples/*.json")
	if err != nil || len(files) < 30 {
		f.Fatalf("%d examples, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{``, `{`, `[]`, `{"jsonrpc":"2.0","method":"a","params":{"a":1,"a":2}}`, `{"jsonrpc":"2.0","id":null,"result":{}}`, `{"jsonrpc":"2.0","method":"a","params":{"a":[[[[[[[[[[[[[]]]]]]]]]]]]]}}`, "{\"a\":\"\\"} {
		f.Add([]byte(s))
	}
}

// FuzzDecode: no frame panics, an accepted one says one thing, and says it again when encoded.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := wire.Decode(data)
		if err != nil {
			if !errors.Is(err, wire.ErrFrame) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		kinds := 0
		for _, is := range []bool{m.IsCall(), m.IsNote(), m.IsAnswer()} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || len(data) > wire.MaxFrame {
			t.Fatalf("%d kinds at once", kinds)
		}
		var again []byte
		switch {
		case m.IsCall():
			again, err = wire.EncodeCall(m.ID, m.Method, m.Params)
		case m.IsNote():
			again, err = wire.EncodeNote(m.Method, m.Params)
		case m.Problem != nil:
			again, err = wire.EncodeProblem(m.ID, m.Problem)
		default:
			again, err = wire.EncodeResult(m.ID, m.Result)
		}
		if err != nil { // escaping may have made a frame near the limit too large
			return
		}
		n, err := wire.Decode(again)
		if err != nil || n.ID != m.ID || n.Method != m.Method || !sameJSON(orEmpty(n.Params), orEmpty(m.Params)) && !bytes.ContainsAny(m.Params, "<>&\u2028\u2029") {
			t.Fatalf("%q became %q: %v", data, again, err)
		}
	})
}

func orEmpty(p json.RawMessage) json.RawMessage {
	if p == nil {
		return json.RawMessage("{}")
	}
	return p
}

// FuzzOpen: what session.open accepts has names that can be signed and logged.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"terminal":"till-1","journal":"j","boot":"b","epoch_seen":1,"seen":2,"open_payments":["p"],"writes":3,"caps":[],"app":"a","signature":"AA=="}`))
	f.Add([]byte(`{"terminal":"t\nu","journal":"j","boot":"b"}`))
	f.Add([]byte(`{"terminal":null,"seen":1e400}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := wire.DecodeOpen(data)
		if err != nil {
			return
		}
		signed := string(challenge().Signed(o.Terminal))
		if !wire.ValidKey(o.Terminal) || strings.Count(signed, "\n") != 3 || o.Seen < 0 || o.Writes < 0 || o.EpochSeen < 0 {
			t.Fatalf("accepted %+v", o)
		}
		_ = o.Verify(challenge(), make([]byte, 32))
	})
}

// FuzzEvent: what is accepted as an event can be journalled.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"seq":1,"type":"bill.paid","age_ms":12,"fresh_ms":30000,"body":{"payment":"p"}}`))
	f.Add([]byte(`{"seq":-1,"type":"bill.paid","age_ms":0,"body":{}}`))
	f.Add([]byte(`{"seq":1,"type":"bill.paid","age_ms":0,"body":"{"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := wire.DecodeEvent(data)
		if err != nil {
			return
		}
		if e.Seq < 1 || e.Age < 0 || e.Fresh < 0 || e.Type == "" || !json.Valid(e.Body) || e.Body[0] != '{' {
			t.Fatalf("accepted %+v", e)
		}
	})
}
