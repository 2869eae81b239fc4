// Package wedge drives USB scanners that type: they are keyboards to the kernel. It turns the keys of an event node into
// readings and keeps a person's typing apart from a scan. It grabs nothing itself: the line does.
//
// # Keys to text
//
// The scanner's own keyboard country decides which keys it presses; the option layout says which (us or ru, the Russian
// ЙЦУКЕН of PC keyboards). The desktop's layout has no part in it. Shift and Caps Lock (letters alone) count. Control with
// a letter is that control character, and Control with ] is GS, which parts GS1 data. Alt with digits of the keypad is the
// character of that number: in the OEM page (866 where the layout is ru), behind a leading 0 in the Windows page (1252,
// 1251). Of those pages what is ASCII, Latin-1 or Russian is known; another number spoils its reading.
//
// # What is a scan
//
// Keys that come fast: 35 ms apart or less on an average (option pace), by the kernel's stamps, so that a busy machine
// changes nothing. A person is far slower. It ends at Enter, the keypad's Enter or Tab (option end); while none of them is
// expected, after 100 ms of silence too (option gap). One is expected once it was seen behind a scan, until more scans in a
// row had none than had one before, ten at most: none of those is taken, and Enter was a line break in a code then. Fewer than
// three characters are no scan. After a reading keys may be left out for a while (option dead_time, none unless told otherwise),
// for scanners that press keys behind the end.
//
// A layout that does not fit is told by what it does to a link's "://" and to digits, and is said; nothing is repaired. If
// the kernel had to drop keys, the reading that they belonged to is not taken.
//
// Sources: linux/input.h, linux/input-event-codes.h, Documentation/input/event-codes.rst (SYN_DROPPED); layouts us and
// ru(winkeys) of xkeyboard-config; Alt with the keypad, Metrologic MS6130 manual p. 20, Worth Data P11/12 manual p. 4-2;
// Control with letters, Wasp WLS 8400 manual p. 77. The leading 0 is how PCs have it. The pace is between the 1 to 20 ms of
// scanners and the 50 ms and more of people.
package wedge
