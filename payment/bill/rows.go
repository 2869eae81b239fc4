package bill

// Rows is the server's table, with the obligations. The first row that matches is taken.
func Rows() Table {
	var t Table
	for _, part := range [][]Row{
		createRows(), callRows(), returnRows(), creditRows(), openRows(), closingRows(), closedRows(), scanRows(),
		staticRows(), personRows(), debtRows(), againRows(),
	} {
		t = append(t, part...)
	}
	return t
}

// row writes a line of the table without the noise of its types.
func row(id, when string, match func(*State, *Event) bool, do func(*State, *Event) []Effect) Row {
	return Row{ID: id, When: when, Match: match, Do: func(s *State, e *Event) (*State, []Effect) { return s, do(s, e) }}
}
