package lane

// Rows is the box's table. First match wins; the ids are those of the specification.
var Rows = []row{}

// Notes are the steps that the specification leaves to the engine: the receipt, lost and regained glass.
var Notes = []row{}

func canPark(p Payment, doubt bool) bool {
	switch p.Stage {
	case Closing:
		return true
	case Submitted:
		return doubt && p.Sent
	case Charging, Accepting:
		return doubt
	}
	return false
}
