package shop

import "net/http"

// paper is the newest piece of paper of the receipt printer.
func (p *page) paper(w http.ResponseWriter, _ *http.Request) {
	b, err := p.shop.paper.picture()
	if err != nil {
		http.Error(w, "draw the paper", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b)
}

// paperState is what a person sees of the paper, for the page.
type paperState struct {
	Cut      int      `json:"cut"`      // pieces so far
	Printing bool     `json:"printing"` // something stands on the paper that is not cut off yet
	Text     []string `json:"text"`     // of what /paper.png shows
	Codes    []string `json:"codes"`
}

func (p *printer) state() paperState {
	newest, cut, printing := p.newest()
	return paperState{Cut: cut, Printing: printing, Text: append([]string{}, newest.Text...), Codes: append([]string{}, newest.Codes...)}
}
