package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"tilld/internal/conffile"
	"tilld/internal/stage"
	"tilld/internal/touches"
	"tilld/kiosk"
)

// laneInAddress is a lane whose page has an address that every browser writes alike.
var laneInAddress = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// sides are where a scanner may be, seen from the page.
func sides() []string { return []string{"left", "right", "up", "down"} }

// maxSlide is the largest picture for while nothing happens; a page holds it in its own cache.
const maxSlide = 4 << 20

// slideTypes are the pictures that a page can show, by the end of the file's name.
func slideTypes() map[string]string {
	return map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml"}
}

// newPages makes the page of every lane that has one.
func (d *Daemon) newPages() (map[string]*kiosk.Kiosk, error) {
	out := map[string]*kiosk.Kiosk{}
	for name, l := range d.cfg.Lanes {
		if l.Kiosk == nil {
			continue
		}
		c, err := pageConfig(name, l)
		if err != nil {
			return nil, err
		}
		c.Log, c.Desk = d.log, desk{d}
		c.Use = func(ready bool) { // not before Serve
			d.page(name, ready)
			d.stage.UseAs(name, stage.Kiosk, out[name], ready)
		}
		if out[name], err = kiosk.New(c); err != nil {
			return nil, fmt.Errorf("the page of lane %q: %w", name, err)
		}
	}
	return out, nil
}

// pageConfig is a lane's settings as the page knows them.
func pageConfig(name string, l Lane) (kiosk.Config, error) {
	p := l.Kiosk
	c := kiosk.Config{
		Lane: name, Shop: l.Shop, Language: l.Language, Attended: l.Attended, Form: p.Form, Scanner: p.Side, Mute: p.Mute,
		Buttons: slices.Concat(touches.Own(), p.Buttons),
	}
	if l.noWifi() == "" {
		c.Wifi = p.Wifi
	}
	if l.ReceiptPrinter != "" {
		c.Buttons = append(c.Buttons, touches.Paper)
	}
	if p.Frame != "" {
		c.Frames = []string{p.Frame}
	}
	if len(p.Night) == 2 {
		c.Night = [2]int(p.Night)
	}
	if p.Slide == "" {
		return c, nil
	}
	st, err := os.Stat(p.Slide)
	if err == nil && st.Size() > maxSlide {
		err = fmt.Errorf("%s is larger than %d MiB", p.Slide, maxSlide>>20)
	}
	if err == nil {
		c.Slide.Data, err = os.ReadFile(p.Slide)
	}
	if err != nil {
		return c, fmt.Errorf("read the slide of lane %q: %w", name, err)
	}
	c.Slide.Type = slideTypes()[filepath.Ext(p.Slide)]
	return c, nil
}

// mounted are the pages as the API mounts them: behind its Host and Origin lists, and guarding themselves for the rest.
func (d *Daemon) mounted() map[string]http.Handler {
	out := map[string]http.Handler{}
	for _, p := range d.pages {
		out[p.Pattern()] = p
	}
	return out
}

// checkPage refuses what a page cannot be.
func checkPage(path string, l Lane, at conffile.Place) error {
	p := l.Kiosk
	if p == nil {
		return nil
	}
	own := path + ".kiosk"
	if name := path[len("lanes."):]; !laneInAddress.MatchString(name) {
		return at(own, "is the page of a lane whose name an address cannot carry", "name the lane with letters and digits, as 1 or bar-2")
	}
	if p.Form != "" {
		if err := at.Among(own+".form", p.Form, kiosk.Forms()); err != nil {
			return err
		}
	}
	if p.Side != "" {
		if err := at.Among(own+".scanner_side", p.Side, sides()); err != nil {
			return err
		}
	}
	if p.Frame != "" && !isOrigin(p.Frame) {
		return at(own+".frame", "must be a page's origin: http or https and the host, nothing after it", "https://till.shop.example")
	}
	if _, ok := slideTypes()[filepath.Ext(p.Slide)]; p.Slide != "" && !ok {
		return at(own+".slide", "must be a picture: .png, .jpg, .webp or .svg", "slide: welcome.png")
	}
	hour := func(h int) bool { return h >= 0 && h < 24 }
	if n := p.Night; len(n) != 0 && (len(n) != 2 || !hour(n[0]) || !hour(n[1])) {
		return at(own+".night", "must be two hours of the day, from and to", "night: [22, 7]")
	}
	for i, b := range p.Buttons {
		if err := at.Among(fmt.Sprintf("%s.buttons[%d]", own, i), b, touches.Asked()); err != nil {
			return err
		}
	}
	return nil
}

// checkPages looks at what the pages' settings name.
func checkPages(c Config) error {
	var errs []error
	for name, l := range c.Lanes {
		if l.Kiosk == nil {
			continue
		}
		k, err := pageConfig(name, l)
		if err == nil {
			_, err = kiosk.New(k)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
