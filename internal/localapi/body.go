package localapi

import (
	"strconv"
	"time"

	"tilld/internal/httpapi"
	"tilld/payment"
	paycode "tilld/payment/code"
	"tilld/payment/lane"
)

// The bodies that callers send. Their schemas are closed: an unknown name is refused, not overlooked.

type moneyBody struct {
	Value    int64  `json:"value" minimum:"-1000000000000" maximum:"1000000000000" doc:"Whole minor units: 12550 is 125.50 RUB"`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" doc:"ISO 4217" example:"RUB"`
}

// money checks what the schema cannot know.
func (m moneyBody) money(least int64) (payment.Money, error) {
	if !payment.ValidCurrency(m.Currency) {
		return payment.Money{}, httpapi.Refuse(httpapi.InvalidField).About("currency").Because("not a currency that this box knows")
	}
	if m.Value < least {
		return payment.Money{}, httpapi.Refuse(httpapi.AmountFormat).About("value").Because("the amount is too small for this call")
	}
	return payment.Money{Value: m.Value, Currency: m.Currency}, nil
}

func (m *moneyBody) optional(least int64) (*payment.Money, error) {
	if m == nil {
		return nil, nil
	}
	out, err := m.money(least)
	return &out, err
}

type lineBody struct {
	Text   string    `json:"text" maxLength:"128"`
	Amount moneyBody `json:"amount"`
}

type createBody struct {
	Reference      string         `json:"reference" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"The till's own key, unique per lane; the same body again gets the same payment" example:"R-77"`
	Amount         moneyBody      `json:"amount"`
	Mode           string         `json:"mode" enum:"show,scan" doc:"show: the shop shows a code; scan: the customer does"`
	Purpose        string         `json:"purpose" enum:"sale,prepayment"`
	ExpiresIn      string         `json:"expires_in,omitempty" maxLength:"16" pattern:"^([0-9]+(ms|s|m|h))+$" doc:"Life of the code with its unit" example:"180s"`
	Provider       string         `json:"provider,omitempty" maxLength:"64" doc:"Which bank or wallet; without it the integrator chooses"`
	Payee          string         `json:"payee,omitempty" maxLength:"128" doc:"Whom the customer reads as the receiver"`
	Outputs        []string       `json:"outputs,omitempty" maxItems:"4" uniqueItems:"true" enum:"kiosk,customer-display,receipt,till" doc:"Who shows the code; without it the lane's own"`
	Lines          []lineBody     `json:"lines,omitempty" maxItems:"200" doc:"The sale, for the customer's eyes"`
	Code           httpapi.Masked `json:"code,omitempty" minLength:"1" maxLength:"512" doc:"The customer's pay code, read by the till itself; scan mode"`
	Lane           string         `json:"lane,omitempty" maxLength:"32" doc:"Needed only where the token belongs to no lane"`
	Replaces       string         `json:"replaces,omitempty" maxLength:"26" doc:"Id of the payment whose place this one takes"`
	AddsTo         string         `json:"adds_to,omitempty" maxLength:"26" doc:"Id of the paid payment that this one adds to"`
	IfNotConfirmed string         `json:"if_not_confirmed,omitempty" enum:"keep,return,person" doc:"What becomes of a paid payment that nobody confirms; return only for a till that confirms before the goods leave"`
}

func (b createBody) request(c Config) (lane.Request, error) {
	amount, err := b.Amount.money(1)
	if err != nil {
		return lane.Request{}, err
	}
	r := lane.Request{
		Reference: b.Reference, Amount: amount, Mode: payment.Mode(b.Mode), Purpose: payment.Purpose(b.Purpose),
		Provider: b.Provider, Payee: b.Payee, Outputs: b.Outputs, Replaces: b.Replaces, AddsTo: b.AddsTo,
		IfNotConfirmed: payment.IfNotConfirmed(b.IfNotConfirmed),
	}
	if r.ExpiresIn, err = life("expires_in", b.ExpiresIn, c.MinLife, c.MaxLife); err != nil {
		return lane.Request{}, err
	}
	for _, l := range b.Lines {
		m, err := l.Amount.money(-payment.MaxValue)
		if err != nil {
			return lane.Request{}, err
		}
		r.Lines = append(r.Lines, lane.Line{Text: l.Text, Amount: m})
	}
	if code := b.Code.Reveal(); code != "" {
		if r.Mode != payment.Scan {
			return lane.Request{}, httpapi.Refuse(httpapi.InvalidField).About("code").Because("a pay code belongs to mode scan")
		}
		if len(code) > paycode.Longest { // the schema counts characters, and the integrator would refuse it later
			return lane.Request{}, httpapi.Refuse(httpapi.InvalidField).About("code").Because("longer than any pay code: at most " + strconv.Itoa(paycode.Longest) + " bytes")
		}
		r.Code = payment.NewCode(code)
	}
	return r, nil
}

// life reads a duration with its unit; "" is 0, for the owner's default.
func life(field, text string, least, most time.Duration) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		return 0, httpapi.Refuse(httpapi.InvalidField).About(field).
			Because("write a duration with its unit, as 180s or 5m, from " + least.String() + " to " + most.String())
	}
	return d, nil
}

type receiptBody struct {
	Number   string `json:"number,omitempty" maxLength:"64"`
	At       string `json:"at,omitempty" format:"date-time"`
	FiscalQR string `json:"fiscal_qr,omitempty" maxLength:"512"`
	URL      string `json:"url,omitempty" maxLength:"2000"`
}

func (b *receiptBody) receipt() *lane.Receipt {
	if b == nil {
		return nil
	}
	return &lane.Receipt{Number: b.Number, At: b.At, FiscalQR: b.FiscalQR, URL: b.URL}
}

type confirmBody struct {
	Final   *moneyBody   `json:"final_amount,omitempty" doc:"What the goods cost in the end; without it all that was paid. The rest goes back by itself"`
	Receipt *receiptBody `json:"receipt,omitempty"`
}

type returnBody struct {
	Reference string     `json:"reference" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"The till's own key of this return"`
	Amount    *moneyBody `json:"amount,omitempty" doc:"Without it everything that is left"`
	Reason    string     `json:"reason,omitempty" doc:"For people; 200 characters of it are kept"`
}

type extendBody struct {
	By string `json:"by,omitempty" maxLength:"16" pattern:"^([0-9]+(ms|s|m|h))+$" doc:"How much longer" example:"5m"`
}

type overrideBody struct {
	Tender string `json:"tender" minLength:"1" maxLength:"32" doc:"Which other money was taken" example:"cash"`
	Who    string `json:"who" minLength:"1" maxLength:"64"`
	Why    string `json:"why" minLength:"1" maxLength:"200"`
}

type acknowledgeBody struct {
	Who string `json:"who" minLength:"1" maxLength:"64"`
	Why string `json:"why" minLength:"1" maxLength:"200"`
}
