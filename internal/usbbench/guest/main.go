// Command guest is the first and only program of the bench's machine: it plugs USB devices into a real kernel, uses them
// through the packages that a till uses, and says what was lost. It is started by scripts/usb-bench and nowhere else.
package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "hold" {
		hold(os.Args[2])
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "this is the first program of a machine made for it: run scripts/usb-bench")
		os.Exit(2)
	}
	if err := boot(); err != nil {
		fmt.Println("LOST boot:", err)
		end()
		return
	}
	fmt.Println("usb-bench: begun")
	if setting("hello", "") != "" { // does this machine run at all?
		end()
		return
	}
	b := newBench()
	b.all()
	b.summary()
	end()
}

// hold opens a node, says so and keeps it: a stranger for the arbiter to find.
func hold(path string) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
	_ = f.Close()
}

func end() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}
