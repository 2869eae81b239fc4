package daemon

import (
	"fmt"
	"net"
	"net/http"
	"slices"

	"tilld/devices/models"
	"tilld/internal/conffile"
	"tilld/internal/httpapi"
	"tilld/internal/localapi"
)

// api is the local API on its owners.
func (d *Daemon) api(listeners []net.Listener, owners localapi.Owners) http.Handler {
	var lanes []string
	for name := range d.cfg.Lanes {
		lanes = append(lanes, name)
	}
	slices.Sort(lanes)
	own := httpapi.LoopbackHosts(listeners[0].Addr())
	tokens, peers, _ := callers(d.cfg) // Check has seen them
	return localapi.New(localapi.Config{
		Lanes: lanes, Hosts: conffile.HostValues(append(slices.Clone(own), d.cfg.Hosts...)), Origins: append(httpapi.OwnOrigins(own), d.cfg.Origins...),
		Tokens: tokens, Peers: peers, MinLife: d.cfg.Times.CodeLifeMin.D(), MaxLife: d.cfg.Times.MaxOpen.D(), ExtendBy: d.cfg.codeLife(),
		Log: d.log, Pages: d.mounted(),
	}, owners)
}

// callers are who may call, from the configuration.
func callers(c Config) (tokens []localapi.Token, peers []localapi.Peer, err error) {
	whose := map[string]string{} // of each token
	for _, t := range c.Tokens {
		secret := t.Token
		if t.File != "" {
			b, err := conffile.Secret(t.File)
			if err != nil {
				return nil, nil, fmt.Errorf("read the token of %q: %w", t.Name, err)
			}
			secret = string(b)
		}
		if secret == "" {
			return nil, nil, fmt.Errorf("the token of %q is empty", t.Name)
		}
		if other, twice := whose[secret]; twice {
			return nil, nil, fmt.Errorf("the token of %q is that of %q too: nobody could tell them apart", t.Name, other)
		}
		whose[secret] = t.Name
		tokens = append(tokens, localapi.NewToken(t.Name, secret, t.Lane, t.Roles...))
	}
	for who, p := range c.Peers {
		peer, err := findPeer(who)
		if err != nil {
			return nil, nil, err
		}
		peer.Roles, peer.Lane = p.Roles, p.Lane
		peers = append(peers, peer)
	}
	slices.SortFunc(peers, func(a, b localapi.Peer) int { return b.UID - a.UID }) // users count before groups
	return tokens, peers, nil
}

// Check looks at everything that a configuration names and that can be looked at without a device or the integrator.
func Check(c Config) error {
	_, err := check(c)
	return err
}

// check gives the catalog that it has read, which is much.
func check(c Config) (models.Catalog, error) {
	_, peers, err := callers(c)
	if err != nil {
		return models.Catalog{}, err
	}
	if err := told(peers, usersHere, groupsHere); err != nil {
		return models.Catalog{}, err
	}
	if _, err := tlsRoots(c.Link.CA); err != nil {
		return models.Catalog{}, err
	}
	if _, err := loadKey(c.Link.Key); err != nil {
		return models.Catalog{}, err
	}
	catalog, err := loadModels(c.Products)
	if err != nil {
		return catalog, err
	}
	return catalog, checkPages(c)
}
