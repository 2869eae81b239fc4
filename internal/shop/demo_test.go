//go:build processes

package shop_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
)

// demo is the command, run as a user would run it.
type demo struct {
	t     *testing.T
	state string
	ports []string // page, tilld, integrator, bank
	cmd   *exec.Cmd
	out   *logBook
	errs  *logBook
	ended chan error
	over  bool // ended has been read
}

// startDemo starts it and checks what it says on stdout.
func startDemo(t *testing.T, more ...string) *demo {
	t.Helper()
	d := &demo{t: t, state: t.TempDir(), ports: freePorts(t, 4), out: &logBook{}, errs: &logBook{}, ended: make(chan error, 1)}
	d.cmd = exec.Command(program(t, "demo"), append([]string{
		"--state", d.state, "--listen", d.ports[0], "--tilld-listen", d.ports[1], "--integrator-listen", d.ports[2],
		"--bank-listen", d.ports[3], "--log", "info",
	}, more...)...)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.errs
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		if !d.over {
			_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
			<-d.ended
		}
		if t.Failed() {
			t.Logf("the end of the demo's log:\n%s", d.errs.tail(12_000))
		}
	})
	for !strings.HasPrefix(d.out.String(), "ready ") || !strings.HasSuffix(d.out.String(), "\n") {
		if time.Since(began) > openLimit {
			t.Fatalf("not ready within %v; stdout: %q", openLimit, d.out.String())
		}
		select {
		case err := <-d.ended:
			d.over = true
			t.Fatalf("the demo ended: %v\n%s", err, d.errs.tail(4000))
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Logf("ready after %v", time.Since(began).Round(time.Millisecond))
	return d
}

// stop ends it as a service manager would, and checks how it ends.
func (d *demo) stop() {
	d.t.Helper()
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	select {
	case err := <-d.ended:
		d.over = true
		if err != nil {
			d.t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(closeLimit):
		d.t.Errorf("still there %v after SIGTERM", closeLimit)
		return
	}
	d.t.Logf("ended %v after SIGTERM", time.Since(began).Round(time.Millisecond))
	if lines := strings.Count(d.out.String(), "\n"); lines != 1 || !strings.HasPrefix(d.out.String(), "ready ") {
		d.t.Errorf("stdout has %d lines: %q", lines, d.out.String())
	}
	if err := syscall.Kill(-d.cmd.Process.Pid, 0); err == nil {
		d.t.Error("a child outlived the demo")
	}
	if m := regexp.MustCompile(`(?m)^.*level=ERROR.*$`).FindString(d.errs.String()); m != "" {
		d.t.Errorf("something for a person was logged: %s", m)
	}
}

// bash runs a script and gives what it printed; the limit is its end.
func (d *demo) bash(limit time.Duration, env []string, args ...string) (string, error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), limit)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", args...)
	c.Dir = root
	c.Env = append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestReadme runs what README tells the reader to type.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)<!-- quickstart -->\n```sh\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) < 3 {
		t.Fatalf("only %d blocks of the quick start in README.md", len(blocks))
	}
	script := "set -euo pipefail\n"
	for _, b := range blocks {
		script += string(b[1])
	}
	d := startDemo(t)
	mine := strings.NewReplacer(
		"127.0.0.1:7370", d.ports[0], "127.0.0.1:7373", d.ports[1], "127.0.0.1:7474", d.ports[2], "127.0.0.1:7475", d.ports[3],
		"/tmp/", t.TempDir()+"/",
	)
	out, err := d.bash(time.Minute, nil, "-c", mine.Replace(script))
	if err != nil {
		t.Fatalf("README's commands: %v\n%s", err, out)
	}
	if !strings.Contains(out, "PAID") {
		t.Errorf("the pole never said PAID:\n%s", out)
	}
	api, err := client.New("http://"+d.ports[1], "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	found, err := api.List(t.Context(), client.Find{Reference: "R-1"})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d payments, %v", len(found), err)
	}
	p := found[0]
	for end := time.Now().Add(tryLimit); p.Returned.Value != 5000 && time.Now().Before(end); {
		if p, err = api.Wait(t.Context(), p.ID, p.Version, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if p.Stamps["paid"].IsZero() || p.State != "part_returned" || p.Returned.Value != 5000 || !p.Lights.HandOver {
		t.Errorf("at the end: %+v", p)
	}
	d.stop()
}

// TestReadmeTool runs the tool as README shows it. Nobody pays, so the code ends and the exit says that other money is safe.
func TestReadmeTool(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)<!-- tillctl -->\n```sh\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("README.md does not show the tool")
	}
	d := startDemo(t)
	number := ""
	for _, c := range []struct {
		command, more string
		exit          int
		says          string
	}{
		{"status", "", 0, "nothing is wrong"},
		{"pay 125.50", " --expires-in 2s --json", 1, `"state":"expired"`},
		{"why", "", 0, "asked"},
	} {
		line := regexp.MustCompile(`(?m)^bin/tillctl ` + regexp.QuoteMeta(c.command) + `.*$`).FindString(string(block[1]))
		if line == "" {
			t.Fatalf("README.md does not show tillctl %s", c.command)
		}
		line = strings.NewReplacer("bin/tillctl", program(t, "tillctl"), "1001", number).Replace(line) + c.more
		setup := regexp.MustCompile(`(?m)^export .*$`).FindString(string(block[1]))
		out, err := d.bash(time.Minute, []string{"TILLCTL_ADDR=http://" + d.ports[1]}, "-c", setup+"\n"+line)
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != c.exit || !strings.Contains(out, c.says) {
			t.Errorf("tillctl %s: exit %d, want %d with %q:\n%s", c.command, code, c.exit, c.says, out)
		}
		if m := regexp.MustCompile(`"number":"(\d+)"`).FindStringSubmatch(out); m != nil {
			number = m[1]
		}
	}
	d.stop()
}
