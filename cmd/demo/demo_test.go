package main

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/internal/stories"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"demo": main})
}

// TestStories runs each story of testdata with the real program.
func TestStories(t *testing.T) { stories.Run(t, stories.Commands{"shows": shows}) }

// shows waits until a file that another program writes matches.
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shows FILE PATTERN")
	}
	want := regexp.MustCompile(args[1])
	var b []byte
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // another process
		if b, _ = os.ReadFile(ts.MkAbs(args[0])); want.Match(b) {
			return
		}
	}
	ts.Fatalf("%s shows %q", args[0], b)
}
