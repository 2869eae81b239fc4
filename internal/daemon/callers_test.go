package daemon

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/internal/localapi"
)

func TestPeersAreFoundByNameAndNumber(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(me.Uid)
	g, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	gid, _ := strconv.Atoi(g.Gid)
	for who, want := range map[string][2]int{
		me.Username: {uid, -1}, "4711": {4711, -1}, "group:" + g.Name: {-1, gid}, "group:4711": {-1, 4711},
	} {
		p, err := findPeer(who)
		if err != nil || p.UID != want[0] || p.GID != want[1] || p.Name != who {
			t.Errorf("%s: %+v, %v", who, p, err)
		}
	}
	for who, want := range map[string]string{
		"no-such-user-here": "no such user", "group:no-such-group-here": "no such group", "-5": "has no number", "group:-5": "has no number", "group:": "no such group", "": "no such user",
		"65534": "everybody whom it does not know", "group:65534": "everybody whom it does not know",
	} {
		if _, err := findPeer(who); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", who, err, want)
		}
	}
}

func TestUsersCountBeforeGroups(t *testing.T) {
	c := Defaults()
	c.Peers = map[string]Peer{"group:50": {Roles: []string{"till"}}, "1000": {Roles: []string{"technician"}, Lane: "1"}, "group:60": {Roles: []string{"till"}}, "7": {Roles: []string{"till"}}}
	_, peers, err := callers(c)
	if err != nil {
		t.Fatal(err)
	}
	groups := false
	for _, p := range peers {
		if p.UID >= 0 && groups {
			t.Fatalf("a user comes after a group: %+v", peers)
		}
		groups = groups || p.UID < 0
		if p.UID == 1000 && (p.Lane != "1" || !slices.Equal(p.Roles, []string{"technician"})) {
			t.Errorf("%+v", p)
		}
	}
	if len(peers) != 4 {
		t.Fatalf("%d peers", len(peers))
	}
}

// In the user namespace that PrivateUsers=yes makes, root and the service's own user and group have numbers; whoever else
// connects is nobody, and a role for him would never be given.
func TestPeersWhomTheKernelDoesNotNameAreRefused(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	private := file("private", "         0          0          1\n       998        998          1\n")
	shifted := file("shifted", "0 100000 65536\n")
	whole := file("whole", "         0          0 4294967295\n")
	for _, c := range []struct {
		who, users, groups string
		ok                 bool
	}{
		{"1001", whole, whole, true},
		{"group:1001", whole, whole, true},
		{"1001", private, private, false},
		{"group:1001", private, private, false},
		{"998", private, private, true},
		{"0", private, private, true},
		{"group:998", private, private, true},
		{"999", private, whole, false},
		{"group:999", whole, private, false},
		{"65000", shifted, shifted, true}, // a container's: its own numbers are what it is told
		{"100000", shifted, shifted, false},
		{"1001", filepath.Join(dir, "none"), filepath.Join(dir, "none"), true}, // a kernel without namespaces
	} {
		p, err := findPeer(c.who)
		if err != nil {
			t.Fatal(err)
		}
		if err = told([]localapi.Peer{p}, c.users, c.groups); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "PrivateUsers=no") {
			t.Errorf("%s by %s and %s: %v", c.who, filepath.Base(c.users), filepath.Base(c.groups), err)
		}
	}
	if err := told(nil, file("bad", "0 0\n"), whole); err == nil || !strings.Contains(err.Error(), `the line "0 0"`) {
		t.Errorf("a map that cannot be read: %v", err)
	}
}

func TestTokensComeFromTheFileOrItsFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c := Defaults()
	c.Tokens = []Token{{Name: "a", Token: "secret-a", Roles: []string{"till"}, Lane: "1"}, {Name: "b", File: write("b", "secret-b\n"), Roles: []string{"technician"}}}
	tokens, _, err := callers(c)
	if err != nil || len(tokens) != 2 || tokens[0].Name != "a" || tokens[0].Lane != "1" || tokens[1].Roles[0] != "technician" {
		t.Fatalf("%+v, %v", tokens, err)
	}
	for name, bad := range map[string]struct {
		t    Token
		want string
	}{
		"FileMissing":   {Token{Name: "c", File: filepath.Join(dir, "absent")}, `read the token of "c"`},
		"FileEmpty":     {Token{Name: "c", File: write("empty", " \n")}, `the token of "c" is empty`},
		"SameAsAnother": {Token{Name: "c", File: write("same", "secret-a\n")}, `the token of "c" is that of "a" too`},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			c.Tokens = append(slices.Clone(c.Tokens), bad.t)
			_, _, err := callers(c)
			if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "secret") {
				t.Fatal(err)
			}
		})
	}
}

func TestCheckLooksAtWhatTheFileNames(t *testing.T) {
	good := keyConfig(t)
	if _, err := PublicKey(good); err != nil {
		t.Fatal(err)
	}
	if err := Check(good); err != nil {
		t.Fatal(err)
	}
	noCertificate := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noCertificate, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"read this box's key (tilld key makes one)":      func(c *Config) { c.Link.Key += "x" },
		"read the integrator's certificate authority":    func(c *Config) { c.Link.CA = "/absent/ca.pem" },
		"holds no certificate":                           func(c *Config) { c.Link.CA = noCertificate },
		`peer "nobody-here" of the socket`:               func(c *Config) { c.Peers = map[string]Peer{"nobody-here": {}} },
		`read the token of "till": open /absent/t: no s`: func(c *Config) { c.Tokens = []Token{{Name: "till", File: "/absent/t"}} },
	} {
		c := good
		change(&c)
		if err := Check(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
