package journal

// Statements are those that a step of a sale runs.
func Statements() []string {
	return []string{overSQL, endSQL, putSQL, eventSQL, callSQL, settleSQL, metaSQL}
}
