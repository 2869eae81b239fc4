package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// trouble is why the line is down, for people: what is wrong, and what to do about it.
type trouble struct {
	text   string // one sentence without a full stop
	remedy string
	person bool // it will not mend by itself
}

// Remedies that several troubles share.
const (
	byItself = "Nothing to do: it is tried again by itself."
	network  = "Look at this box's network: cable, router, name server. It is tried again by itself."
	identity = "Compare the terminal's name and key with the integrator's: tilld key prints this box's."
	update   = "Install a newer " + wire.Program + " on this box. Its API answers meanwhile, and the line is tried again every minute or two."
)

// noFrame is the code of a connection that ended without a close frame (RFC 6455 section 7.1.5).
const noFrame = 1006

// why puts into words how a connection ended, or was not made. Nothing of it is Go's but what nobody has seen yet.
func why(err error) trouble {
	var ce *ws.CloseError
	var he *ws.HandshakeError
	var cert *tls.CertificateVerificationError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	var name *net.DNSError
	var wait net.Error
	var b *broken
	var old *outdated
	switch {
	case err == nil:
		return trouble{text: "the connection has ended", remedy: byItself}
	case errors.Is(err, context.Canceled):
		return trouble{text: "this box is stopping", remedy: byItself}
	case errors.As(err, &old):
		return trouble{"this box has " + old.app + ", and the integrator serves none below " + old.least, update, true}
	case errors.As(err, &ce) && !ce.Local && ce.Code != noFrame:
		return closed(ce.Code)
	case errors.As(err, &he):
		return refused(he.Status)
	case errors.As(err, &b):
		return trouble{text: b.Error(), remedy: "Compare the versions of the integrator and of this box. It is tried again by itself."}
	case errors.As(err, &cert), errors.As(err, &host):
		return trouble{"the integrator's certificate is not trusted", "Check the integrator's URL, the CA and this box's clock.", true}
	case errors.As(err, &record):
		return trouble{text: "what answers there does not speak TLS", remedy: "Check the integrator's URL and whatever stands between: a proxy, a login page of the network."}
	case errors.As(err, &name):
		return trouble{text: "the name " + name.Name + " is not known to the name server", remedy: network + " If it stays so, check the integrator's URL."}
	case errors.Is(err, syscall.ECONNREFUSED):
		return trouble{text: "nothing answers at the integrator's address", remedy: "See whether the integrator runs, and whether its URL is right. It is tried again by itself."}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EADDRNOTAVAIL):
		return trouble{text: "there is no way to the integrator's address", remedy: network}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ws.ErrSilent), errors.As(err, &wait) && wait.Timeout():
		return trouble{text: "the integrator did not answer in time", remedy: network}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, ws.ErrClosed), errors.As(err, &ce):
		return trouble{text: "the connection to the integrator was cut", remedy: network}
	}
	return trouble{text: "the line to the integrator failed: " + strings.ReplaceAll(err.Error(), "\n", " "), remedy: network}
}

// refused is an answer to the upgrade that is none.
func refused(status int) trouble {
	switch status {
	case 426:
		return trouble{"the integrator does not speak " + wire.Protocol, update, true}
	case 401, 403, 404, 405:
		return trouble{fmt.Sprintf("the integrator refuses this box (HTTP %d)", status), "Check the integrator's URL and who may connect there.", true}
	case 503:
		return trouble{text: "the integrator is busy and asked to come again later", remedy: byItself}
	}
	return trouble{text: fmt.Sprintf("the integrator answered HTTP %d", status), remedy: "See whether the integrator runs, and what stands before it. It is tried again by itself."}
}

// closed is a close frame of the integrator's.
func closed(code int) trouble {
	switch code {
	case wire.CloseRestart:
		return trouble{text: "the integrator restarts", remedy: byItself}
	case wire.CloseBadFrame:
		return trouble{text: "the integrator refused a frame of ours", remedy: "Compare the versions of the integrator and of this box. It is tried again by itself."}
	case wire.CloseAuth:
		return trouble{"the integrator does not know this terminal by its name and key", identity + " Add it there.", true}
	case wire.CloseBlocked:
		return trouble{"the integrator has blocked this terminal", "Ask whoever runs the integrator: integrator terminal unblock lets it in again.", true}
	case wire.CloseSuperseded:
		return trouble{text: "another connection of this terminal took over", remedy: byItself}
	case wire.CloseClone:
		return trouble{"another box uses this terminal's identity", "Pair one of them anew, then restart this box, which was taken over.", true}
	case wire.CloseVersion:
		return trouble{"this box's version is too old for the integrator", update, true}
	case wire.CloseBehind:
		return trouble{text: "this box, or the line to it, was too slow and was asked to come again", remedy: byItself}
	case wire.CloseOverload:
		return trouble{text: "the integrator could not serve this box and asked it to come again", remedy: byItself}
	}
	return trouble{text: fmt.Sprintf("the integrator closed the connection (%d)", code), remedy: byItself}
}
