// Package chrome is a real browser for tests and benchmarks: Chromium without a window, its pages, and what a script finds
// in them. It is the only door to the library that drives it.
package chrome

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Browser is one Chromium. Make it with Launch; Close ends it.
type Browser struct {
	ctx context.Context
	end func()
}

// ErrNone: this machine has no Chromium.
var ErrNone = errors.New("no Chromium on this machine: apt-get install chromium")

// Launch starts a browser that keeps its files in dir. Flags are further ones of its command line, "name" or name and value.
func Launch(dir string, flags map[string]any) (*Browser, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-headless-shell", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, ErrNone
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir)}
	for _, all := range []map[string]any{standing(), flags} {
		for name, v := range all {
			options = append(options, chromedp.Flag(name, v))
		}
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(alloc)
	if err := chromedp.Do(ctx); err != nil { // the first action starts the browser
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &Browser{ctx: ctx, end: func() { end(); cancel() }}, nil
}

// standing flags keep the browser to what it is asked for: no window, no network of its own, the same colours everywhere.
func standing() map[string]any {
	return map[string]any{
		"headless": true, "no-sandbox": true, "disable-gpu": true, "disable-quic": true, "no-first-run": true,
		"disable-background-networking": true, "disable-component-update": true, "disable-sync": true,
		"autoplay-policy": "no-user-gesture-required", "hide-scrollbars": true, "force-color-profile": "srgb",
		"force-prefers-reduced-motion": true, // a picture is whole at once
	}
}

// Close ends the browser and every page of it.
func (b *Browser) Close() { b.end() }

// Tab opens a page in a window of that size. Close it, or it lives as long as the browser.
func (b *Browser) Tab(width, height int64, url string) (*Tab, error) {
	ctx, end := chromedp.NewContext(b.ctx)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(url)); err != nil {
		end()
		return nil, fmt.Errorf("open %s: %w", url, err)
	}
	return &Tab{ctx: ctx, end: end}, nil
}

// Tab is one page.
type Tab struct {
	ctx context.Context
	end func()
}

// Context is the page for calls of the library itself.
func (t *Tab) Context() context.Context { return t.ctx }

// Close closes the page.
func (t *Tab) Close() { t.end() }

// Reload loads the page anew and returns when it has been loaded.
func (t *Tab) Reload() error { return chromedp.Do(t.ctx, chromedp.Reload()) }

// Picture is what the page looks like now, as PNG.
func (t *Tab) Picture() ([]byte, error) { return chromedp.Run(t.ctx, chromedp.CaptureScreenshot()) }

// Eval runs a script in the page; a promise is waited for.
func Eval[T any](t *Tab, script string) (T, error) {
	v, err := chromedp.Run(t.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		return v, fmt.Errorf("run %.60q in the page: %w", script, err)
	}
	return v, nil
}

// Until waits until a script is true in the page, and says what stands there if it never is.
func (t *Tab) Until(script string, limit time.Duration) error {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) { // a browser has no clock to turn
		ok, err := Eval[bool](t, script)
		if err != nil || ok {
			return err
		}
		if time.Now().After(end) {
			text, _ := Eval[string](t, "document.body.innerText")
			return fmt.Errorf("the page never came to %s; it shows %q", script, text)
		}
	}
}

// Before runs a script in every page that the tab loads from now on, before any script of that page.
func (t *Tab) Before(script string) error {
	in := page.AddScriptToEvaluateOnNewDocumentParams{Source: script}
	_, err := chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, in)
	return err
}
