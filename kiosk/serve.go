package kiosk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"tilld/internal/words"
)

//go:embed page
var pageFiles embed.FS

type asset struct {
	kind string // Content-Type
	body []byte
	etag string
}

// kinds of what the page is made of; a file of another kind is a programmer's mistake.
var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".html": "text/html; charset=utf-8",
}

// Pattern is where the page is to be mounted, for http.ServeMux. Host and Origin are checked before it by the caller;
// that the caller is this machine and that a feed's page is its own, here.
func (k *Kiosk) Pattern() string { return "/kiosk/" + k.cfg.Lane + "/" }

// load makes the page once; it never changes while the daemon runs.
func (k *Kiosk) load() error {
	k.assets = map[string]asset{}
	entries, err := pageFiles.ReadDir("page")
	if err != nil {
		return fmt.Errorf("kiosk: read page: %w", err)
	}
	var names []string
	for _, e := range entries {
		b, err := pageFiles.ReadFile("page/" + e.Name())
		if err != nil {
			return fmt.Errorf("kiosk: read page: %w", err)
		}
		if e.Name() == "index.html" {
			continue
		}
		k.assets[e.Name()] = newAsset(kinds[path.Ext(e.Name())], b)
		names = append(names, e.Name())
	}
	if d := k.cfg.Slide; len(d.Data) > 0 {
		k.assets["slide"] = newAsset(d.Type, d.Data)
		names = append(names, "slide")
	}
	return k.write(names)
}

func newAsset(kind string, b []byte) asset {
	sum := sha256.Sum256(b)
	return asset{kind, b, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// write makes index.html: the shop's name, which is all that a page may show before its first frame, and what the script
// needs to know to stand alone.
func (k *Kiosk) write(names []string) error {
	t, err := template.ParseFS(pageFiles, "page/index.html")
	if err != nil {
		return fmt.Errorf("kiosk: read page: %w", err)
	}
	boot, err := json.Marshal(k.bootOf(names))
	if err != nil {
		return fmt.Errorf("kiosk: write page: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct{ Language, Shop, Boot, Form string }{words.For(k.cfg.Language).Tag, k.cfg.Shop, string(boot), k.cfg.Form})
	if err != nil {
		return fmt.Errorf("kiosk: write page: %w", err)
	}
	k.index = b.Bytes()
	return nil
}

// ServeHTTP is the page, what it is made of, and its feed.
func (k *Kiosk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Del("Access-Control-Allow-Origin") // the API's pages may call the API; nobody reads this one
	h.Set("Content-Security-Policy", k.policy(r.Host))
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if len(k.cfg.Frames) == 0 {
		h.Set("X-Frame-Options", "DENY")
	}
	name, ok := strings.CutPrefix(r.URL.Path, k.Pattern())
	switch {
	case !onThisMachine(r):
		http.Error(w, "this page is for the screen of the box itself", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case !ok && r.URL.Path+"/" == k.Pattern():
		http.Redirect(w, r, (&url.URL{Path: k.Pattern()}).EscapedPath(), http.StatusPermanentRedirect)
	case name == "feed":
		k.feed(w, r)
	case name == "":
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", kinds[".html"])
		_, _ = w.Write(k.index)
	default:
		k.file(w, r, name)
	}
}

// file is one part of the page. Parts are for the page itself: another site may not even load them.
func (k *Kiosk) file(w http.ResponseWriter, r *http.Request, name string) {
	a, ok := k.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		http.Error(w, "this is part of a page of its own", http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.etag)
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.kind)
	_, _ = w.Write(a.body)
}

// policy: nothing but our own files, no inline script or style, nobody else's frame.
func (k *Kiosk) policy(host string) string {
	frames := "'none'"
	if len(k.cfg.Frames) > 0 {
		frames = "'self' " + strings.Join(k.cfg.Frames, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; worker-src 'self'; " +
		"connect-src 'self' ws://" + host + "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; " +
		"trusted-types kiosk; frame-ancestors " + frames
}

// onThisMachine: the page is for the box's own screen, whatever address the API listens on.
func onThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin: a feed is opened by a page that was served under the same name. Browsers always send Origin with a
// WebSocket; whoever sends none is no page.
func sameOrigin(r *http.Request) bool {
	o := r.Header.Values("Origin")
	if len(o) != 1 || o[0] != "http://"+r.Host {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin"
}
