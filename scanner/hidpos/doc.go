// Package hidpos drives USB scanners of the HID point-of-sale kind. Where each field of a report lies is read out of the
// device's own report descriptor: no two makers agree on it. It knows no maker.
//
//	page:usage  field of an input report
//	8c:fe       decoded data, so many bytes
//	8c:fb fc fd AIM identifier, one character each; some scanners have none, or send zeros, or it in front of the data too
//	01:3b       how many of the data's bytes count; without it zeros behind the data are padding
//	8c:ff       one bit: the next report has more of this code
//
// A code longer than a report comes in several; the identifier of the first counts. A report whose length says more than
// the report holds, or a code whose next part does not come within a second, is not taken.
//
// Layouts that were met, all of 64 bytes with report number 2: data at 5 with the identifier at 2 to 4 (Access-IS LSR118
// manual p. 68, Honeywell); data at 2 and no identifier (Quio QU-R-302 manual p. 79).
//
// The line is a hidraw node, or whatever else gives one report a read and knows its descriptor.
//
// Sources: HID Point of Sale Usage Tables 1.02, chapter 3; Device Class Definition for HID 1.11, chapter 6.2.2; the two
// manuals above; npm @point-of-sale/webhid-barcode-scanner for the variety of layouts.
package hidpos
