package daemon

import (
	"fmt"
	"maps"
	"slices"

	"tilld/kiosk"
)

// NotUsed is a setting that stands in the file and changes nothing. It hinders no start: the release before may have taken
// it, and a shop that has just been given a new one is to open.
type NotUsed struct {
	Path string // "lanes.1.kiosk.wifi"
	Why  string
}

// String is what is said of it: "PATH is not used: WHY".
func (n NotUsed) String() string { return n.Path + " is not used: " + n.Why }

// AllNotUsed are those of the settings, in the order of their lanes.
func AllNotUsed(c Config) []NotUsed {
	var out []NotUsed
	add := func(path, why string) {
		if why != "" {
			out = append(out, NotUsed{path, why})
		}
	}
	for i, h := range c.Hosts {
		add(fmt.Sprintf("hosts[%d]", i), unsaid(h))
	}
	for i, o := range c.Origins {
		add(fmt.Sprintf("origins[%d]", i), unsaid(o))
	}
	for _, lane := range slices.Sorted(maps.Keys(c.Lanes)) {
		l := c.Lanes[lane]
		add("lanes."+lane+".kiosk.wifi", l.noWifi())
		if l.Kiosk != nil {
			add("lanes."+lane+".kiosk.frame", unsaid(l.Kiosk.Frame))
		}
		add("lanes."+lane+".kiosk.buttons", l.noButtons())
	}
	return out
}

// noButtons is why nobody ever sees the buttons that a lane's page has, "" if somebody does or there are none.
func (l Lane) noButtons() string {
	if l.Kiosk == nil || len(l.Kiosk.Buttons) == 0 || !l.Attended {
		return ""
	}
	return "with a cashier the page has no buttons that a till answers"
}

// noWifi is why nobody ever sees the code of the guests' network that a lane's page has, "" if somebody does or there is none.
func (l Lane) noWifi() string {
	switch {
	case l.Kiosk == nil || l.Kiosk.Wifi == "":
		return ""
	case l.Attended:
		return "with a cashier the page has no button that leads to it"
	case l.Kiosk.Form == kiosk.Panel:
		return "the smallest panel has no room for a button that leads to it"
	}
	return ""
}
