package daemon

import (
	"net/url"
	"strconv"
	"strings"
)

// isOrigin: a page's origin, http or https and the host, nothing after it.
func isOrigin(o string) bool {
	u, err := url.Parse(o)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Port() != "" && !isPort(u.Port()) {
		return false
	}
	return strings.EqualFold(o, u.Scheme+"://"+u.Host) && !strings.ContainsAny(o, " ;,'*")
}

// asBrowsersSay is an origin as browsers write it, which is how it is compared: small letters, and no port that goes without
// saying (WHATWG URL, host and port; RFC 6454, 6.2). What is no origin stays as it is.
func asBrowsersSay(o string) string {
	if !isOrigin(o) {
		return o
	}
	u, _ := url.Parse(strings.ToLower(o)) // isOrigin has parsed it
	usual := map[string]int{"http": 80, "https": 443}[u.Scheme]
	host := strings.TrimSuffix(u.Host, ":"+u.Port())
	if n, err := strconv.Atoi(u.Port()); err == nil && n != usual {
		host += ":" + strconv.Itoa(n)
	}
	return u.Scheme + "://" + host
}

// browsers writes the settings' origins as browsers do.
func (c *Config) browsers() {
	for i, o := range c.Origins {
		c.Origins[i] = asBrowsersSay(o)
	}
	for _, l := range c.Lanes {
		if l.Kiosk != nil {
			l.Kiosk.Frame = asBrowsersSay(l.Kiosk.Frame)
		}
	}
}

// unsaid is why no browser ever says an origin or a host, "" where one may.
func unsaid(o string) string {
	if strings.IndexFunc(o, func(r rune) bool { return r > '~' }) >= 0 {
		return "browsers write a name with other than Latin letters as xn--…: name it so"
	}
	return ""
}
