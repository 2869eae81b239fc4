package models

import (
	"fmt"
	"slices"
	"strings"
)

// Table is the catalog for people, in Markdown: docs/devices.md holds it.
func (c Catalog) Table() string {
	var b strings.Builder
	for _, kind := range Kinds() {
		var rows []string
		n := 0
		for _, m := range c.Models {
			if m.Kind != kind {
				continue
			}
			n++
			for _, mode := range m.Modes {
				driver := "none yet"
				switch {
				case mode.Driver != "":
					driver = "`" + mode.Driver + "`"
				case kind == Adapter:
					driver = "–" // that of what is behind it
				}
				var set []string
				for _, v := range mode.values() {
					if k, ok := strings.CutPrefix(v, "options."); ok {
						set = append(set, fmt.Sprintf("%s %v", k, mode.Options[k]))
					}
				}
				if l := mode.Line; l != nil {
					set = append(set, fmt.Sprintf("%d baud, %d%s%d", l.Baud, l.DataBits, strings.ToUpper(l.Parity[:1]), l.StopBits))
				}
				rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", m.Name, mode.Name, strings.Join(mode.USB, " "), mode.Way, driver, strings.Join(set, ", "), c.cited(m, mode)))
			}
		}
		if n == 0 {
			continue
		}
		fmt.Fprintf(&b, "**%ss: %d models**\n\n| Model | Mode | USB id | Reached by | Driver | Set | Sources |\n|---|---|---|---|---|---|---|\n", kind, n)
		slices.Sort(rows)
		b.WriteString(strings.Join(rows, "") + "\n")
	}
	return b.String()
}

// cited are the sources of a mode, each with what it says.
func (c Catalog) cited(m Model, mode Mode) string {
	by := map[string][]string{}
	var order []string
	for _, v := range mode.values() {
		text := c.Sources[m.File+" "+mode.From[v]]
		if by[text] == nil {
			order = append(order, text)
		}
		by[text] = append(by[text], strings.TrimPrefix(v, "options."))
	}
	for i, text := range order {
		order[i] = strings.Join(by[text], ", ") + ": " + text
	}
	return strings.ReplaceAll(strings.Join(order, "; "), "|", "/")
}

// QuirkTable is the oddities for people, in Markdown.
func (c Catalog) QuirkTable() string {
	var b strings.Builder
	b.WriteString("| USB id | Story | Do once | Evidence |\n|---|---|---|---|\n")
	for _, q := range c.Quirks {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.Join(q.USB, " "), q.Story, q.Setup, q.Evidence)
	}
	return b.String()
}
