package chrome

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// spot is the middle of an element that a person could click: it is in sight, nothing covers it and it is not disabled. The
// page is to say whether the click that follows has met it.
const spot = `((what) => { const e = document.querySelector(what); if (!e || e.disabled) return null;
	e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
	const top = document.elementFromPoint(x, y); if (!r.width || !top || e !== top && !e.contains(top)) return null;
	window.clickMissed = true; addEventListener("click", a => { window.clickMissed = !a.target.closest(what) }, {capture: true, once: true});
	return [x, y] })(%q)`

// Click is a mouse on the first element that the selector finds, as soon as a person could click it. An element that the
// page has replaced under the button of the mouse hears of no click: a person sees that nothing comes of it, and clicks again.
func (t *Tab) Click(selector string, limit time.Duration) error {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) { // a browser has no clock to turn
		at, err := Eval[[]float64](t, fmt.Sprintf(spot, selector))
		if err != nil {
			return err
		}
		if len(at) == 2 {
			if err := chromedp.Do(t.ctx, chromedp.MouseClickXY(at[0], at[1])); err != nil {
				return err
			}
			if missed, err := Eval[bool](t, "window.clickMissed === true"); err != nil || !missed {
				return err
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("there is nothing to click at %s", selector)
		}
	}
}

// Type clicks a field and writes over what stands in it.
func (t *Tab) Type(selector, text string, limit time.Duration) error {
	if err := t.Click(selector, limit); err != nil {
		return err
	}
	if _, err := Eval[bool](t, "(document.activeElement.select(), true)"); err != nil {
		return err
	}
	return t.Keys(text)
}

// Keys presses keys one after another.
func (t *Tab) Keys(keys string) error { return chromedp.Do(t.ctx, chromedp.KeyEvent(keys)) }

// ErrNoFrame: the page shows no such page in a frame.
var ErrNoFrame = errors.New("the page has no such frame")

// EvalFrame runs a script in the page that t's page shows in a frame, the first whose address begins so.
func EvalFrame[T any](t *Tab, address, script string) (v T, err error) {
	tree, err := chromedp.Call(t.ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return v, fmt.Errorf("look for frames: %w", err)
	}
	for _, f := range tree.FrameTree.ChildFrames {
		if !strings.HasPrefix(f.Frame.URL, address) {
			continue
		}
		world, err := chromedp.Call(t.ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: f.Frame.ID, WorldName: "test"})
		if err != nil {
			return v, fmt.Errorf("enter the frame: %w", err)
		}
		in := func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID }
		v, err = chromedp.Run(t.ctx, chromedp.Evaluate[T](script, in))
		if err != nil {
			return v, fmt.Errorf("run %.60q in the frame: %w", script, err)
		}
		return v, nil
	}
	return v, ErrNoFrame
}
