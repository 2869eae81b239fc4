// Package line drives scanners that send each code as text: serial, or USB that looks serial. It cuts the bytes into
// readings and, where it is told the command set, asks the scanner to do something. It knows no binary protocol.
//
// # Framing
//
//	option end   a reading ends at
//	auto         CR, LF or both; while none of them is expected, silence too
//	cr lf tab    that byte alone
//	0x00…0x1f    that byte alone, as two hexadecimal digits
//	etx          ETX (03); it begins behind STX (02), and what lies between two readings is not taken
//	gap          silence alone
//
// Silence is the option gap, 300 ms unless told otherwise. Once a terminator was seen, one is expected behind each code: a text
// that stops without lost its end, and neither it nor what begins within 2 s behind it is taken. Where more texts in a row had
// none than had one before, ten at most, none is expected from then on: it was a line break in a code, of a scanner that sends
// nothing behind one. An AIM identifier in front ("]Q1") is told apart from the text.
//
// # Commands
//
// The option commands names the command set; without it nothing is ever sent. Only what a public source has is here. A scanner
// is told to read (enable) at each opening; the other half, disable, is left out: a scanner that is off tells nobody why.
//
//	datalogic   E enable, 01 beep. RS-232 host commands: Magellan 9300i guide p. 481, 800i p. 161
//	honeywell   SYN T CR, SYN U CR trigger (N86 manual p. 10-4); SYN BEL CR beep (github HenkVanAsselt/python_hon_usbhid)
//	gm65        zone 0002 = 1, 0 trigger, "any check" form (GM65 module manual); GM60, MG65 and their kin too
//	newland     SCNTRG1, SCNTRG0 trigger, which wants the mode SCNMOD0; SCNENA1 enable. Frame: NLS-HR52 manual
//	            p. 35; words: Newland's own SDK for Android (com.nlscan.nlsdk, NLDevice.java, on GitHub), and Sunmi's page about
//	            its scan head, which has one of Newland's
//	cipherlab   E enable, #@//// CR beep. 1663 manual p. 209
//	zkteco      T, P trigger. ZKB200 manual p. 12
//
// Answers of GM65 and Newland (STX 00 …, STX SOH … ETX) are taken out of the stream whatever the option says.
//
// Sources of the framing: factory settings of serial scanners (9600 8N1, CR behind each code, STX/ETX on some; GM65 module
// manual, zone 0060); 300 ms as an open driver uses it (github NielsLeenheer/WebSerialBarcodeScanner); AIM identifiers,
// ISO/IEC 15424.
package line
