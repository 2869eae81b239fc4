package devices_test

import (
	"testing"

	"tilld/devices"
)

type described struct{ devices.Port }

func (described) ReportDescriptor() ([]byte, error) { return []byte{5}, nil }

type describer interface{ ReportDescriptor() ([]byte, error) }

func TestAnExtraIsFoundUnderACount(t *testing.T) {
	var c devices.Counters
	x, ok := devices.Extra[describer](devices.Count(devices.Count(described{}, &c), &c))
	if !ok {
		t.Fatal("not found")
	}
	if b, err := x.ReportDescriptor(); err != nil || len(b) != 1 {
		t.Errorf("% x, %v", b, err)
	}
	if _, ok := devices.Extra[interface{ Status() (byte, error) }](devices.Count(described{}, &c)); ok {
		t.Error("found what is not there")
	}
}
