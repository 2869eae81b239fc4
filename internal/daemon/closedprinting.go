package daemon

import (
	"context"

	"tilld/internal/printing"
)

// closedPrinting takes no print job: there is no journal to keep it.
type closedPrinting struct{ closed }

func (c closedPrinting) Submit(context.Context, printing.Request) (printing.Job, bool, error) {
	return printing.Job{}, false, c.no()
}

func (c closedPrinting) Find(context.Context, string, string) (printing.Job, error) {
	return printing.Job{}, c.no()
}

func (c closedPrinting) Wait(context.Context, string, string, int64) (printing.Job, error) {
	return printing.Job{}, c.no()
}

func (c closedPrinting) List(context.Context, string, string) ([]printing.Job, error) {
	return nil, c.no()
}

func (c closedPrinting) Cancel(context.Context, string, string) (printing.Job, error) {
	return printing.Job{}, c.no()
}

func (c closedPrinting) Reprint(context.Context, string, string, string, string) (printing.Job, bool, error) {
	return printing.Job{}, false, c.no()
}

func (c closedPrinting) OpenDrawer(context.Context, string, string, string) (printing.Drawer, error) {
	return printing.Drawer{}, c.no()
}
