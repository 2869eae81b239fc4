package link_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"tilld/internal/link"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

// A technician reads why there is no line: a sentence, what to do, and nothing of Go's.
func TestTroublesAreSentencesWithARemedy(t *testing.T) {
	call := func(err error) error {
		return fmt.Errorf("dial till.example:443: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: err})
	}
	sys := func(e syscall.Errno) error { return call(os.NewSyscallError("connect", e)) }
	for _, x := range []struct {
		err    error
		text   string // in the sentence
		person bool
	}{
		{sys(syscall.ECONNREFUSED), "nothing answers", false},
		{sys(syscall.EHOSTUNREACH), "no way", false},
		{sys(syscall.ENETUNREACH), "no way", false},
		{sys(syscall.ECONNRESET), "was cut", false},
		{call(&net.DNSError{Err: "no such host", Name: "till.example", Server: "192.0.2.53:53", IsNotFound: true}), "till.example is not known", false},
		{call(os.ErrDeadlineExceeded), "in time", false},
		{call(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "TLS", false},
		{call(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "certificate", true},
		{call(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "till.example"}), "certificate", true},
		{call(&ws.HandshakeError{Status: 426}), "does not speak", true},
		{call(&ws.HandshakeError{Status: 404}), "refuses this box", true},
		{call(&ws.HandshakeError{Status: 502}), "HTTP 502", false},
		{&ws.CloseError{Code: wire.CloseAuth}, "does not know this terminal", true},
		{&ws.CloseError{Code: wire.CloseClone}, "another box", true},
		{&ws.CloseError{Code: 1011}, "closed the connection", false},
		{&ws.CloseError{Code: 1006}, "was cut", false},
		{&ws.CloseError{Code: 4400, Local: true}, "was cut", false},
		{ws.ErrSilent, "in time", false},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "was cut", false},
		{ws.ErrClosed, "was cut", false},
		{errors.New("something\nelse"), "failed: something else", false},
		{nil, "has ended", false},
	} {
		text, remedy, person := link.Sentence(x.err)
		t.Logf("%v\n\t%s. %s", x.err, text, remedy)
		if !strings.Contains(text, x.text) || person != x.person {
			t.Errorf("%v: %q, %v", x.err, text, person)
		}
		if strings.HasSuffix(text, ".") || !strings.HasSuffix(remedy, ".") || strings.Contains(text, "dial") || strings.Contains(text, "192.0.2") {
			t.Errorf("not for people: %q %q", text, remedy)
		}
	}
}
