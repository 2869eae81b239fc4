package shop

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"time"

	"tilld/internal/qr"
)

//go:embed page
var pageFiles embed.FS

// page is the outside world of the demo on one address: the hand that scans, the eyes on the pole and the paper, the
// customer's phone, the bad days; and the web page that shows all of it beside the kiosk's screen and a till.
type page struct {
	shop   *Shop
	world  world
	hosts  []string // under which it may be called: no other page's name
	policy string
}

func newPage(s *Shop) *page {
	box := s.cfg.TilldListen
	return &page{
		shop: s, world: newWorld(s), hosts: names(s.cfg.Listen),
		policy: "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; " +
			"connect-src 'self' http://" + box + " ws://" + box + "; frame-src http://" + box + "; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

func (p *page) handler() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // a programmer's mistake: the folder is in the binary
	}
	m := http.NewServeMux()
	m.Handle("GET /", http.FileServerFS(files))
	m.HandleFunc("POST /scan", p.scan)
	m.HandleFunc("GET /pole", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprint(w, p.shop.pole.text())
	})
	m.HandleFunc("GET /paper.png", p.paper)
	m.HandleFunc("POST /qr", p.draw)
	m.Handle("POST /wallet/{call}", newWallet(p.shop.cfg.BankListen))
	m.HandleFunc("GET /world", p.look)
	m.HandleFunc("POST /world/{thing}", p.put)
	return p.guard(m)
}

// guard refuses a caller that came under another name or from another page: the demo takes no token. A person who came
// under another of its names is sent to the one that tilld knows as the page's origin.
func (p *page) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", p.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		ok := slices.Contains(p.hosts, r.Host)
		if o := r.Header.Get("Origin"); o != "" {
			ok = ok && o == "http://"+r.Host
		}
		if !ok {
			http.Error(w, "this address answers its own page alone", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodGet && r.URL.Path == "/" && r.Host != p.shop.cfg.Listen {
			http.Redirect(w, r, "http://"+p.shop.cfg.Listen+"/", http.StatusFound)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// read reads a small JSON body; how says what it should have been.
func read(w http.ResponseWriter, r *http.Request, into any, how string) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil || !errors.Is(d.Decode(&struct{}{}), io.EOF) {
		http.Error(w, "send "+how, http.StatusUnprocessableEntity)
		return false
	}
	return true
}

func (p *page) scan(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if !read(w, r, &in, `{"text":"…"}`) {
		return
	}
	switch err := p.shop.hand.scan(in.Text); {
	case errors.Is(err, errReading):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, "the scanner is dead: "+err.Error(), http.StatusConflict)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// draw makes a QR code of a text, as a wallet does of its pay code.
func (p *page) draw(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if !read(w, r, &in, `{"text":"…"}`) {
		return
	}
	s, err := qr.New(in.Text)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(s.SVG())
}

// look is the world as it is now, and where the page finds the shop.
func (p *page) look(w http.ResponseWriter, _ *http.Request) {
	c := p.shop.cfg
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"shop": map[string]any{
			"tilld": "http://" + c.TilldListen, "token": Token, "lane": Lane, "version": c.Version, "processes": c.Processes,
		},
		"world": p.world.state(),
		"paper": p.shop.paper.state(),
	})
}

// put makes a bad day, or ends it.
func (p *page) put(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State string `json:"state"`
		For   string `json:"for"`
	}
	if !read(w, r, &in, `{"state":"…"} and, if it is to end by itself, "for":"60s"`) {
		return
	}
	var d time.Duration
	if in.For != "" {
		var err error
		if d, err = time.ParseDuration(in.For); err != nil || d <= 0 {
			http.Error(w, errFor.Error(), http.StatusUnprocessableEntity)
			return
		}
	}
	switch err := p.world.put(r.PathValue("thing"), in.State, d); {
	case errors.Is(err, errNoThing):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, errState), errors.Is(err, errFor):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		p.look(w, r)
	}
}

// names are the Host values under which a loopback address may be called.
func names(listen string) []string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil
	}
	return []string{listen, "127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
}
