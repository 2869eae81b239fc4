package bill_test

import (
	"reflect"
	"testing"

	"tilld/payment/bill"
)

// A slice that Clone forgets would be changed under whoever still holds the old state.
func TestCloneForgetsNoSlice(t *testing.T) {
	var s bill.State
	old := reflect.ValueOf(&s).Elem()
	for _, f := range old.Fields() {
		if f.Kind() == reflect.Slice {
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	c := s.Clone()
	fresh, slices := reflect.ValueOf(&c).Elem(), 0
	for i := range old.NumField() {
		if old.Field(i).Kind() != reflect.Slice {
			continue
		}
		slices++
		if old.Field(i).Pointer() == fresh.Field(i).Pointer() {
			t.Errorf("%s is shared", old.Type().Field(i).Name)
		}
	}
	if slices == 0 {
		t.Error("there is no slice")
	}
	t.Logf("%d slices", slices)
}
