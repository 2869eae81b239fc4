//go:build processes

package shop_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"tilld/internal/planted"
	"tilld/internal/shop/gate"
)

// root of the source tree, from this package.
const root = "../.."

// builtVar is where a test that was started by a test finds the programs built.
const builtVar = "TILLD_BUILT"

// folder of the built commands; TestMain removes it.
var folder = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv(builtVar); dir != "" {
		return dir, nil
	}
	return os.MkdirTemp("", "tilld-programs-")
})

// build builds every command once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	c := exec.Command("go", "build", "-o", dir+"/", "./cmd/...")
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the commands: %w\n%s", err, out)
	}
	return dir, nil
})

// buildFailing builds the programs that can be told where to die, once.
var buildFailing = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "failing")
	if os.Getenv(builtVar) != "" {
		return dir, nil
	}
	c := exec.Command("go", "build", "-tags", "failpoints", "-o", dir+"/", "./cmd/tilld", "./cmd/integrator")
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the programs that fail: %w\n%s", err, out)
	}
	return dir, nil
})

// buildStatic builds the programs as they are delivered, once.
var buildStatic = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "static")
	c := exec.Command("go", "build", "-o", dir+"/", "./cmd/tilld", "./cmd/integrator")
	c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build static programs: %w\n%s", err, out)
	}
	return dir, nil
})

// buildTraced has static programs that run under strace where TILLD_INJECT says what it is to do to them.
var buildTraced = sync.OnceValues(func() (string, error) {
	// -D makes the program itself the child of the shop: a signal to it reaches no tracer.
	return wrapped("traced", buildStatic, func(program string) string {
		return fmt.Sprintf("[ -n \"$TILLD_INJECT\" ] || exec %[1]s \"$@\"\n"+
			"exec strace -D -f -qq -o \"$TILLD_TRACE.$$\" -e \"trace=${TILLD_INJECT%%%%:*}\" -e \"inject=$TILLD_INJECT\" %[1]s \"$@\"\n", program)
	})
})

// wrapped makes a folder in which each program is a shell's script.
func wrapped(name string, build func() (string, error), script func(program string) string) (string, error) {
	real, err := build()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(real), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"tilld", "integrator"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script(filepath.Join(real, name))), 0o700); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// shops is how many shops are open at a time: nearly all of their time is waiting.
const shops = "12"

func TestMain(m *testing.M) {
	gate.Pass()
	flag.Parse()
	if err := flag.Set("test.parallel", shops); err != nil {
		panic(err)
	}
	code := m.Run()
	if dir, err := folder(); err == nil && os.Getenv(builtVar) == "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// programs is the folder of the built commands; where a bug is to be planted, of those that can have one.
func programs(t testing.TB) string {
	t.Helper()
	get := build
	if planted.Bug() != "" {
		get = buildFailing
	}
	dir, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// program is one built command.
func program(t testing.TB, name string) string { return filepath.Join(programs(t), name) }
