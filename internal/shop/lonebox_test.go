//go:build processes

package shop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/devices/binding"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/internal/shop/gate"
)

// lone is a box without a shop, for what it does with its own files: nobody answers on its line, and of its one device
// bindings.yaml says which it is.
type lone struct {
	t    testing.TB
	dir  string // settings, and below it the state folder
	addr string
	api  *client.Client
	exe  string
	pass func() *gate.Gate // of each start of a program; nil: there is no gate
	told func(file string) // what somebody has been told is in file; nil: nobody minds
	said *logBook          // what programs say, besides; nil: nobody reads it
}

const loneFile = `version: 1
state: tilld
listen: %s
tokens:
  - {name: demo, token: %s, roles: [till, supervisor, technician], lane: "1"}
link: {url: "ws://127.0.0.1:9/v1/term", terminal: demo}
lanes:
  "1":
    {attended: true, language: en, outputs: [till], scanner: {port: {bound: true}}}
`

func newLone(t testing.TB, programs string) *lone {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lone{t: t, dir: dir, addr: freePorts(t, 1)[0], exe: filepath.Join(programs, "tilld")}
	if err := os.WriteFile(l.settings(), fmt.Appendf(nil, loneFile, l.addr, shop.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	if l.api, err = client.New("http://"+l.addr, shop.Token); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.api.Close)
	return l
}

func (l *lone) settings() string          { return filepath.Join(l.dir, "tilld.yaml") }
func (l *lone) state(name string) string  { return filepath.Join(l.dir, "tilld", name) }
func (l *lone) journal(end string) string { return l.state(filepath.Join("journal", "journal.db"+end)) }

// begun is one run of the program.
type begun struct {
	l    *lone
	cmd  *exec.Cmd
	log  *logBook
	gone chan error
}

// begin starts the program, behind a gate if there is one.
func (l *lone) begin(fail string, args ...string) *begun {
	l.t.Helper()
	exe, env := l.exe, append(os.Environ(), "TILLD_FAIL="+fail)
	args = append(args, "--config", l.settings())
	if l.pass != nil {
		self, err := os.Executable()
		if err != nil {
			l.t.Fatal(err)
		}
		exe, args, env = self, append([]string{l.exe}, args...), append(env, l.pass().Env())
	}
	b := &begun{l: l, log: &logBook{}, gone: make(chan error, 1)}
	b.cmd = exec.Command(exe, args...)
	b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = env, b.log, b.log
	if l.said != nil {
		b.cmd.Stderr = io.MultiWriter(b.log, l.said)
	}
	if err := b.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = b.cmd.Process.Kill() })
	go func() { b.gone <- b.cmd.Wait() }()
	return b
}

// end waits until the program has ended by itself, or by what was sent to it.
func (b *begun) end() error {
	b.l.t.Helper()
	select {
	case err := <-b.gone:
		return err
	case <-time.After(tryLimit + patience):
		b.l.t.Fatalf("%v did not end:\n%s", b.cmd.Args, b.log)
		return nil
	}
}

// stop ends it with a signal.
func (b *begun) stop(s syscall.Signal) {
	b.l.t.Helper()
	_ = b.cmd.Process.Signal(s)
	if err := b.end(); err != nil && s != syscall.SIGKILL {
		b.l.t.Errorf("after %v: %v\n%s", s, err, b.log)
	}
}

// run starts the box and answers when its journal does; no says that it has died before.
func (l *lone) run(fail string) (*begun, bool) {
	l.t.Helper()
	b := l.begin(fail, "run")
	for end := time.Now().Add(tryLimit + patience); ; time.Sleep(20 * time.Millisecond) { // a real program
		_, err := l.api.Events(l.t.Context(), 0, 0, 1)
		if err == nil {
			return b, true
		}
		select {
		case err := <-b.gone:
			b.gone <- err
			return b, false
		default:
		}
		if time.Now().After(end) {
			l.t.Fatalf("the box never answered: %v\n%s", err, b.log)
		}
	}
}

// sound starts the box as it is delivered to the world, hands it to look, and ends it.
func (l *lone) sound(look func()) {
	l.t.Helper()
	b, up := l.run("")
	if !up {
		l.t.Fatalf("the box does not start any more:\n%s", b.log)
	}
	look()
	b.stop(syscall.SIGTERM)
}

// asks says what the box wants a person to acknowledge, "" for nothing.
func (l *lone) asks() string {
	l.t.Helper()
	all, err := l.api.Health(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, x := range all {
		if x.Code == "acknowledge" {
			return x.Sentence
		}
	}
	return ""
}

// key has the box's key made, or read, and answers its public half.
func (l *lone) key() string {
	l.t.Helper()
	b := l.begin("", "key")
	if err := b.end(); err != nil {
		l.t.Fatalf("tilld key: %v\n%s", err, b.log)
	}
	return strings.TrimSpace(b.log.String())
}

// gun is a scanner that is bound and is not here.
func gun() binding.File {
	f := binding.File{Version: binding.Version}
	f.Bindings = []binding.Binding{{
		Lane: "1", Role: binding.Scanner, How: binding.Person, Since: "2026-11-01",
		Device: binding.Unit{Model: "05e0:1701", Serial: "S-1", Port: "0000:00:14.0/usb2/1", Name: "a gun"},
	}}
	return f
}

// unbind takes its device from the box's one role; the error is of a box that has died in it.
func (l *lone) unbind() error {
	l.t.Helper()
	x, err := l.api.Bind(l.t.Context(), "1", binding.Scanner, client.Wish{Do: "unbind"})
	var away *client.Unreachable
	switch {
	case errors.As(err, &away), errors.Is(err, context.Canceled):
		return err
	case err != nil:
		l.t.Fatalf("unbind: %v", err)
	case x.Unit != nil:
		l.t.Fatalf("unbound, and still %+v", x)
	}
	if l.told != nil {
		l.told("tilld/" + binding.Name)
	}
	return nil
}
