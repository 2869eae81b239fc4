package scanner

import "context"

// Note is something that a person should know of a scanner that works: what was read is not taken, and why. It never
// holds what was read.
type Note struct {
	Code     string // for programs
	Sentence string
	Remedy   string
}

// Codes of notes.
const (
	NoteTooLong     = "too_long"    // longer than any code of a shop
	NoteTooShort    = "too_short"   // shorter than the setting allows
	NoteAlphabet    = "alphabet"    // characters that the setting does not allow
	NoteControl     = "control"     // control characters: not a code, or a line that is set wrongly
	NoteProgramming = "programming" // a programming bar code: the scanner's settings may have changed
	NoteDamaged     = "damaged"     // a part is missing
	NoteTyping      = "typing"      // a person types on what is bound as a scanner
	NoteLayout      = "layout"      // the scanner types in another keyboard layout than the setting says
	NoteStripe      = "stripe"      // the magnetic stripe of a card: dropped unread
	NoteSilent      = "silent"      // it does not answer as its driver expects
	NoteForm        = "form"        // it sends codes in another form than it was told to: it has lost its power, say
)

// Noter is a scanner that has notes. Notify is called at most once, before Serve; say is called by Serve alone and must not
// block.
type Noter interface{ Notify(say func(Note)) }

// Notes makes a driver that embeds it a Noter.
type Notes struct{ say func(Note) }

// Notify says who is told.
func (n *Notes) Notify(say func(Note)) { n.say = say }

// Say tells a note, where anybody listens.
func (n *Notes) Say(x Note) {
	if n.say != nil {
		n.say(x)
	}
}

// Command is what a host can ask of a scanner.
type Command string

// Commands. There is none that switches a scanner off: whoever finds it so does not know why.
const (
	TriggerOn  Command = "trigger_on"  // read now, as if the trigger were pressed
	TriggerOff Command = "trigger_off" // stop reading
	Enable     Command = "enable"      // the trigger works: of a scanner that another program has switched off
	Beep       Command = "beep"
	Refuse     Command = "refuse" // sound unlike a code that was read: what was read is not what is wanted
	Paid       Command = "paid"   // two rising notes: the money is there
)

// Commanded is a scanner that takes commands while Serve runs: those that Commands lists, which may depend on its options.
// Do returns when the scanner has agreed, or, where it never answers, when the line has taken the bytes.
type Commanded interface {
	Commands() []Command
	Do(context.Context, Command) error
}
