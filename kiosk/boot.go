package kiosk

import (
	"cmp"

	"tilld/internal/qr"
	"tilld/internal/words"
)

// boot is what the page knows before its first frame, and all it has when it is alone: every sentence that it says of
// itself, in every language.
type boot struct {
	Lane     string             `json:"lane"`
	Shop     string             `json:"shop"`
	Language string             `json:"language"`
	Order    []string           `json:"order"` // of the languages: the lane's own first
	Attended bool               `json:"attended"`
	Scanner  string             `json:"scanner"`
	Form     string             `json:"form"`
	Mute     bool               `json:"mute"`
	Night    [2]int             `json:"night"`
	Slide    bool               `json:"slide"`
	Wifi     *square            `json:"wifi,omitempty"`
	Alone    int64              `json:"alone_ms"`
	Files    []string           `json:"files"`
	Words    map[string]ownText `json:"words"`
}

// ownText is one language of the page's own sentences.
type ownText struct {
	Name    string            `json:"name"` // of the language, in itself
	Screens map[string]texts  `json:"screens"`
	Buttons map[string]string `json:"buttons"`
	Phrases map[string]string `json:"phrases"`
	Spoken  map[string]string `json:"spoken"`
}

// What a page says without being told.
func ownScreens() []string {
	return []string{"closing", "out_of_service", "code", "code_ending", "code_ending_cashier", "help_net", "help_scan", "staff"}
}

func ownPhrases() []string {
	return []string{
		"language", "minutes_left", "more_minutes", "receipt", "cancel_sure", "yes", "no", "link_lost", "number", "since",
		"still_there", "scan_here", "languages", "amount", "paperless",
	}
}

func ownButtons() []string {
	return []string{"start", "more", "big", "smaller", "lower", "higher", "paper", "print", "cancel", "help", "new", "again", "done", "speak", "other", "back"}
}

func ownSpoken() []string {
	return []string{"code", "code_low", "code_ending", "code_ending_cashier", "left_60", "left_30", "left_10", "paying", "paid", "doubt"}
}

func (k *Kiosk) bootOf(files []string) boot {
	c, own := k.cfg, words.For(k.cfg.Language).Tag
	b := boot{
		Lane: c.Lane, Shop: c.Shop, Language: own, Order: []string{own}, Attended: c.Attended, Scanner: cmp.Or(c.Scanner, "down"),
		Form: c.Form, Mute: c.Mute, Night: c.Night, Slide: len(c.Slide.Data) > 0, Alone: c.Alone.Milliseconds(), Files: files,
		Words: map[string]ownText{},
	}
	if c.Wifi != "" {
		if s, err := qr.New(c.Wifi); err == nil { // check has drawn it before
			b.Wifi = pack(s)
		}
	}
	for _, tag := range words.Tags() {
		if tag != own {
			b.Order = append(b.Order, tag)
		}
		b.Words[tag] = ownTexts(words.For(tag))
	}
	return b
}

func ownTexts(l *words.Language) ownText {
	o := ownText{Screens: map[string]texts{}}
	for _, name := range ownScreens() {
		s, _ := l.Screen(name)
		o.Screens[name] = texts{Title: s.Title, Line: s.Line, Hint: s.Hint}
	}
	take := func(names []string, look func(string) (string, bool)) map[string]string {
		m := map[string]string{}
		for _, n := range names {
			m[n], _ = look(n)
		}
		return m
	}
	o.Buttons, o.Phrases, o.Spoken = take(ownButtons(), l.Button), take(ownPhrases(), l.Phrase), take(ownSpoken(), l.Spoken)
	o.Name = o.Phrases["language"]
	return o
}
