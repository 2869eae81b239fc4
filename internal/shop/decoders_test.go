package shop_test

import (
	"bytes"
	"image"
	"image/png"
	"os/exec"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// readBack decodes the code in a picture: with gozxing, and with zbarimg where that is installed (scripts/need test
// installs it). It answers how many decoders have read it.
func readBack(t testing.TB, m image.Image, want string) int {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil || got.GetText() != want {
		t.Errorf("gozxing reads %v, %v, want %q", got, err, want)
	}
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Log("zbarimg is not installed: one decoder alone")
		return 1
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), zbar, "-q", "--raw", "-")
	cmd.Stdin = &b
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("zbarimg reads %q, %v, want %q", out, err, want)
	}
	return 2
}
