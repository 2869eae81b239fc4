package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"tilld/display"
	"tilld/internal/checkout"
	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/record"
	"tilld/internal/stage"
	"tilld/internal/touches"
	"tilld/kiosk"
	"tilld/payment/lane"
)

// desk answers what is touched on a lane's page.
type desk struct{ d *Daemon }

func (x desk) Touched(ctx context.Context, t kiosk.Touch) error {
	c := x.d.core.Load()
	if c == nil {
		return checkout.ErrStopped // the journal is not open: the page says that the till is closed, and has no button
	}
	return c.touches.Take(ctx, touches.Touch{Lane: t.Lane, Payment: t.Ref, Button: t.Button, Choice: t.Choice})
}

// touched is the box as touches see it.
type touched struct {
	*checkout.Box
	more time.Duration // by which a customer's touch prolongs a code
}

func (b touched) Extend(ctx context.Context, id string) error {
	_, _, err := b.Box.Extend(ctx, id, b.more)
	return err
}

// aside is what the till wants to be seen beside a payment, as the API sees it.
type aside struct{ c *core }

// Put asks the box whether the lane is free, and then the stage; a payment that has come between the two stands in the way
// like any other.
func (x aside) Put(ctx context.Context, laneName string, s localapi.Showing) error {
	if l := x.c.cfg.Lanes[laneName]; s.Kind == localapi.ShowChoose && !l.Attended && (l.Kiosk == nil || !slices.Contains(l.Kiosk.Buttons, touches.Choose)) {
		return httpapi.Refuse(httpapi.InvalidField).About("choose").Because("no page of this lane has buttons for it: list choose in kiosk.buttons of its settings")
	}
	after, err := x.c.box.Yield(ctx, laneName)
	if err != nil {
		return err
	}
	v := stage.View{Lane: laneName, Screen: s.Kind, Amount: s.Total, Left: s.Total, Title: s.Title, Text: s.Text}
	if v.Screen == "" {
		v.Screen = "idle"
	}
	for _, l := range s.Goods {
		v.Goods = append(v.Goods, stage.Goods{Name: l.Text, Amount: l.Amount})
	}
	for _, c := range s.Choices {
		v.Choices = append(v.Choices, display.Choice(c))
	}
	limited, cancel := context.WithTimeout(ctx, putLimit)
	defer cancel()
	done, err := x.c.stage.Put(limited, v, after)
	if err != nil {
		x.c.log.Info("display did not show", "lane", laneName, "err", err) // the newest is on it once it comes back
	}
	if !done {
		return &lane.Refusal{Code: lane.NoLaneBusy}
	}
	return nil
}

// forsaken is told that a question on a page has ended, and that nobody has answered it.
func (d *Daemon) forsaken() {
	if c := d.core.Load(); c != nil {
		ring(c.left)
	}
}

// watchQuestions tells the till of the questions that nobody has answered, until ctx ends.
func (c *core) watchQuestions(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.left:
		}
		for name := range c.cfg.Lanes {
			if err := c.touches.Forsaken(ctx, name); err != nil && ctx.Err() == nil && !errors.Is(err, record.ErrStopped) {
				c.log.Warn("till could not be told that a customer has left", "lane", name, "err", err)
			}
		}
	}
}
