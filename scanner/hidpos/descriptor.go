package hidpos

import (
	"errors"
	"fmt"
)

// Limits of a descriptor that is believed: the kernel reads no longer one, and no report of a HID device is longer.
const (
	maxDescriptor = 4096
	maxReportBits = 8 * 16384
	maxDepth      = 16 // of the stack of global items
	maxUsages     = 1024
)

// usage is page and number together.
type usage uint32

// Usages that a scanner's reports are made of.
const (
	useByteCount usage = 0x01_003b
	useAIM1      usage = 0x8c_00fb
	useAIM2      usage = 0x8c_00fc
	useAIM3      usage = 0x8c_00fd
	useData      usage = 0x8c_00fe
	useMore      usage = 0x8c_00ff
)

func whole(page, id uint32) usage { return usage(page<<16 | id&0xffff) }

// field is where in a report a usage's values lie, in bits behind the report's number.
type field struct {
	at, size, count int // of the first value, of each, how many
}

func (f field) there() bool { return f.size > 0 }

// layout is one input report that carries codes.
type layout struct {
	id   int // the report's number; 0 where the device has none
	bits int // of the whole report behind its number

	data, length, more field
	aim                [3]field
}

var errDescriptor = errors.New("the report descriptor makes no sense")

// globals are the items that hold until they are said anew.
type globals struct {
	page        uint32
	size, count int
	id          int
}

// parser goes through a descriptor item by item.
type parser struct {
	now     globals
	stack   []globals
	usages  []usage // since the last main item
	low     uint32  // usage minimum, where one is open
	hasLow  bool
	reports map[int]*layout
	order   []int
}

// parse gives the input reports that carry codes, in the order of the descriptor; none is no error.
func parse(d []byte) ([]layout, error) {
	if len(d) > maxDescriptor {
		return nil, fmt.Errorf("%w: it has %d bytes", errDescriptor, len(d))
	}
	p := parser{reports: map[int]*layout{}}
	for i := 0; i < len(d); {
		prefix := d[i]
		if prefix == 0xfe { // long item: its size is in the next byte; none is defined
			if i+2 >= len(d) {
				return nil, fmt.Errorf("%w: it is cut off at byte %d", errDescriptor, i)
			}
			i += 3 + int(d[i+1])
			continue
		}
		n := int(prefix & 3)
		if n == 3 {
			n = 4
		}
		if i+1+n > len(d) {
			return nil, fmt.Errorf("%w: it is cut off at byte %d", errDescriptor, i)
		}
		var v uint32
		for k := range n {
			v |= uint32(d[i+1+k]) << (8 * k)
		}
		if err := p.item(prefix&^3, v, n); err != nil {
			return nil, fmt.Errorf("%w at byte %d", err, i)
		}
		i += 1 + n
	}
	var out []layout
	for _, id := range p.order {
		if l := p.reports[id]; l.data.there() {
			out = append(out, *l)
		}
	}
	return out, nil
}

func (p *parser) item(tag byte, v uint32, n int) error {
	switch tag {
	case 0x04:
		p.now.page = v
	case 0x74:
		p.now.size = int(min(v, maxReportBits+1))
	case 0x94:
		p.now.count = int(min(v, maxReportBits+1))
	case 0x84:
		if v == 0 || v > 255 {
			return fmt.Errorf("%w: report number %d", errDescriptor, v)
		}
		p.now.id = int(v)
	case 0xa4:
		if len(p.stack) == maxDepth {
			return fmt.Errorf("%w: too many pushes", errDescriptor)
		}
		p.stack = append(p.stack, p.now)
	case 0xb4:
		if len(p.stack) == 0 {
			return fmt.Errorf("%w: a pop without a push", errDescriptor)
		}
		p.now, p.stack = p.stack[len(p.stack)-1], p.stack[:len(p.stack)-1]
	case 0x08:
		p.use(v, n)
	case 0x18:
		p.low, p.hasLow = v, true
	case 0x28:
		if p.hasLow && v >= p.low && v-p.low < maxUsages {
			for u := p.low; u <= v; u++ {
				p.use(u, n)
			}
		}
		p.hasLow = false
	case 0x80:
		if err := p.input(v); err != nil {
			return err
		}
		p.forget()
	case 0x90, 0xb0, 0xa0, 0xc0: // output, feature, collection, its end
		p.forget()
	}
	return nil
}

func (p *parser) forget() { p.usages, p.hasLow = nil, false }

// use notes a usage. One of four bytes names its page; the page of a shorter one is that which holds at the main item, so
// it is left open here.
func (p *parser) use(v uint32, n int) {
	if len(p.usages) == maxUsages {
		return
	}
	if n < 4 {
		v &= 0xffff
	}
	p.usages = append(p.usages, usage(v))
}

// input places the values of an input item behind those that the report has already.
func (p *parser) input(flags uint32) error {
	l := p.reports[p.now.id]
	if l == nil {
		l = &layout{id: p.now.id}
		p.reports[p.now.id] = l
		p.order = append(p.order, p.now.id)
	}
	size, count := p.now.size, p.now.count
	if size > maxReportBits || count > maxReportBits || size*count > maxReportBits-l.bits {
		return fmt.Errorf("%w: report %d is longer than any", errDescriptor, p.now.id)
	}
	at := l.bits
	l.bits += size * count
	const constant = 1
	if flags&constant != 0 || size == 0 {
		return nil
	}
	for i, u := range p.usages {
		if i >= count {
			break
		}
		f := field{at: at + i*size, size: size, count: 1}
		if i == len(p.usages)-1 { // the last usage holds for all values that are left
			f.count = count - i
		}
		if u>>16 == 0 {
			u = whole(p.now.page, uint32(u))
		}
		l.place(u, f)
	}
	return nil
}

// place keeps the first field of each usage that a scanner's report has, where its values have a size that it can have.
func (l *layout) place(u usage, f field) {
	first := func(to *field, ok bool) {
		if !to.there() && ok {
			*to = f
		}
	}
	switch u {
	case useData:
		first(&l.data, f.size == 8)
	case useByteCount:
		first(&l.length, f.size <= 32)
	case useMore:
		first(&l.more, f.size <= 32)
	case useAIM1:
		first(&l.aim[0], f.size == 8)
	case useAIM2:
		first(&l.aim[1], f.size == 8)
	case useAIM3:
		first(&l.aim[2], f.size == 8)
	}
}

// value reads one value of at most 32 bits, lowest bit first; the caller knows that the report has it.
func value(report []byte, f field, i int) uint32 {
	var v uint32
	for k := range f.size {
		bit := f.at + i*f.size + k
		v |= uint32(report[bit/8]>>(bit%8)&1) << k
	}
	return v
}
