package bank

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// local says whether a request comes from this machine, and from no web page but one that this machine serves.
func local(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() || !loopbackName(r.Host) {
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		return err == nil && loopbackName(u.Host)
	}
	return true
}

// loopbackName guards against a name that some page has made to point at this machine.
func loopbackName(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// readLocal reads a JSON body of a request from this machine; no body at all is as good as {}.
func readLocal(w http.ResponseWriter, r *http.Request, into any) *refusal {
	if !local(r) {
		return no(http.StatusForbidden, "not_local", "this is for the machine itself")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		return errBody
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil || !errors.Is(d.Decode(&struct{}{}), io.EOF) {
		return errBody
	}
	return nil
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a wallet that has gone asks again
}

// badDay pauses the bank: {"for":"60s"}.
func (b *Bank) badDay(w http.ResponseWriter, r *http.Request) {
	in := struct {
		For string `json:"for"`
	}{"60s"}
	if n := readLocal(w, r, &in); n != nil {
		reply(w, n.Status, n)
		return
	}
	d, err := time.ParseDuration(in.For)
	if err != nil || d < 0 || d > time.Hour {
		reply(w, http.StatusUnprocessableEntity, no(0, "for", "a duration with its unit, at most 1h: 60s"))
		return
	}
	b.Pause(d)
	reply(w, http.StatusOK, map[string]string{"paused": d.String()})
}
