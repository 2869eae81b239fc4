package client

import (
	"context"
	"net/http"

	"tilld/payment/lane"
)

// Display is what the customer is to see beside a payment: one of its parts, or none to take all of them away.
type Display struct {
	Lane    string // needed only by a token of no lane
	Cart    *Cart
	Message *Message
	Choose  *Choose
}

// Cart is the goods so far, the newest last.
type Cart struct {
	Lines []lane.Line `json:"lines,omitempty"`
	Total Money       `json:"total"`
}

// Message is words of the till's own.
type Message struct {
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

// Choose asks the customer how he will pay; the answer is the event kiosk.choose.
type Choose struct {
	Total   *Money   `json:"total,omitempty"`
	Choices []Choice `json:"choices"`
}

// Choice is one way to pay; ID comes back with the event.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// PutDisplay shows it; a *Problem with lane_busy has the payment that occupies the lane.
func (c *Client) PutDisplay(ctx context.Context, d Display) error {
	in := struct {
		Lane    string   `json:"lane,omitempty"`
		Cart    *Cart    `json:"cart,omitempty"`
		Message *Message `json:"message,omitempty"`
		Choose  *Choose  `json:"choose,omitempty"`
		Clear   bool     `json:"clear,omitempty"`
	}{d.Lane, d.Cart, d.Message, d.Choose, d.Cart == nil && d.Message == nil && d.Choose == nil}
	_, err := c.call(ctx, http.MethodPut, "/v1/customer-display", in, nil, 0)
	return err
}
