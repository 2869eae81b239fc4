package wiretest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tilld/internal/wire"
)

// StepLimit is how long the kit waits for any one thing it is owed.
const StepLimit = 5 * time.Second

// Case is one thing that an end must do.
type Case struct {
	Name string
	Run  func(ctx context.Context) error
}

// Run runs cases one after another as sub-tests and logs how many there were.
func Run(t *testing.T, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*StepLimit)
			defer cancel()
			if err := c.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Logf("%d cases", len(cases))
}

// peer speaks JSON-RPC over raw.
type peer struct{ *raw }

func (p *peer) call(id, method string, params any) error {
	b, err := wire.EncodeCall(id, method, params)
	return errors.Join(err, p.text(string(b)))
}

func (p *peer) note(method string, params any) error {
	b, err := wire.EncodeNote(method, params)
	return errors.Join(err, p.text(string(b)))
}

func (p *peer) result(id string, result any) error {
	b, err := wire.EncodeResult(id, result)
	return errors.Join(err, p.text(string(b)))
}

// next is the next message that is no hint.
func (p *peer) next() (wire.Message, error) { return p.nextWithin(StepLimit) }

func (p *peer) nextWithin(limit time.Duration) (wire.Message, error) {
	for {
		b, err := p.read(limit)
		if err != nil {
			return wire.Message{}, err
		}
		m, err := wire.Decode(b)
		if err != nil {
			return m, fmt.Errorf("the peer sent what is %w", err)
		}
		if m.IsNote() && len(m.Method) > 5 && m.Method[:5] == wire.HintPrefix {
			continue
		}
		return m, nil
	}
}

// quiet says that nothing but hints comes for a while.
func (p *peer) quiet(d time.Duration) error {
	m, err := p.nextWithin(d)
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s %s came, nothing was due", m.Method, m.ID)
}

// closes reads on until the peer's close frame and wants one of codes.
func (p *peer) closes(codes ...int) error {
	for {
		_, err := p.read(StepLimit)
		if err == nil {
			continue
		}
		var c *closed
		if !errors.As(err, &c) {
			return fmt.Errorf("want a close frame with one of %v: %w", codes, err)
		}
		if !slices.Contains(codes, c.code) {
			return fmt.Errorf("closed with %d, want one of %v", c.code, codes)
		}
		return nil
	}
}

// bad are frames that no end may accept once its session is open. Each is closed with 4400.
func bad() map[string]string {
	deep := ""
	for range 40 {
		deep += `{"a":`
	}
	return map[string]string{
		"NoJSON":           `{`,
		"Batch":            `[{"jsonrpc":"2.0","method":"event.ack","params":{"seq":0}}]`,
		"MemberTwice":      `{"jsonrpc":"2.0","method":"hint.busy","params":{"open":0,"open":1}}`,
		"MemberInCapitals": `{"jsonrpc":"2.0","Method":"hint.busy","params":{}}`,
		"UnknownMember":    `{"jsonrpc":"2.0","method":"hint.busy","params":{},"extra":1}`,
		"NumberAsID":       `{"jsonrpc":"2.0","id":1,"method":"bill.get","params":{"payment":"x"}}`,
		"NullAsID":         `{"jsonrpc":"2.0","id":null,"method":"bill.get","params":{"payment":"x"}}`,
		"OtherVersion":     `{"jsonrpc":"1.0","method":"hint.busy","params":{}}`,
		"ParamsAsArray":    `{"jsonrpc":"2.0","method":"hint.busy","params":[]}`,
		"CallAndAnswer":    `{"jsonrpc":"2.0","id":"a","method":"bill.get","params":{},"result":{}}`,
		"ResultAndError":   `{"jsonrpc":"2.0","id":"a","result":{},"error":{"code":1,"message":"","data":{"code":"x"}}}`,
		"AnswerToNothing":  `{"jsonrpc":"2.0","id":"never-asked","result":{"outcome":"bill"}}`,
		"UnknownNote":      `{"jsonrpc":"2.0","method":"bill.surprise","params":{}}`,
		"TooDeep":          `{"jsonrpc":"2.0","method":"hint.busy","params":` + deep + `{}` + closers(40) + `}`,
	}
}

func closers(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '}'
	}
	return string(b)
}

// encodeJSON is for what the codec would refuse to make.
func encodeJSON(v any) string {
	b, _ := json.Marshal(v) // maps and structs of this package alone
	return string(b)
}
