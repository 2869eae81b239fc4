package line

import (
	"maps"
	"slices"

	"tilld/scanner"
)

// host is one maker's commands; their sources are in the package's comment.
type host map[scanner.Command]string

func (h host) commands() []scanner.Command { return slices.Sorted(maps.Keys(h)) }

func hosts() map[string]host {
	return map[string]host{
		"cipherlab": {scanner.Enable: "E", scanner.Beep: "#@////\r"},
		"datalogic": {scanner.Enable: "E", scanner.Beep: "\x01"},
		"gm65":      {scanner.TriggerOn: "\x7e\x00\x08\x01\x00\x02\x01\xab\xcd", scanner.TriggerOff: "\x7e\x00\x08\x01\x00\x02\x00\xab\xcd"},
		"honeywell": {scanner.TriggerOn: "\x16T\r", scanner.TriggerOff: "\x16U\r", scanner.Beep: "\x16\a\r"},
		"newland": {
			scanner.TriggerOn: newland("SCNTRG1"), scanner.TriggerOff: newland("SCNTRG0"),
			scanner.Enable: newland("SCNENA1"),
		},
		"zkteco": {scanner.TriggerOn: "T", scanner.TriggerOff: "P"},
	}
}

// newland frames a setting of Newland's that lasts until the scanner loses power: ~ SOH 0000 # … ; ETX.
func newland(setting string) string { return "~\x010000#" + setting + ";\x03" }

func sets() []string { return slices.Sorted(maps.Keys(hosts())) }

// What stands behind STX in an answer. No code of a shop begins so.
const (
	answerGM65    = 0x00
	answerNewland = 0x01
)

// cutAnswers takes answers to commands off the front of what was received: STX 00 type length data check of GM65, and
// STX SOH … ETX of Newland.
func cutAnswers(b []byte) []byte {
	for len(b) > 3 && b[0] == stx {
		switch {
		case b[1] == answerGM65 && len(b) >= 4+int(b[3])+2:
			b = b[4+int(b[3])+2:]
		case b[1] == answerNewland && slices.Contains(b, etx):
			b = b[slices.Index(b, etx)+1:]
		default:
			return b
		}
	}
	return b
}
