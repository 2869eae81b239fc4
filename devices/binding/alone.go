package binding

import "slices"

// Propose is what needs no person: a role that one lane alone wants and nothing is bound to, and one device alone that
// could serve it and serves nothing yet. With two of either, nobody is asked to guess.
func Propose(f File, wanted []Key, fit func(Unit, string) bool, present []Unit, day string) []Binding {
	var out []Binding
	for _, k := range wanted {
		if _, ok := f.Get(k); ok || slices.Contains(f.Empty, k) {
			continue
		}
		if slices.ContainsFunc(wanted, func(o Key) bool { return o.Role == k.Role && o.Lane != k.Lane }) {
			continue
		}
		if slices.ContainsFunc(f.Bindings, func(b Binding) bool { return b.Role == k.Role }) {
			continue // another lane had it: that it is not wanted now may be a mistake in the settings
		}
		var fits []Unit
		for _, u := range present {
			if fit(u, k.Role) {
				fits = append(fits, u)
			}
		}
		if len(fits) != 1 || serves(f, fits[0]) {
			continue
		}
		out = append(out, Binding{Lane: k.Lane, Role: k.Role, How: Alone, Since: day, Device: fits[0]})
	}
	return out
}

// serves says whether u has, or may have, a role already.
func serves(f File, u Unit) bool {
	return slices.ContainsFunc(f.Bindings, func(b Binding) bool {
		d := b.Device
		return d.Model == u.Model && (d.Port == u.Port || d.Serial != "" && d.Serial == u.Serial)
	})
}
