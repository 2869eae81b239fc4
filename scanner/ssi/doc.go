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
// # Options
//
// data: packets (so far described), or raw: codes come as text that ends at CR or LF, without acknowledgement. configure:
// at opening the scanner is told, until its power goes, to send in that form and to expect answers; false leaves its
// settings alone. A scanner that does not answer at all is noted; its codes are still taken.
//
// # Sources
//
// Zebra SE-923 integration guide pp. 160, 171; SE-955 guide pp. 191, 193 (answers, retries); MS4404 guide p. 8-3 and DS9908
// guide p. 247 (raw and packeted data); DS2208 guide p. 110 (bit 1 of STATUS); github
// alvinnguyen-chipmunk/zebra-scanner-library, ssi.h and mlsBarcode.c (parameters EE and 9F, causes of D1, packets that
// follow repeat the type). Types of bar codes: the table of SE-923, and for 2D codes and GS1 DataBar the constants of
// public OPOS drivers, which agree with each other (ST_QR_CODE 1C, ST_DATAMATRIX 1B, ST_AZTEC 2D, ST_GS1_DATABAR 30 to 32,
// ST_PARAMETER 33). The multi-packet frames 73 and 74 of Bluetooth models have no public description and are left out.
package ssi
