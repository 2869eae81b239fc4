package health

import (
	"context"
	"time"
)

// Watch calls f, in this goroutine, whenever what is shown has changed: what is new, and what is over. Other words for
// a trouble that stands are no news. It begins with what stands, and ends with ctx.
func (l *List) Watch(ctx context.Context, f func(raised, cleared []Trouble)) {
	wake := make(chan struct{}, 1)
	l.OnChange(func() {
		select {
		case wake <- struct{}{}:
		default: // it will look anyway
		}
	})
	timer := time.NewTimer(0)
	defer timer.Stop()
	before := map[string]Trouble{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
		now, next := l.shown(time.Now())
		timer.Stop()
		if next > 0 {
			timer.Reset(next)
		}
		var raised, cleared []Trouble
		left := map[string]Trouble{}
		for _, t := range now {
			k := key(t.Code, t.Subject)
			left[k] = t
			if _, had := before[k]; !had {
				raised = append(raised, t)
			}
		}
		for k, t := range before {
			if _, is := left[k]; !is {
				cleared = append(cleared, t)
			}
		}
		before = left
		if len(raised)+len(cleared) > 0 {
			f(raised, cleared)
		}
	}
}
