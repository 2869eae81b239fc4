package binding_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tilld/devices/binding"
)

// unit is "model serial@port#hash"; a missing part is empty.
func unit(s string) binding.Unit {
	var u binding.Unit
	s, u.Hash, _ = strings.Cut(s, "#")
	s, u.Port, _ = strings.Cut(s, "@")
	u.Model, u.Serial, _ = strings.Cut(s, " ")
	return u
}

func units(list ...string) []binding.Unit {
	out := make([]binding.Unit, len(list))
	for i, s := range list {
		out[i] = unit(s)
	}
	return out
}

// bound makes a receipt printer of lanes 1, 2, … of each.
func bound(list ...string) []binding.Binding {
	var out []binding.Binding
	for i, s := range list {
		out = append(out, binding.Binding{Lane: fmt.Sprint(i + 1), Role: binding.ReceiptPrinter, How: binding.Person, Device: unit(s)})
	}
	return out
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound []string
		there []string
		want  []string // state, and the unit for the usable, swapped and replaced ones
	}{
		{"BySerialNumber", []string{"a S1@1#h"}, []string{"a S1@1#h"}, []string{"found a S1@1#h"}},
		{"ASerialNumberMoves", []string{"a S1@1#h"}, []string{"a S1@4.2#h"}, []string{"moved a S1@4.2#h"}},
		{"AFirmwareUpdateChangesNothing", []string{"a S1@1#h"}, []string{"a S1@1#i"}, []string{"found a S1@1#i"}},
		{"Absent", []string{"a S1@1#h"}, []string{"b S1@1#h"}, []string{"absent"}},
		{"AReplacementAtItsPort", []string{"a S1@1#h"}, []string{"a S2@1#h"}, []string{"replacement a S2@1#h"}},
		{"AReplacementElsewhereIsNotOffered", []string{"a S1@1#h"}, []string{"a S2@2#h"}, []string{"absent"}},
		{"TheDeviceOfAnotherLaneIsNoReplacement", []string{"a S1@1#h", "a S2@2#h"}, []string{"a S2@1#h"}, []string{"absent", "swapped a S2@1#h"}},
		{"TwinsWithSerialNumbersSwapped", []string{"a S1@1#h", "a S2@2#h"}, []string{"a S2@1#h", "a S1@2#h"}, []string{"swapped a S1@2#h", "swapped a S2@1#h"}},
		{"ThreeInACircle", []string{"a S1@1#h", "a S2@2#h", "a S3@3#h"}, []string{"a S1@2#h", "a S2@3#h", "a S3@1#h"}, []string{"swapped a S1@2#h", "swapped a S2@3#h", "swapped a S3@1#h"}},
		{"BothMovedToOtherPorts", []string{"a S1@1#h", "a S2@2#h"}, []string{"a S2@7#h", "a S1@8#h"}, []string{"moved a S1@8#h", "moved a S2@7#h"}},
		{"TwinsWithoutSerialNumbersByPort", []string{"a@1#h", "a@2#h"}, []string{"a@2#h", "a@1#h"}, []string{"found a@1#h", "found a@2#h"}},
		{"TwinsWithOneSerialNumberByPort", []string{"a 01@1#h", "a 01@2#h"}, []string{"a 01@2#h", "a 01@1#h"}, []string{"found a 01@1#h", "found a 01@2#h"}},
		{"OneOfTwoWithOneNumberIsGone", []string{"a 01@1#h", "a 01@2#h"}, []string{"a 01@2#h"}, []string{"absent", "found a 01@2#h"}},
		{"OneOfTwoWithOneNumberHasMoved", []string{"a 01@1#h", "a 01@2#h"}, []string{"a 01@2#h", "a 01@3#h"}, []string{"unsure 3", "found a 01@2#h"}},
		{"TwinsOfTwoFirmwaresSwapped", []string{"a@1#h", "a@2#i"}, []string{"a@1#i", "a@2#h"}, []string{"swapped a@1#i", "swapped a@2#h"}},
		{"AnotherFirmwareAtItsPort", []string{"a@1#h"}, []string{"a@1#i"}, []string{"replacement a@1#i"}},
		{"TheOnlyOneOfItsModelMoves", []string{"a@1#h"}, []string{"b@1#x", "a@3#h"}, []string{"moved a@3#h"}},
		{"TheOnlyOneWithOtherDescriptorsIsAsked", []string{"a@1#h"}, []string{"a@3#i"}, []string{"unsure 3"}},
		{"TwoCouldBeMeant", []string{"a@1#h"}, []string{"a@3#h", "a@4#h"}, []string{"unsure 3 4"}},
		{"ATwinMovesAndCannotBeTold", []string{"a@1#h", "a@2#h"}, []string{"a@2#h", "a@3#h"}, []string{"unsure 3", "found a@2#h"}},
		{"ATwinLeaves", []string{"a@1#h", "a@2#h"}, []string{"a@2#h"}, []string{"absent", "found a@2#h"}},
		{"OneWithASerialNumberWhereNoneHadOne", []string{"a@1#h"}, []string{"a S1@1#h"}, []string{"replacement a S1@1#h"}},
		{"OneWithoutWhereOneHadIt", []string{"a S1@1#h"}, []string{"a@1#h"}, []string{"replacement a@1#h"}},
		{"NothingIsThere", []string{"a S1@1#h", "a@2#h"}, nil, []string{"absent", "absent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bs, there := bound(c.bound...), units(c.there...)
			for range 2 { // whatever the order of appearance
				for i, r := range binding.Resolve(bs, there) {
					got := r.State
					switch {
					case r.Unit != (binding.Unit{}):
						u := r.Unit
						name := u.Model
						if u.Serial != "" {
							name += " " + u.Serial
						}
						got += " " + name + "@" + u.Port + "#" + u.Hash
					case r.Candidates != nil:
						var ports []string
						for _, u := range r.Candidates {
							ports = append(ports, u.Port)
						}
						slices.Sort(ports)
						got += " " + strings.Join(ports, " ")
					}
					if got != c.want[i] {
						t.Errorf("lane %d: %s, want %s", i+1, got, c.want[i])
					}
					if (r.State == binding.Found) != (r.Why == "") || !r.Usable() && r.Do == "" {
						t.Errorf("lane %d is %s, why %q, do %q", i+1, r.State, r.Why, r.Do)
					}
				}
				slices.Reverse(there)
			}
		})
	}
}

// No device is ever used for two bindings that were made for two devices, whatever is plugged in where.
func TestResolveNeverGivesOneDeviceToTwo(t *testing.T) {
	models := []string{"a", "a S1", "a S2", "a 01", "b"}
	ports := []string{"1", "2", "3"}
	var all []string
	for _, m := range models {
		for _, p := range ports {
			all = append(all, m+"@"+p+"#h")
			if m == "a" {
				all = append(all, m+"@"+p+"#i")
			}
		}
	}
	n := 0
	for _, b1 := range all {
		for _, b2 := range all {
			if unit(b1).Port == unit(b2).Port || (unit(b1).Serial == unit(b2).Serial && unit(b1).Serial != "" && unit(b1).Serial != "01") {
				continue // no two devices
			}
			for _, t1 := range all {
				for _, t2 := range all {
					if unit(t1).Port == unit(t2).Port || (unit(t1).Serial == unit(t2).Serial && unit(t1).Serial != "" && unit(t1).Serial != "01") {
						continue
					}
					n++
					rs := binding.Resolve(bound(b1, b2), units(t1, t2))
					if rs[0].Usable() && rs[1].Usable() && rs[0].Unit == rs[1].Unit {
						t.Fatalf("%s and %s are bound, %s and %s are there: both get %v (%s, %s)", b1, b2, t1, t2, rs[0].Unit, rs[0].State, rs[1].State)
					}
					for _, r := range rs {
						if r.Usable() && r.Unit.Model != r.Binding.Device.Model {
							t.Fatalf("%v is %s as another model: %v", r.Binding.Device, r.State, r.Unit)
						}
					}
				}
			}
		}
	}
	t.Logf("%d worlds", n)
}

func TestBindSettlesASwap(t *testing.T) {
	there := units("a S2@1#h", "a S1@2#h")
	for _, c := range []struct {
		name, give string
		want       []string // of lanes 1 and 2, and all is found then
	}{
		{"TheCablesWereExchanged", "a S1@2#h", []string{"S1", "S2"}},
		{"ThePrintersWereExchanged", "a S2@1#h", []string{"S2", "S1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := binding.File{Version: 1, Bindings: bound("a S1@1#h", "a S2@2#h")}
			f.Bind(binding.Key{Lane: "1", Role: binding.ReceiptPrinter}, unit(c.give), there, binding.Person, "2026-01-02")
			for _, r := range binding.Resolve(f.Bindings, there) {
				f.Follow(r)
			}
			for i, r := range binding.Resolve(f.Bindings, there) {
				if r.State != binding.Found || r.Unit.Serial != c.want[i] {
					t.Errorf("lane %d: %s %v, want %s", i+1, r.State, r.Unit, c.want[i])
				}
			}
		})
	}
}

func TestBindTakesADeviceFromTheOtherLane(t *testing.T) {
	there := units("a S1@1#h")
	f := binding.File{Version: 1, Bindings: bound("a S1@1#h")}
	k := binding.Key{Lane: "2", Role: binding.ReceiptPrinter}
	f.Bind(k, there[0], there, binding.Person, "")
	if len(f.Bindings) != 1 || f.Bindings[0].Key() != k {
		t.Errorf("%+v", f.Bindings)
	}
	f.Share(binding.Key{Lane: "1", Role: binding.ReceiptPrinter}, there[0], binding.Person, "")
	if len(f.Bindings) != 2 {
		t.Errorf("shared: %+v", f.Bindings)
	}
	// it moves: both roles follow, and neither lane is told of a swap
	moved := units("a S1@5#h")
	for _, r := range binding.Resolve(f.Bindings, moved) {
		if r.State != binding.Moved {
			t.Errorf("%s: %s", r.Binding.Key(), r.State)
		}
		f.Follow(r)
	}
	for _, r := range binding.Resolve(f.Bindings, moved) {
		if r.State != binding.Found {
			t.Errorf("%s: %s", r.Binding.Key(), r.State)
		}
	}
}

// Twins that claim one serial number: giving the second to lane 2 takes nothing from lane 1.
func TestBindTellsTwinsWithOneSerialNumber(t *testing.T) {
	there := units("a 01@1#h", "a 01@2#h")
	f := binding.File{Version: 1, Bindings: bound("a 01@1#h")}
	f.Bind(binding.Key{Lane: "2", Role: binding.ReceiptPrinter}, there[1], there, binding.Evidence, "")
	if len(f.Bindings) != 2 || f.Bindings[0].Device != there[0] || f.Bindings[1].Device != there[1] {
		t.Errorf("%+v", f.Bindings)
	}
}

func TestAReplacementIsOfferedOnce(t *testing.T) {
	there := units("a S2@1#h")
	k := binding.Key{Lane: "1", Role: binding.ReceiptPrinter}
	f := binding.File{Version: 1, Bindings: bound("a S1@1#h")}
	if err := f.Refuse(k, there[0]); err != nil {
		t.Fatal(err)
	}
	if r := binding.Resolve(f.Bindings, there)[0]; r.State != binding.Absent || !strings.Contains(r.Why, "was refused") {
		t.Errorf("after a no: %s, %s", r.State, r.Why)
	}
	if r := binding.Resolve(f.Bindings, units("a S3@1#h"))[0]; r.State != binding.Replacement {
		t.Errorf("a third one: %s", r.State)
	}
	f.Bind(k, there[0], there, binding.Person, "")
	if r := binding.Resolve(f.Bindings, there)[0]; r.State != binding.Found {
		t.Errorf("after a yes: %s, %s", r.State, r.Why)
	}
	if err := f.Refuse(binding.Key{Lane: "9", Role: binding.Scanner}, there[0]); err == nil {
		t.Error("refused for a role that has no device")
	}
}

func TestPropose(t *testing.T) {
	fit := func(u binding.Unit, role string) bool {
		return map[string]string{"p": binding.ReceiptPrinter, "s": binding.Scanner, "d": binding.CustomerDisplay}[u.Model] == role
	}
	keys := func(list ...string) []binding.Key {
		var out []binding.Key
		for _, s := range list {
			lane, role, _ := strings.Cut(s, " ")
			out = append(out, binding.Key{Lane: lane, Role: role})
		}
		return out
	}
	three := keys("1 receipt-printer", "1 scanner", "1 customer-display")
	for _, c := range []struct {
		name   string
		wanted []binding.Key
		bound  []binding.Binding
		there  []string
		want   string
	}{
		{"OneOfEach", three, nil, []string{"p@1", "s@2", "d@3", "x@4"}, "receipt-printer p@1, scanner s@2, customer-display d@3"},
		{"TwoPrinters", three, nil, []string{"p@1", "p@2", "s@3"}, "scanner s@3"},
		{"TwoLanes", keys("1 scanner", "2 scanner", "1 receipt-printer"), nil, []string{"s@1", "p@2"}, "receipt-printer p@2"},
		{"BoundAndAbsent", three, bound("p@9"), []string{"p@1"}, ""},
		{"AnotherLaneHadIt", keys("2 receipt-printer"), bound("p@9"), []string{"p@1"}, ""},
		{"ItServesAlready", keys("1 scanner"), bound("s@1"), []string{"s@1"}, ""},
		{"NothingIsThere", three, nil, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, b := range binding.Propose(binding.File{Bindings: c.bound}, c.wanted, fit, units(c.there...), "2026-01-02") {
				got = append(got, b.Role+" "+b.Device.Model+"@"+b.Device.Port)
				if b.How != binding.Alone || b.Since == "" {
					t.Errorf("%+v", b)
				}
			}
			if g := strings.Join(got, ", "); g != c.want {
				t.Errorf("got %q, want %q", g, c.want)
			}
		})
	}
}
