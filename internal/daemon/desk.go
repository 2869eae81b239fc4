package daemon

import (
	"context"

	"tilld/internal/checkout"
	"tilld/internal/touches"
	"tilld/kiosk"
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
type touched struct{ *checkout.Box }

func (b touched) Extend(ctx context.Context, id string) error {
	_, _, err := b.Box.Extend(ctx, id, extendBy)
	return err
}
