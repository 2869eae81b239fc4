package shop

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

//go:embed page.html
var pageHTML []byte

// page is the outside world of the demo on one address: the hand that scans, the eyes on the pole and the paper.
type page struct {
	pole    *pole
	hand    *hand
	printer *printer
	hosts   []string // under which it may be called: no other page's name
}

func (p *page) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(pageHTML)
	})
	m.HandleFunc("POST /scan", p.scan)
	m.HandleFunc("GET /pole", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprint(w, p.pole.text())
	})
	m.HandleFunc("GET /paper.png", p.paper)
	return p.guard(m)
}

// guard refuses a caller that came under another name or from another page: the demo takes no token.
func (p *page) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		ok := false
		for _, h := range p.hosts {
			ok = ok || r.Host == h
		}
		if o := r.Header.Get("Origin"); o != "" {
			ok = ok && o == "http://"+r.Host
		}
		if !ok {
			http.Error(w, "this address answers its own page alone", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *page) scan(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		http.Error(w, `send {"text":"…"}`, http.StatusUnprocessableEntity)
		return
	}
	if err := p.hand.scan(in.Text); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// paper is the newest piece of paper of the receipt printer.
func (p *page) paper(w http.ResponseWriter, _ *http.Request) {
	b, err := p.printer.picture()
	if err != nil {
		http.Error(w, "draw the paper", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b)
}

// names are the Host values under which a loopback address may be called.
func names(listen string) []string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil
	}
	return []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
}
