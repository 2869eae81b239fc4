//go:build browser

package chrome_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tilld/internal/chrome"
)

// TestAClickThatMetNothingIsMadeAgain has a page that replaces its button, at its place or at another, while the mouse is down.
func TestAClickThatMetNothingIsMadeAgain(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<!doctype html><main><button>Go</button></main><script>
			window.downs = 0; window.clicks = 0
			const draw = left => { document.querySelector("main").innerHTML = '<button style="margin-left: ' + left + 'px">Go</button>' }
			addEventListener("mousedown", () => { downs++; if (downs < 3) draw(downs === 1 ? 0 : 300) })
			addEventListener("click", a => { if (a.target.closest("button")) clicks++ })
		</script>`))
	}))
	t.Cleanup(page.Close)
	b, err := chrome.Launch(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	tab, err := b.Tab(800, 600, page.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	if err := tab.Click("button", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	got, err := chrome.Eval[[]int](tab, "[downs, clicks]")
	if err != nil || len(got) != 2 || got[0] != 3 || got[1] != 1 {
		t.Fatalf("mouse down and clicks: %v, not 3 and 1: %v", got, err)
	}
}
