package printing

import (
	"reflect"
	"strings"
	"testing"
)

// TestEveryFieldOfAnItemIsSeen: a field that belongs to no item of the type is refused, whichever it is.
func TestEveryFieldOfAnItemIsSeen(t *testing.T) {
	typ := reflect.TypeFor[Item]()
	seen := 0
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "type" {
			continue
		}
		it := Item{}
		switch f := reflect.ValueOf(&it).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int:
			f.SetInt(2)
		default:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
		if got := it.stray(nil); got != name {
			t.Errorf("field %s is taken for %q", name, got)
		}
		if got := it.stray([]string{name}); got != "" {
			t.Errorf("field %s of its own type is refused as %q", name, got)
		}
		seen++
	}
	if seen < 20 {
		t.Errorf("only %d fields seen", seen)
	}
}
