// Package ssi drives Zebra (Symbol) scanners in their Simple Serial Interface: serial lines and USB that looks serial. A
// reading is acknowledged when it is durable and not before, so that the scanner keeps it and sends it again if this
// machine was killed in between. It changes no setting of the scanner for good.
//
// # Packets
//
//	LEN OPCODE SOURCE STATUS data… CHECK_HIGH CHECK_LOW
//
// LEN counts from itself to the end of the data. SOURCE is 00 for the scanner and 04 for the host. STATUS: bit 0 sent
// again, bit 1 more packets of this message follow, bit 3 a parameter changes for good. CHECK is the two's complement of
// the sum of all bytes before it.
//
//	host     C6 parameters   D0 yes   D1 no and why   E4 E5 session (trigger) on, off   E6 beep   E9 EA scanning on, off
//	scanner  D0 yes   D1 no and why   F3 type of the bar code, data   F6 event
//
// A damaged packet is answered with D1 01 (send again), any other with D0. The scanner waits 2 s for an answer and sends
// twice more. What it sends again because our answer was lost is answered and not taken twice: it is the same packet as
// the last, marked as sent again, and nothing damaged came in between. An answer that is lost together with a repetition
// that is damaged can make one code two. A reading that cannot be kept, for want of a journal, gets no answer at all: it is
// sent again, and taken if there is a journal by then; else the scanner tells by its tones that it was not taken.
//
// # Handshakes on RS-232
//
// The protocol's own is not that of a serial line: the host raises RTS when it wants to send, waits for CTS, and lowers it
// behind the packet. By the factory's setting (parameter 9A, "Host RTS Line State: Low") RTS that is up and stays up holds
// the scanner's data back, so it is lowered at opening, and nothing is raised for a packet: that is "bypassing". A scanner
// that is asleep then wakes by the first byte, and hears neither it nor what comes in the next 10 ms. So a command behind a
// pause has 00 in front of it, WAKEUP, and follows a moment later; a scanner that is awake takes that for nothing, and one
// that has woken stays awake for a second. An answer to its data needs none.
//
// # The rest of a code
//
// Where this machine was killed between two packets of one code, the rest comes to its next start, and its last packet
// looks like a whole code. The scanner is told to put AIM identifiers in front of codes, so that a first packet shows. What
// comes without one in the first two seconds of a line, or within eight as sent again, can be older than the line: it is
// noted and refused with D1 06 (do not send it again), up to the end of its message. A scanner that sends no identifiers
// has its whole codes of those seconds refused as well. A rest that by chance goes on like an identifier is not known.
//
// Within a message the next packet comes at once, or is marked as sent again. One that comes later than two seconds and is
// not marked begins another message; the one without an end is noted as damaged.
//
// # Options
//
// data: packets (so far described), or raw: codes come as text that ends at CR or LF, without acknowledgement. configure:
// at opening the scanner is told, until its power goes, to send in that form, to expect answers, and to send identifiers
// with packets; false leaves its settings alone. A scanner that does not answer at all is noted; its codes are still taken.
// One on a wire of its own that has lost its power and come back sends by its own settings, and nothing tells of that: text
// where packets were told, or two damaged packets with no good one between them, are noted, and it is told anew. That code is
// not taken: as text nothing says whether it is whole.
//
// # Sources
//
// Zebra SE-923 integration guide pp. 160, 171; SE-955 guide pp. 191, 193 (answers, retries); WAKEUP: SE-923 guide p. 6-34,
// DS8108 guide p. 5-7 (10 ms), DS457 guide p. 8-7 (7 ms), Mindeo FS580 guide p. 99 (15 ms), SM72 integration guide "RTS/CTS
// lines"; RTS: DS8108 guide p. 5-17, DS457 guide p. 8-13, SE-955 guide A-5; that some cannot do without: DS4308 guide
// p. 7-15; MS4404 guide p. 8-3 and
// DS9908 guide p. 247 (raw and packeted data; raw is the factory's); tones: Zebra's own Scanner SDK for Windows,
// common_defs.h (00 one short high, 10 two long low, 17 low and high); DS2208 guide p. 110 (bit 1 of STATUS); DS6708 guide p. 4-16 (parameter
// 2D, AIM identifiers); Datalogic Dragon D151 manual p. 63 (causes of D1); CR6080 guide p. 198 (an answer to each packet
// of a message is the factory's setting); github alvinnguyen-chipmunk/zebra-scanner-library, ssi.h and mlsBarcode.c
// (parameters EE and 9F, causes of D1, packets that follow repeat the type). Types of bar codes: the table of SE-923,
// and for 2D codes and GS1 DataBar the constants of public OPOS drivers, which agree with each other (ST_QR_CODE 1C,
// ST_DATAMATRIX 1B, ST_AZTEC 2D, ST_GS1_DATABAR 30 to 32, ST_PARAMETER 33). The multi-packet frames 73 and 74 of
// Bluetooth models have no public description and are left out.
package ssi
