package devices

// Extra finds what a line can do besides reading and writing, under whatever wraps it: a one-method interface such as
// "knows its report descriptor". A wrapper that lets it through has Unwrap.
func Extra[T any](p Port) (T, bool) {
	for {
		if x, ok := p.(T); ok {
			return x, true
		}
		w, ok := p.(interface{ Unwrap() Port })
		if !ok {
			var none T
			return none, false
		}
		p = w.Unwrap()
	}
}
