// Package escpos drives receipt printers that speak ESC/POS: receipts become bytes here, and what the printer answers
// becomes status and proof. It sends no job twice and lets no text become a command.
//
// Sources: Epson's ESC/POS command reference and the manuals of TM-T88V, TM-L90, TM-T81 and of common clones.
//
//	1B 40                        initialise; on some models it switches automatic status off too
//	1C 2E                        leave multi-byte mode: clones for Asia print Cyrillic as Chinese without it
//	1B 74 n                      code table: 0 CP437, 2 CP850, 17 CP866, 46 CP1251; clones number them otherwise
//	1B 4D n                      font 0 A (12 × 24 dots), 1 B (9 × 17)
//	1B 45, 1B 2D, 1D 42, 1B 61, 1D 21   bold, underline, inverse, alignment, size: written by hennedo/escpos
//	1B 64 n                      print and feed n lines of 30 dots
//	1D 76 30 0 xL xH yL yH data  raster picture
//	1D 28 6B …                   QR: 165 model, 167 module, 169 level, 180 store, 181 print
//	1D 6B m …                    bar code; 1D 48, 1D 68, 1D 77 its digits, height and module
//	1D 56 41 0, 1D 56 42 0       feed to the knife and cut, in full or but for a point
//	1B 70 m t1 t2                drawer pulse on pin 2 (0) or 5 (1), times in 2 ms
//	10 04 n                      real-time status: one byte at once, whatever waits in the buffer
//	1D 61 n                      automatic status back: four bytes now and at every change
//	1D 72 1                      status in turn: one byte, after all before it has been worked through
//	1D 28 48 6 0 30 30 id        process id: 37 22 id 00, after all before it has been printed
//
// hennedo/escpos writes the styles, the full cut and the EAN and UPC codes, into a buffer that is new for each job (its
// writer keeps an error for good) and with Size(1,1) first (its zero value means eight times eight). Its text, QR,
// bar code width and pictures are not used: they write wrong bytes.
//
// Oddities: a picture's bytes 10 04, 10 05 and 10 14 are obeyed as real-time commands by many models, the drawer's pulse
// among them; one dot beside a black one is blackened where they would stand. A printer that lost its host in the middle
// of a picture takes what comes next as the rest of it: zeros, more than a band of one, are sent when it does not answer in turn;
// on RS-232 only where it answers at all.
package escpos
