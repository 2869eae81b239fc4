// Command tillctl is for the technician and the till programmer: it asks the box's API and says in words what it heard.
// It parses flags, prints and ends with an exit code; it decides nothing about money but what the lights say.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

var version = "unknown" // set by the linker

// Exit codes. A batch file lives by those of pay.
const (
	exitPaid     = 0 // or: done
	exitNotPaid  = 1 // and other money is safe; or: refused
	exitNotKnown = 2
	exitUsage    = 3
)

// Where the box is found without flags.
const (
	defaultSocket = "/run/tilld/tilld.sock"
	defaultAddr   = "http://127.0.0.1:7373"
)

// exit is an error that has been told already and ends the program with its code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program; tests call it in their own process.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	root := command(out, errs)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	var refused *client.Problem
	var away *client.Unreachable
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &refused):
		tell(errs, err)
		return exitNotPaid
	case errors.As(err, &away), errors.Is(err, context.Canceled):
		tell(errs, err)
		return exitNotKnown
	}
	fmt.Fprintln(errs, "error:", err)
	return exitUsage
}

// tell says what went wrong and what to do about it.
func tell(errs io.Writer, err error) {
	fmt.Fprintln(errs, "error:", err)
	var p *client.Problem
	var away *client.Unreachable
	switch {
	case errors.As(err, &p) && p.Code == "unauthorized":
		fmt.Fprintln(errs, "hint: put a token of this box into TILLCTL_TOKEN, or name its file with --token-file; on the box's own socket (--addr unix:"+defaultSocket+") none is needed if the box knows you.")
	case errors.As(err, &p) && p.Do != "":
		fmt.Fprintln(errs, "hint:", p.Do)
	case errors.As(err, &away):
		fmt.Fprintln(errs, "hint: does tilld run (systemctl status tilld)? Is this its address (--addr)?")
	}
}

// setup is what every command shares.
type setup struct {
	addr, tokenFile string
	json            bool
	out, errs       io.Writer
	made            *machine // in tests: what is seen as root
}

// box is the address of the box.
func (s *setup) box() string {
	if s.addr != "" {
		return s.addr
	}
	if addr := os.Getenv("TILLCTL_ADDR"); addr != "" {
		return addr
	}
	if _, err := os.Stat(defaultSocket); err == nil {
		return "unix:" + defaultSocket
	}
	return defaultAddr
}

// client makes the API's client. The token never stands on the command line, where every user of the machine reads it.
func (s *setup) client() (*client.Client, error) {
	token := os.Getenv("TILLCTL_TOKEN")
	if s.tokenFile != "" {
		b, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	return client.New(s.box(), token)
}

func command(out, errs io.Writer) *cobra.Command {
	s := &setup{out: out, errs: errs}
	root := &cobra.Command{
		Use: "tillctl", Short: "Ask the checkout box, in words", Version: version,
		Long:         "tillctl asks the box's API. The token is read from the environment (TILLCTL_TOKEN) or a file; on the box's own socket none is needed if the box knows you.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetOut(out)
	root.SetErr(errs)
	f := root.PersistentFlags()
	f.StringVar(&s.addr, "addr", "", "`ADDRESS` of the box: http://HOST:PORT or unix:PATH (default: its socket, else "+defaultAddr+")")
	f.StringVar(&s.tokenFile, "token-file", "", "`FILE` with the token")
	f.BoolVar(&s.json, "json", false, "answer in JSON, for programs")
	root.AddCommand(s.status(), s.pay(), s.watch(), s.why(), s.acknowledge(), s.print(), s.drawer(), s.totals(), s.devices(), s.ports(), s.bind(), s.test(), s.trace(), s.printerEmulator())
	return root
}
