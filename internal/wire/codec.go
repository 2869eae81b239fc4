package wire

import (
	"encoding/json"
	"errors"
	"fmt"

	"tilld/payment"
)

// Names of the notifications. Hints start with HintPrefix; a hint that is not known is ignored.
const (
	SessionChallenge = "session.challenge"
	EventNote        = "event"
	EventAck         = "event.ack"
	HintPrefix       = "hint."
	HintDrain        = "hint.drain"     // server → box: Drain
	HintBusy         = "hint.busy"      // box → server: Busy
	HintClock        = "hint.clock"     // server → box: Clock
	HintGauges       = "hint.gauges"    // box → server: Gauges
	HintProviders    = "hint.providers" // server → box: Providers
)

// SessionID is the id of session.open, the one call without a stable key.
const SessionID = "session"

// Codes of JSON-RPC in a Problem. Refused goes with every refusal of the tables; the others are the protocol's own.
const (
	CodeRefused       = -32000
	CodeUnknownMethod = -32601
	CodeBadParams     = -32602
)

// Stable codes of Problems that are the protocol's own. The tables' refusals are payment.No….
const (
	NoUnknownMethod = "unknown_method"
	NoBadParams     = "bad_params"
	NoAuth          = "not_authorized" // session.open: terminal not known, or its signature is wrong
	NoBlocked       = "blocked"        // session.open: the terminal may not connect
	NoClone         = "clone"          // session.open: two boxes use one identity
	NoOldProgram    = "old_program"    // session.open: the box's program is older than any that is served; why is that one
	NoBusy          = "overloaded"     // session.open: the server cannot answer now
)

// MaxInFlight is how many calls of one terminal may wait for their answers at once, and MaxID the length of the longest
// id or terminal name that is accepted.
const (
	MaxInFlight = 16
	MaxID       = 160
)

// ErrFrame is what every refusal of Decode wraps: the frame is not ours, the connection is closed with 4400.
var ErrFrame = errors.New("not a frame of " + Protocol)

// Drain is the params of hint.drain: the server goes away. The connection closes with 1012 within AfterMS; the box
// should dial again JitterMS at most after that.
type Drain struct {
	AfterMS  int64 `json:"after_ms"`
	JitterMS int64 `json:"jitter_ms"`
}

// Busy is the params of hint.busy: how many payments are open at the box. While any is, both ends ping each BusyMS.
type Busy struct {
	Open int `json:"open"`
}

// Clock is the params of hint.clock: the server's time, RFC 3339, for people, and a block of numbers if a business day has
// begun for which the box has none, or it has said that it has few. No rule of money hangs on it.
type Clock struct {
	Now     string           `json:"now"`
	Numbers *payment.Numbers `json:"numbers,omitempty"`
}

// Gauges is the params of hint.gauges: how far the box's journal has come. The box sends it with its heartbeat when it has
// moved; the server compares it with the highest it has heard of this journal, and a lower one is a restored copy (E33d).
type Gauges struct {
	Writes      int64 `json:"writes"`
	NumbersLeft *int  `json:"numbers_left,omitempty"` // as Open.NumbersLeft
}

// Providers is the params of hint.providers: which providers take new payments now, by mode, the default first. The whole
// of it each time; it takes the place of what session.open was answered with.
type Providers struct {
	Show []string `json:"show"`
	Scan []string `json:"scan"`
	// Silent are those that could show a code and are not offered, because they do not answer. Empty: there is none. nil: an
	// older server does not say.
	Silent []string `json:"silent,omitzero"`
}

// Message is one frame. A call has ID, Method and Params; a notification Method and Params; an answer ID and either
// Result or Problem.
type Message struct {
	ID      string
	Method  string
	Params  json.RawMessage
	Result  json.RawMessage
	Problem *Problem
}

// IsCall says that m wants an answer.
func (m *Message) IsCall() bool { return m.ID != "" && m.Method != "" }

// IsNote says that m is a notification.
func (m *Message) IsNote() bool { return m.ID == "" }

// IsAnswer says that m answers a call.
func (m *Message) IsAnswer() bool { return m.ID != "" && m.Method == "" }

// frame is the JSON of a Message. Params and Result are given to the encoder as they are: what the journal holds is
// what leaves.
type frame struct {
	Version string   `json:"jsonrpc"`
	ID      string   `json:"id,omitempty"`
	Method  string   `json:"method,omitempty"`
	Params  any      `json:"params,omitempty"`
	Result  any      `json:"result,omitempty"`
	Error   *Problem `json:"error,omitempty"`
}

// EncodeCall makes the frame of a call. params is a struct of this package or raw JSON.
func EncodeCall(id, method string, params any) ([]byte, error) {
	return encode(frame{ID: id, Method: method, Params: params})
}

// EncodeNote makes the frame of a notification.
func EncodeNote(method string, params any) ([]byte, error) {
	return encode(frame{Method: method, Params: params})
}

// EncodeResult makes the frame of an answer that accepts.
func EncodeResult(id string, result any) ([]byte, error) {
	return encode(frame{ID: id, Result: result})
}

// EncodeProblem makes the frame of an answer that refuses.
func EncodeProblem(id string, p *Problem) ([]byte, error) {
	return encode(frame{ID: id, Error: p})
}

func encode(f frame) ([]byte, error) {
	f.Version = "2.0"
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name(f.Method), err)
	}
	if len(b) > MaxFrame {
		return nil, fmt.Errorf("encode %s: %d bytes, at most %d may be sent", name(f.Method), len(b), MaxFrame)
	}
	return b, nil
}

func name(method string) string {
	if method == "" {
		return "an answer"
	}
	return method
}

// Decode reads one frame and refuses, wrapping ErrFrame, whatever is not exactly one JSON-RPC 2.0 message within the
// limits of scan: batches, ids that are no strings, unknown members of the envelope, an answer with both or neither of
// result and error. No text of the frame appears in an error. Unknown members below params and result are allowed:
// they are how a minor version grows.
func Decode(data []byte) (Message, error) {
	if err := scan(data); err != nil {
		return Message{}, err
	}
	var f struct {
		Version *string         `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"` // raw, so that null is told from absent
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := Strict(data, &f); err != nil {
		return Message{}, err
	}
	if f.Version == nil || *f.Version != "2.0" {
		return Message{}, bad("jsonrpc is not 2.0")
	}
	m := Message{Params: f.Params, Result: f.Result}
	if f.ID != nil && (json.Unmarshal(f.ID, &m.ID) != nil || !ValidKey(m.ID)) {
		return Message{}, bad("id is not a key")
	}
	if f.Method != nil && (json.Unmarshal(f.Method, &m.Method) != nil || !validMethod(m.Method)) {
		return Message{}, bad("method is not a name")
	}
	switch {
	case f.Method != nil && (f.Result != nil || f.Error != nil):
		return Message{}, bad("both a call and an answer")
	case f.Method != nil && !isObject(f.Params):
		return Message{}, bad("params is not an object")
	case f.Method != nil:
		return m, nil
	case f.ID == nil:
		return Message{}, bad("neither a call, a notification nor an answer")
	case f.Params != nil || (f.Result == nil) == (f.Error == nil):
		return Message{}, bad("an answer needs one of result and error")
	case f.Result != nil && !isObject(f.Result):
		return Message{}, bad("result is not an object")
	}
	if f.Error != nil {
		m.Problem = &Problem{}
		if err := json.Unmarshal(f.Error, m.Problem); err != nil || !isObject(f.Error) || m.Problem.Data.Code == "" {
			return Message{}, bad("error has no code")
		}
	}
	return m, nil
}

func bad(what string) error { return fmt.Errorf("%w: %s", ErrFrame, what) }

func isObject(p json.RawMessage) bool { return len(p) > 0 && p[0] == '{' }

// ValidKey says whether s may be an id: 1 to MaxID printable ASCII characters without a space.
func ValidKey(s string) bool {
	if len(s) == 0 || len(s) > MaxID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validMethod: lower-case words joined by points.
func validMethod(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// Refuse makes a Problem with one of the tables' codes.
func Refuse(code, message string) *Problem {
	return &Problem{Code: CodeRefused, Message: message, Data: ProblemData{Code: code}}
}
