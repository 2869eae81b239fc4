//go:build processes

package shop_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// diskSize is what a small card gives the box: more than its limits ask for, which are the default ones.
const diskSize = 96 << 20

// smallDisks mount a file system of diskSize at dir.
var smallDisks = map[string]func(t *testing.T, dir string){
	"Memory": func(t *testing.T, dir string) { mounted(t, dir, "-t", "tmpfs", "-o", "size=96m", "tmpfs") },
	"Ext4": func(t *testing.T, dir string) {
		image := filepath.Join(t.TempDir(), "image")
		if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, diskSize)); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-F", "-m", "0", image).CombinedOutput(); err != nil {
			depth.Lacks(t, "mkfs.ext4: "+err.Error()+" "+string(out))
		}
		mounted(t, dir, "-o", "loop", image)
	},
}

func mounted(t *testing.T, dir string, what ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", append(what, dir)...).CombinedOutput(); err != nil {
		depth.Lacks(t, "mount: "+err.Error()+" "+string(out))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// TestFullDisk sells on a small disk, which then has no byte left: what runs ends out of the reserve, what is new is refused
// and told why, a start without any room says so and goes on by itself once there is some; nothing is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	onSmallDisks(t, shop.Tilld, (*disk).ofTheBox)
}

// onSmallDisks opens a shop in which what one program keeps is on a small disk, for each kind of disk.
func onSmallDisks(t *testing.T, part shop.Part, sell func(*disk)) {
	t.Helper()
	if os.Getuid() != 0 {
		depth.Lacks(t, "it needs root, to mount")
	}
	for kind, mount := range smallDisks {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			dir := filepath.Join(state, string(part))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			mount(t, dir)
			sell(&disk{rig: openShop(t, shop.Config{Processes: true, Programs: programs(t), State: state}), dir: dir})
		})
	}
}

// disk is a shop on a small disk.
type disk struct {
	*rig
	dir   string // where the disk is mounted
	goods int64
}

func (d *disk) ofTheBox() {
	d.whole("D-1")
	d.reserved(true)
	open := d.shown("D-2")
	d.fill()
	d.stands("disk_full", true)
	d.pay(open.QR.Payload, nil)
	d.handOver(open)
	d.printed(d.print("D-2").ID)
	d.reserved(false)
	d.refused("D-3", "disk_full")

	d.shop.Kill(shop.Tilld)
	if p := d.untilState(open.ID, settleLimit, "confirmed"); p.Paid.Value != p.Amount.Value {
		d.t.Errorf("after a kill on the full disk: %+v", p)
	}
	d.refused("D-4", "disk_full")

	d.shop.Stop(shop.Tilld, syscall.SIGKILL)
	d.fill() // what the reserve has left
	d.shop.Start(shop.Tilld)
	d.stands("journal", true)
	d.refused("D-5", "journal")
	if said := d.trouble("journal"); !strings.Contains(said, "has no room") || !strings.Contains(said, "free some space") {
		d.t.Errorf("told while there is no byte: %s", said)
	} else {
		d.t.Logf("told while there is no byte: %s", said)
	}

	if err := os.Remove(filepath.Join(d.dir, "filler")); err != nil {
		d.t.Fatal(err)
	}
	d.try("sell again", func() error { return mayShow(d.rig) })
	d.stands("disk_full", false)
	d.whole("D-6")
	d.reserved(true)
	for _, ref := range []string{"D-3", "D-4", "D-5"} {
		if same, err := d.api.List(d.t.Context(), client.Find{Reference: ref}); err != nil || len(same) != 0 {
			d.t.Errorf("%s was refused, and is there: %+v, %v", ref, same, err)
		}
	}
	if got := d.balanced(time.Minute).Sums["RUB"].Goods; got != d.goods {
		d.t.Errorf("the integrator kept %d for goods, the till handed over %d", got, d.goods)
	}
}

func (d *disk) shown(ref string) client.Payment {
	d.t.Helper()
	d.try("have a free lane", func() error { return mayShow(d.rig) })
	p := d.create(client.NewPayment{Reference: ref, Amount: rub(31_000), Mode: "show"})
	return d.until(p.ID, settleLimit, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
}

func (d *disk) handOver(p client.Payment) {
	d.t.Helper()
	d.untilState(p.ID, settleLimit, "paid")
	d.try("confirm", func() error { _, err := d.api.Confirm(d.t.Context(), p.ID, client.Confirmation{}); return err })
	d.goods += p.Amount.Value
}

func (d *disk) whole(ref string) {
	d.t.Helper()
	p := d.shown(ref)
	d.pay(p.QR.Payload, nil)
	d.handOver(p)
	d.printed(d.print(ref).ID)
}

// fill leaves no byte to anybody.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "filler"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for n := 1 << 20; n >= 512; {
		if _, err = f.Write(make([]byte, n)); err != nil {
			n /= 2
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		d.t.Fatalf("fill the disk: %v", err)
	}
	if err := f.Sync(); err != nil {
		d.t.Fatal(err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		d.t.Fatal(err)
	}
	d.t.Logf("the disk is full: %d KiB free", s.Bavail*uint64(s.Bsize)>>10)
}

// reserved waits until the reserve is there, or is spent.
func (d *disk) reserved(want bool) {
	d.t.Helper()
	for end := time.Now().Add(tryLimit + patience); ; time.Sleep(20 * time.Millisecond) { // a real program
		fi, err := os.Stat(filepath.Join(d.dir, "journal", "reserve"))
		if there := err == nil && fi.Size() > 0; there == want {
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("the reserve is there is not %v: %v", want, err)
		}
	}
}

// refused asks for a payment that the box must not take.
func (d *disk) refused(ref, why string) {
	d.t.Helper()
	var last error
	for end := time.Now().Add(tryLimit + patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // while it starts
		var p *client.Problem
		_, _, last = d.api.Create(d.t.Context(), client.NewPayment{Reference: ref, Amount: rub(100), Mode: "show", Purpose: "sale"})
		if errors.As(last, &p) && p.Why == why {
			if p.Title == "" || p.Do == "" {
				d.t.Errorf("a refusal that does not say what to do: %+v", p)
			}
			return
		}
		if last == nil {
			d.t.Fatalf("%s was taken", ref)
		}
	}
	d.t.Fatalf("%s was not refused as %s: %v", ref, why, last)
}

// trouble is what the box says of one, and what to do about it.
func (d *disk) trouble(code string) string {
	d.t.Helper()
	var all []client.Trouble
	d.try("read the troubles", func() (err error) { all, err = d.api.Health(d.t.Context()); return err })
	for _, x := range all {
		if x.Code == code {
			return x.Sentence + " " + x.Remedy
		}
	}
	return ""
}
