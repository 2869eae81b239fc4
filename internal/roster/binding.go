package roster

import (
	"cmp"
	"slices"

	"tilld/devices"
)

// Unit is one physical device.
type Unit struct {
	Name    string `json:"name"`              // what it calls itself
	Product string `json:"product,omitempty"` // of the catalog, where it is known
	Model   string `json:"model"`             // vendor:product
	Serial  string `json:"serial,omitempty"`
	Port    string `json:"port"` // the place that it is plugged into
	Call    string `json:"call"` // how to name it in a call: serial:…, or port:… where that would not tell it from others
}

// BySettings is the state of a role whose device the settings name. Those of the others are the words of package binding,
// and devices.Unbound.
const BySettings = "settings"

// Binding says which device a lane uses for a role.
type Binding struct {
	Lane       string `json:"lane"`
	Role       string `json:"role"`
	Device     string `json:"device"`             // its id
	State      string `json:"state"`              // settings unbound found moved absent replacement swapped unsure
	Unit       *Unit  `json:"unit,omitempty"`     // that was bound
	KnownBy    string `json:"known_by,omitempty"` // serial port
	How        string `json:"how,omitempty"`      // alone evidence person
	Since      string `json:"since,omitempty"`    // the day
	Offer      *Unit  `json:"offer,omitempty"`    // a replacement, or the swapped twin: accept it or refuse it
	Candidates []Unit `json:"candidates,omitempty"`
	Why        string `json:"why,omitempty"`
	Do         string `json:"do,omitempty"`

	Question *Question `json:"question,omitempty"` // the newest that was asked
}

// Said is an error of a device with words of its own for people.
type Said struct {
	Code     string        // of the trouble under health
	State    devices.State // "" as the sort of the error says
	Sentence string
	Remedy   string
	Sort     error // devices.ErrPerson or devices.ErrAbsent
}

// Error is the sentence.
func (s *Said) Error() string { return s.Sentence }

// Unwrap is its sort.
func (s *Said) Unwrap() error { return s.Sort }

// Bindings is which device each lane uses for what; of those that the settings name there is no more to say.
func (r *Roster) Bindings() []Binding {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Binding{}
	for _, m := range r.all {
		for _, lane := range m.entry.Lanes {
			out = append(out, Binding{Lane: lane, Role: m.entry.Role, Device: m.entry.ID, State: BySettings})
		}
	}
	slices.SortFunc(out, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Device, b.Device))
	})
	return out
}
