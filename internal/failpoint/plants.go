package failpoint

// Bugs that a program built with the tag failpoints has when TILLD_PLANT names one: each shows that a harness of tests
// finds what it is there for. In every other build Planted is false at compile time, so that the bug and its name are not
// in the program.
const (
	AckFirst      = "a write is acknowledged before its commit"
	PrintAgain    = "what may be on paper is printed again after a start"
	TwiceTaken    = "a call that comes twice is taken twice"
	StalledBlocks = "a reader that stalls holds up the others"
	LostError     = "an error of a commit is lost"
	LostName      = "the name of a file is not made durable"
)

// Plants are all of them.
var Plants = []string{AckFirst, PrintAgain, TwiceTaken, StalledBlocks, LostError, LostName}
