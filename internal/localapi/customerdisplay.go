package localapi

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"tilld/internal/httpapi"
	"tilld/payment"
	"tilld/payment/lane"
)

// displayBody is what the customer is to see: one of its parts, never two.
type displayBody struct {
	Lane    string       `json:"lane,omitempty" maxLength:"32" doc:"Needed only where the token belongs to no lane"`
	Cart    *cartBody    `json:"cart,omitempty" doc:"The goods so far. It goes by itself two minutes after the last change, and when a payment begins"`
	Message *messageBody `json:"message,omitempty" doc:"Words of the till's own; they stay until they are replaced or a payment begins"`
	Choose  *chooseBody  `json:"choose,omitempty" doc:"Ways to pay, to be touched: the answer is the event kiosk.choose, or kiosk.leave where the customer goes. It goes by itself after 80 seconds without a touch"`
	Clear   bool         `json:"clear,omitempty" doc:"Take all of them away"`
}

type cartBody struct {
	Lines []lineBody `json:"lines,omitempty" maxItems:"200" doc:"The newest last; the page has room for some five of them"`
	Total moneyBody  `json:"total"`
}

type messageBody struct {
	Title string `json:"title" minLength:"1" maxLength:"64" example:"One moment"`
	Text  string `json:"text,omitempty" maxLength:"200"`
}

type chooseBody struct {
	Total   *moneyBody   `json:"total,omitempty"`
	Choices []choiceBody `json:"choices" minItems:"2" maxItems:"4"`
}

type choiceBody struct {
	ID   string `json:"id" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"Comes back with the event" example:"sbp"`
	Name string `json:"name" minLength:"1" maxLength:"32" doc:"What the customer reads"`
}

// display adds the call that shows what is not a payment.
func (s *server) display(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "put_customer_display", Method: http.MethodPut, Path: "/v1/customer-display", Tag: "display", Allow: sells,
		Summary: "Show the customer a cart, a message or ways to pay", Status: http.StatusNoContent,
		Text: "One of cart, message, choose, clear; the newest wins. Never while a payment occupies the lane. The last screen of a " +
			"payment stays for its first seconds, then makes room. What is shown is not kept over a restart.",
		Codes: []string{lane.NoLaneBusy, lane.NoLane, httpapi.LaneNeeded, lane.NoUnavailable, httpapi.StorageStopped},
	}, s.putDisplay)
}

func (s *server) putDisplay(ctx context.Context, in *struct{ Body displayBody }) (*struct{}, error) {
	show, err := in.Body.showing()
	if err != nil {
		return nil, err
	}
	name, err := s.laneFor(callerOf(ctx), in.Body.Lane)
	if err != nil {
		return nil, err
	}
	if err := s.own.Glass.Put(ctx, name, show); err != nil {
		return nil, s.no(ctx, err)
	}
	return nil, nil
}

// showing checks what the schema cannot know.
func (b displayBody) showing() (Showing, error) {
	parts := 0
	for _, is := range []bool{b.Cart != nil, b.Message != nil, b.Choose != nil, b.Clear} {
		if is {
			parts++
		}
	}
	switch {
	case parts == 0:
		return Showing{}, httpapi.Refuse(httpapi.MissingField).About("cart").Because("send one of cart, message, choose, clear")
	case parts > 1:
		return Showing{}, httpapi.Refuse(httpapi.InvalidField).About("cart").Because("send only one of cart, message, choose, clear")
	case b.Cart != nil:
		return b.Cart.showing()
	case b.Message != nil:
		return b.Message.showing()
	case b.Choose != nil:
		return b.Choose.showing()
	}
	return Showing{}, nil
}

func (b cartBody) showing() (Showing, error) {
	total, err := b.Total.money(-payment.MaxValue)
	if err != nil {
		return Showing{}, err
	}
	s := Showing{Kind: ShowCart, Total: total}
	for _, l := range b.Lines {
		m, err := l.Amount.money(-payment.MaxValue)
		if err != nil {
			return Showing{}, err
		}
		if m.Currency != total.Currency {
			return Showing{}, httpapi.Refuse(httpapi.InvalidField).About("currency").Because("a line has another currency than the total")
		}
		if err := readable("text", l.Text); err != nil {
			return Showing{}, err
		}
		s.Goods = append(s.Goods, lane.Line{Text: l.Text, Amount: m})
	}
	return s, nil
}

func (b messageBody) showing() (Showing, error) {
	if err := readable("title", b.Title); err != nil {
		return Showing{}, err
	}
	return Showing{Kind: ShowMessage, Title: b.Title, Text: b.Text}, readable("text", b.Text)
}

func (b chooseBody) showing() (Showing, error) {
	s := Showing{Kind: ShowChoose}
	total, err := b.Total.optional(1)
	if err != nil {
		return s, err
	}
	if total != nil {
		s.Total = *total
	}
	known := map[string]bool{}
	for _, c := range b.Choices {
		if known[c.ID] {
			return s, httpapi.Refuse(httpapi.InvalidField).About("choices").Because("two choices have the same id")
		}
		known[c.ID] = true
		if err := readable("name", c.Name); err != nil {
			return s, err
		}
		s.Choices = append(s.Choices, Choice(c))
	}
	return s, nil
}

// readable refuses a text that no display can show: control characters, and those that turn the direction of others.
func readable(field, text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return httpapi.Refuse(httpapi.InvalidField).About(field).Because("has a character that cannot be shown")
	}
	return nil
}
