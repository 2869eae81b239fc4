package daemon_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"tilld/devices/porttest"
	"tilld/internal/localapi/client"
)

// A real program opens the line that a scanner of ours has, as one does that heeds no lock. Health names it while it has the
// line, and no longer; so it does for one that was there before the line was opened.
func TestAProgramThatHasOurLineTooIsNamed(t *testing.T) {
	far, tty := porttest.Line(t)
	t.Cleanup(func() { far.Close() })
	b := newBox(t, freePort(t), "outputs: [till], scanner: {driver: line, port: {serial: "+tty.Name()+"}}", technician())
	stranger := hold(t, tty)
	_ = tty.Close()
	b.run()
	b.ready("scanner-1")
	named := func(pid int) func() error {
		return func() error {
			all, err := b.client("").Health(t.Context())
			var got []client.Trouble
			for _, x := range all {
				if x.Code == "shared" {
					got = append(got, x)
				}
			}
			switch {
			case err != nil:
				return err
			case pid == 0 && len(got) == 0:
				return nil
			case pid != 0 && len(got) == 1 && got[0].Subject == "scanner-1" && strings.Contains(got[0].Sentence, fmt.Sprintf("%s is open in cat (process %d)", tty.Name(), pid)) && strings.Contains(got[0].Remedy, "top that program"):
				t.Logf("%s %s", got[0].Sentence, got[0].Remedy)
				return nil
			}
			return fmt.Errorf("health says %+v, the stranger is %d", all, pid)
		}
	}
	b.until("one that was there first", named(stranger.Process.Pid))
	end(stranger)
	b.until("it has gone", named(0))
	again, err := os.OpenFile(tty.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("the line is locked even for root: %v", err)
	}
	late := hold(t, again)
	_ = again.Close()
	b.until("one that came later", named(late.Process.Pid))
	end(late)
	b.until("it has gone too", named(0))
}

// Nobody has the lines of a scanner and a printer open but us, and all works. ModemManager will write to the one all the same,
// and CUPS take the other: that is a note, until udev or the shop has told them to leave it.
func TestWhoWillDisturbADeviceThatWorksIsNamed(t *testing.T) {
	d := newDesk(t)
	b := d.box("outputs: [till], receipt_printer: front, scanner: {port: {bound: true}}", `printers: {front: {driver: escpos, port: {lp: "serial:J1"}}}`)
	d.plugPrinter("1", "J1")
	d.plug("2", gun(""), nil)
	d.tree.Put("sys/class/tty/ttyACM0/dev", "166:0\n")
	d.tree.Put("sys/fs/cgroup/system.slice/ModemManager.service/cgroup.procs", "55\n")
	d.tree.Put("etc/cups/printers.conf", "<Printer Bons>\nDeviceURI usb://EPSON/TM-T88V?serial=J1\n</Printer>\n")
	b.run()
	b.ready("scanner-1")
	b.ready("printer-front")
	noted := func(want ...string) func() error {
		return func() error {
			all, err := b.client("").Health(t.Context())
			if err != nil {
				return err
			}
			var got []string
			for _, x := range all {
				if x.Code == "shared" && x.Severity == "note" {
					got = append(got, x.Subject+": "+x.Sentence+" "+x.Remedy)
				}
			}
			slices.Sort(got)
			if len(got) != len(want) {
				return fmt.Errorf("noted %q", got)
			}
			for i, w := range want {
				for word := range strings.SplitSeq(w, " … ") {
					if !strings.Contains(got[i], word) {
						return fmt.Errorf("noted %q without %q", got[i], word)
					}
				}
			}
			t.Logf("%q", got)
			return nil
		}
	}
	const (
		cups    = "printer-front: The receipt printer of lane 1 works, and may be disturbed: EPSON TM-T88V … the CUPS queue Bons prints on it too … lpadmin -x Bons"
		manager = `scanner-1: The scanner of lane 1 works, and may be disturbed: Symbol Bar Code Scanner … ModemManager runs … leave /dev/ttyACM0 alone … Put ATTRS{idVendor}=="05e0", ATTRS{idProduct}=="1701", ENV{ID_MM_DEVICE_IGNORE}="1" into`
	)
	b.until("both are noted", noted(cups, manager))
	d.tree.Put("run/udev/data/c166:0", "E:ID_MM_DEVICE_IGNORE=1\n")
	b.until("udev has told ModemManager", noted(cups))
	d.tree.Remove("etc/cups/printers.conf")
	b.until("the queue is deleted", noted())
}

// hold starts a program that has f open, and reads nothing of it.
func hold(t *testing.T, f *os.File) *exec.Cmd {
	t.Helper()
	c := exec.Command("cat")
	c.ExtraFiles = []*os.File{f}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(c) })
	if _, err := fmt.Fprintln(in, "here"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it runs, under its own name
		t.Fatal(err)
	}
	return c
}

func end(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait()
}
