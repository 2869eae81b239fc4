package localapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"

	"tilld/internal/httpapi"
	"tilld/internal/ws"
	"tilld/payment/lane"
)

// Role says what a caller may do; the table of routes names the roles of each call.
type Role = string

// Roles.
const (
	Till       Role = "till"       // till software of one lane
	Supervisor Role = "supervisor" // a till with a person who may decide in doubt
	Technician Role = "technician" // looks at everything, sells nothing
	Kiosk      Role = "kiosk"      // the customer's page: loopback, same origin, its own lane
)

// Token is one caller with a bearer token. Its text is not kept, its SHA-256 is.
type Token struct {
	Name  string // for the log
	Lane  string // "" is every lane
	Roles []Role
	hash  [sha256.Size]byte
}

// NewToken makes the caller who knows secret.
func NewToken(name, secret, lane string, roles ...Role) Token {
	return Token{Name: name, Lane: lane, Roles: roles, hash: sha256.Sum256([]byte(secret))}
}

// Peer is one caller on the unix socket without a token: a process of this user, or of this group. -1 matches none; the
// first entry that matches counts.
type Peer struct {
	Name     string
	UID, GID int
	Lane     string // "" is every lane
	Roles    []Role
}

// caller is who asks, once known.
type caller struct {
	name  string
	lane  string // "" sees every lane
	roles []Role
}

// sees says whether things of a lane may be shown to the caller. What belongs to no lane is everybody's.
func (c caller) sees(lane string) bool { return c.lane == "" || lane == "" || c.lane == lane }

// has says whether the caller has one of these roles.
func (c caller) has(roles []Role) bool {
	return slices.ContainsFunc(c.roles, func(r Role) bool { return slices.Contains(roles, r) })
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

type callers struct {
	tokens []Token
	peers  []Peer
}

// Protocol is the WebSocket subprotocol of the event stream; bearerPrefix marks the token that a browser, which cannot
// set headers there, sends beside it. The server never repeats that one.
const (
	Protocol     = "tilld.v1"
	bearerPrefix = "bearer."
)

// find says who asks. A token counts before the socket's user, so that a process can lower itself to one lane.
func (c callers) find(r *http.Request) (caller, bool) {
	if all := r.Header.Values("Authorization"); len(all) > 0 {
		scheme, secret, ok := strings.Cut(all[0], " ")
		if len(all) > 1 || !ok || !strings.EqualFold(scheme, "bearer") {
			return caller{}, false
		}
		return c.token(secret)
	}
	if ws.IsUpgrade(r) {
		for _, p := range ws.Protocols(r) {
			if secret, ok := strings.CutPrefix(p, bearerPrefix); ok {
				return c.token(secret)
			}
		}
	}
	peer, ok := httpapi.PeerOf(r.Context())
	if !ok {
		return caller{}, false
	}
	for _, p := range c.peers {
		group := p.GID >= 0 && (uint32(p.GID) == peer.GID || slices.Contains(peer.Groups, uint32(p.GID)))
		if group || p.UID >= 0 && uint32(p.UID) == peer.UID {
			return caller{name: p.Name, lane: p.Lane, roles: p.Roles}, true
		}
	}
	return caller{}, false
}

// token compares with every token in constant time, whichever it is.
func (c callers) token(secret string) (caller, bool) {
	h := sha256.Sum256([]byte(secret))
	found := -1
	for i := range c.tokens {
		if subtle.ConstantTimeCompare(h[:], c.tokens[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return caller{}, false
	}
	t := c.tokens[found]
	return caller{name: t.Name, lane: t.Lane, roles: t.Roles}, true
}

// admit is asked before every call that is not open.
func (s *server) admit(r *http.Request, rt httpapi.Route) (context.Context, error) {
	c, ok := s.who.find(r)
	if !ok {
		return nil, httpapi.Refuse(httpapi.Unauthorized).Header("WWW-Authenticate", `Bearer realm="tilld"`)
	}
	may := func(role Role) bool {
		return slices.Contains(rt.Allow, role) && (role != Kiosk || atKiosk(r) && c.lane != "")
	}
	if !slices.ContainsFunc(c.roles, may) {
		return nil, httpapi.Refuse(httpapi.Forbidden)
	}
	return context.WithValue(r.Context(), callerKey{}, c), nil
}

// atKiosk: the customer's page runs on the box itself and was served by it. Its token lies in a page that every customer
// can touch, so it is worth nothing anywhere else.
func atKiosk(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		return false
	}
	if o := r.Header.Get("Origin"); o != "" && o != "http://"+r.Host {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin"
}

// laneFor is the lane of a new payment: the caller's own, or the one that is named.
func (s *server) laneFor(c caller, named string) (string, error) {
	if named == "" {
		named = c.lane
	}
	if named == "" && len(s.cfg.Lanes) == 1 {
		named = s.cfg.Lanes[0]
	}
	if named == "" {
		return "", httpapi.Refuse(httpapi.LaneNeeded).About("lane")
	}
	if !c.sees(named) || !slices.Contains(s.cfg.Lanes, named) {
		return "", httpapi.Refuse(lane.NoLane).About("lane")
	}
	return named, nil
}
