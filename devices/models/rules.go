package models

import (
	"fmt"
	"slices"
	"strings"

	"tilld/devices/discover"
)

// UdevRules gives the group tilld the scanners of the catalog whose nodes are root's or of the group input, and nothing
// else: who is in that group can read every keyboard. systemd/60-tilld.rules holds them.
func (c Catalog) UdevRules() string {
	match := map[string]string{
		discover.HIDRaw: `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", GROUP="tilld", MODE="0660"`,
		discover.Input:  `SUBSYSTEM=="input", KERNEL=="event*", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", GROUP="tilld", MODE="0640"`,
	}
	names := map[string][]string{} // rule → models
	for _, m := range c.Models {
		for _, mode := range m.Modes {
			rule := match[mode.Way]
			if rule == "" || mode.Driver == "" {
				continue
			}
			for _, id := range mode.USB {
				vendor, product, _ := strings.Cut(id, ":")
				r := fmt.Sprintf(rule, vendor, product)
				if !slices.Contains(names[r], m.Name) {
					names[r] = append(names[r], m.Name)
				}
			}
		}
	}
	var rows []string
	for r, of := range names {
		slices.Sort(of)
		rows = append(rows, "# "+strings.Join(of, ", ")+"\n"+r+"\n")
	}
	slices.Sort(rows)
	return "# Made from configs/models by go test ./devices/models -update. Add a line of your own for a product that is not there.\n" +
		strings.Join(rows, "")
}
