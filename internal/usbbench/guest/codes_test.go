package main

import "testing"

// What a lot is compared with finds a code that was lost, one that no scanner sent, and one that came twice.
func TestALotFindsWhatIsWrong(t *testing.T) {
	l := &lot{whole: []string{"a0-xyz", "a1-xyz", "a2-xyz"}}
	for _, c := range []struct {
		name                 string
		got                  []string
		lost, mixed, doubled int
	}{
		{"all of it", []string{"a0-xyz", "a1-xyz", "a2-xyz"}, 0, 0, 0},
		{"nothing", nil, 3, 0, 0},
		{"the last is lost", []string{"a0-xyz", "a1-xyz"}, 1, 0, 0},
		{"half of the one that was pulled", []string{"a0-xyz", "a1-xyz", "a2-xyz", "a3-"}, 0, 1, 0},
		{"two run into each other", []string{"a0-xyz", "a1-xyza2-xyz"}, 2, 1, 0},
		{"another scanner's", []string{"a0-xyz", "a1-xyz", "a2-xyz", "b0-xyz"}, 0, 1, 0},
		{"one twice, one three times", []string{"a0-xyz", "a0-xyz", "a1-xyz", "a2-xyz", "a2-xyz", "a2-xyz"}, 0, 0, 3},
	} {
		if lost, mixed, doubled := l.compare(c.got); lost != c.lost || mixed != c.mixed || doubled != c.doubled {
			t.Errorf("%s: %d lost, %d mixed, %d doubled; want %d, %d, %d", c.name, lost, mixed, doubled, c.lost, c.mixed, c.doubled)
		}
	}
}

// However little time there is, each scanner is pulled once, and a code comes behind that.
func TestAScannerIsPulledOnceWhateverTheTime(t *testing.T) {
	for _, c := range []struct {
		name         string
		n, last      int // codes wanted; the code before which the time is over, -1 for never
		pulls, codes int
	}{
		{"time for all", 1000, -1, 19, 1000},
		{"over before the fiftieth", 1000, 7, 1, 8},
		{"over at once", 1000, 0, 1, 2},
		{"over behind a pull", 1000, 60, 1, 60},
		{"fewer than fifty", 20, -1, 1, 20},
		{"one", 1, 0, 1, 1},
	} {
		l, codes := &lot{}, 0
		for i := range c.n {
			pull, end := l.next(i, c.n, c.last >= 0 && i >= c.last)
			if end {
				break
			}
			if pull {
				l.pulls++
			}
			codes++
		}
		if l.pulls != c.pulls || codes != c.codes {
			t.Errorf("%s: %d pulls, %d codes; want %d, %d", c.name, l.pulls, codes, c.pulls, c.codes)
		}
	}
}
