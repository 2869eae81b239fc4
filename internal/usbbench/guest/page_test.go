package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/devices.md anew")

// docs/devices.md has the commands and what they said as the last run kept them.
func TestTheCommandsOfThePage(t *testing.T) {
	const page, kept = "../../../docs/devices.md", "../../../docs/proof/usb-bench-commands.txt"
	said, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(string(said), "\n") // behind the machine and the commit
	for _, want := range []string{"devices", "ports", "bind", "bind 1 scanner", "bind 1 customer-display", "test printer-front", "test scanner-1", "test customer-display-1", "trace scanner-1", "trace printer-front"} {
		if !strings.Contains("\n"+commands, "\n$ tillctl "+want) {
			t.Errorf("%s has no tillctl %s", kept, want)
		}
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- commands -->\n", "<!-- /commands -->"
	head, rest, ok := strings.Cut(string(b), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part for the commands", page)
	}
	want := "```\n" + commands + "```\n"
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want {
		t.Errorf("%s has other commands than %s; go test ./internal/usbbench/guest -run CommandsOfThePage -update makes them anew", page, kept)
	}
	t.Logf("%d lines", strings.Count(commands, "\n"))
}
