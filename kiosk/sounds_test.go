//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tilld/kiosk"
)

// What a loudspeaker would be given, taken down as "HERTZ FROM–TO ms DECIBELS dB", and a clock that stands but for
// the steps that the test takes.
const (
	takeDown = `(() => {
		const ms = (s) => Math.round(1000 * s);
		window.tones = [];
		window.AudioContext = class {
			state = "running";
			currentTime = 0;
			createGain() {
				const louder = (v) => { g.most = Math.max(g.most, v); };
				const g = {most: 0, gain: {setValueAtTime: louder, linearRampToValueAtTime: louder}, connect: (to) => to};
				return g;
			}
			createOscillator() {
				const o = {frequency: {}, connect: (to) => o.to = to, start: (at) => { o.from = at; }, stop: (at) => {
					window.tones.push(o.frequency.value + " " + ms(o.from) + "–" + ms(at) + " ms " + Math.round(20 * Math.log10(o.to.most)) + " dB");
				}};
				return o;
			}
		};
		return null;
	})()`
	// The steps are one task of the page, behind which its clock stands where it did: its line would take the jump for silence.
	halt  = `(() => { const from = performance.now(); window.gone = 0; performance.now = () => from + window.gone; return null; })()`
	steps = `((life, lefts) => {
		const heard = lefts.map((left) => { window.gone = life - left; dispatchEvent(new Event("resize")); return window.tones.splice(0).join(); });
		window.gone = 0;
		return heard;
	})(%d, [66_000, 60_000, 59_000, 26_000, 20_000, 10_000])`
)

const (
	readyTone = "660 0–80 ms -18 dB"
	tickTone  = "440 0–30 ms -18 dB"
)

// The last minute is heard softly where it begins and again at twenty seconds, each once for each life of a code.
func TestTheLastMinuteIsHeard(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, chromium(t, nil), panels[0], "en", nil)
	eval[any](t, ctx, takeDown)
	eval[any](t, ctx, halt)
	v := codeOf("p1", 300*time.Second)
	v.Sound = "ready"
	b.show(t, v)
	if got := eval[[]string](t, ctx, `window.tones.splice(0)`); !slices.Equal(got, []string{readyTone}) {
		t.Fatalf("with the code it made %q", got)
	}
	for _, life := range []time.Duration{300 * time.Second, 400 * time.Second} {
		if life > 300*time.Second {
			b.show(t, codeOf("p1", life)) // the customer wanted more time
		}
		// What the code needed to the glass, which is less than 5 s, is gone of its life already.
		want := []string{"", tickTone, "", "", tickTone, ""}
		if got := eval[[]string](t, ctx, fmt.Sprintf(steps, life.Milliseconds())); !slices.Equal(got, want) {
			t.Errorf("66, 60, 59, 26, 20 and 10 s before the end of %v: heard %q, want %q", life, got, want)
		}
	}
	t.Logf("heard at 60 and at 20 s of each life: %q", tickTone)
}

// Each sound is the one that customers learn: paid alone rises.
func TestSoundsAreMade(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	paid := []string{"660 0–90 ms -8 dB", "990 100–280 ms -8 dB"}
	sounds := map[string][]string{
		"ready": {readyTone}, "tick": {tickTone}, "paid": paid, "over": append(slices.Clone(paid), "262 430–680 ms -8 dB"),
		"half": {"660 0–90 ms -12 dB", "660 150–240 ms -12 dB"}, "no": {"330 0–90 ms -12 dB", "330 160–250 ms -12 dB"},
		"low": {"262 0–250 ms -10 dB"}, "doubt": {"262 0–200 ms -10 dB", "262 290–490 ms -10 dB"}, "": {},
	}
	heardOf := func(t *testing.T, b *box, ctx context.Context, name string) []string {
		t.Helper()
		eval[any](t, ctx, `window.tones = []; null`)
		v := viewOf("p-"+name, "paid")
		v.Sound = name
		b.show(t, v)
		return eval[[]string](t, ctx, `window.tones`)
	}
	t.Run("each as it is", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[0], "en", nil)
		eval[any](t, ctx, takeDown)
		for name, want := range sounds {
			if got := heardOf(t, b, ctx, name); !slices.Equal(got, want) {
				t.Errorf("%q: heard %q, want %q", name, got, want)
			}
		}
		t.Logf("%d sounds", len(sounds))
	})
	t.Run("none on a page that is to be silent", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[0], "en", func(c *kiosk.Config) { c.Mute = true })
		eval[any](t, ctx, takeDown)
		if got := heardOf(t, b, ctx, "paid"); len(got) > 0 {
			t.Errorf("heard %q", got)
		}
	})
}
