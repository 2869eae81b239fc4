package totals

import (
	"reflect"
	"testing"
)

// Of each payment of a period a few numbers and flags are held, and nothing that hangs on it: 45,000 of them, a quarter of a
// year of four lanes, are then no more than some ten megabytes.
func TestLittleIsHeldOfAPayment(t *testing.T) {
	var look func(v reflect.Type, at string)
	look = func(v reflect.Type, at string) {
		switch v.Kind() {
		case reflect.Struct:
			for f := range v.Fields() {
				look(f.Type, at+"."+f.Name)
			}
		case reflect.Int64, reflect.Bool, reflect.String:
		default:
			t.Errorf("%s is a %s", at, v)
		}
	}
	c := reflect.TypeFor[change]()
	look(c, "change")
	t.Logf("%d bytes", c.Size())
	if c.Size() > 160 {
		t.Errorf("%d bytes of each payment", c.Size())
	}
}
