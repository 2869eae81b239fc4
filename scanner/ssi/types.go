package ssi

// typeProgramming is the type of a bar code that set the scanner up.
const typeProgramming = 0x33

// aim is the AIM identifier of a type of bar code, "" for those that are not known.
func aim(kind byte) string {
	switch kind {
	case 0x01:
		return "]A0" // Code 39
	case 0x02:
		return "]F0" // Codabar
	case 0x03:
		return "]C0" // Code 128
	case 0x06:
		return "]I0" // Interleaved 2 of 5
	case 0x07:
		return "]G0" // Code 93
	case 0x08, 0x09, 0x0b, 0x10, 0x16:
		return "]E0" // UPC-A, UPC-E, EAN-13, UPC-E1, Bookland
	case 0x0a:
		return "]E4" // EAN-8
	case 0x0c:
		return "]H0" // Code 11
	case 0x0e:
		return "]M0" // MSI
	case 0x0f:
		return "]C1" // GS1-128
	case 0x11:
		return "]L0" // PDF417
	case 0x1b:
		return "]d1" // Data Matrix
	case 0x1c:
		return "]Q1" // QR
	case 0x2d:
		return "]z0" // Aztec
	case 0x30, 0x31, 0x32:
		return "]e0" // GS1 DataBar
	}
	return ""
}
