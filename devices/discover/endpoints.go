package discover

// Types of descriptors (USB 2.0, table 9-5).
const (
	configuration = 2
	interfaced    = 4
	endpoint      = 5
)

// bulkOut are the interfaces that have a bulk endpoint to write to in the setting with which they begin. active is the
// configuration that is meant, 0 for any. Of damaged descriptors it is what stands before the damage.
func bulkOut(b []byte, active int) []int {
	var out []int
	meant, number := active == 0, -1
	for len(b) >= 2 && b[0] >= 2 && int(b[0]) <= len(b) {
		d := b[:b[0]]
		b = b[b[0]:]
		switch {
		case d[1] == configuration && len(d) >= 9:
			meant, number = active == 0 || int(d[5]) == active, -1
		case d[1] == interfaced && len(d) >= 9:
			if number = -1; meant && d[3] == 0 {
				number = int(d[2])
			}
		case d[1] == endpoint && len(d) >= 7 && number >= 0:
			if bulk, in := d[3]&3 == 2, d[2]&0x80 != 0; bulk && !in {
				out = append(out, number)
			}
		}
	}
	return out
}
