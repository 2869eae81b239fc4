//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tilld/internal/stage"
	"tilld/kiosk"
)

// What a person who cannot see meets: what a screen reader is given, and where the keys go.
const (
	focused = `(document.activeElement?.dataset?.name ?? "")`
	asks    = `document.querySelector("[role=alertdialog]")?.ariaLabel ?? ""`
	hidden  = `document.getElementById("drawing").ariaHidden`
)

// ways is the question how to pay.
func ways() stage.View {
	return stage.View{Lane: "1", Screen: "choose", Amount: rub(9900), Left: rub(9900), Choices: cafes["en"].choices()}
}

// choose has the till ask how the customer will pay.
func (b *box) choose(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if done, err := b.stage.Put(ctx, ways(), ""); err != nil || !done {
		t.Fatalf("the question is not put: %v, %v", done, err)
	}
}

func TestAQuestionIsReadAndTakesTheKeys(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		eval[any](t, f.ctx, listen)
		eval[any](t, f.ctx, space)
		eval[any](t, f.ctx, `document.querySelector("[data-name=cancel]").focus()`)
		f.press(t, "cancel")
		f.sees(t, focused+` === "no" && (`+asks+`) === "Cancel the payment?"`)
		f.sees(t, heard+` === "Cancel the payment?"`)
		eval[any](t, f.ctx, `dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"})); null`)
		f.sees(t, focused+` === "cancel" && (`+asks+`) === ""`)
		f.told(t)
	})
	t.Run("still there", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[1], "en", nil)
		b.choose(t)
		until(t, ctx, `document.querySelectorAll(".tiles button").length === 4`, soon)
		eval[any](t, ctx, fmt.Sprintf(later, 61_000))
		until(t, ctx, focused+` === "stay" && (`+asks+`) !== ""`, soon)
	})
	t.Run("the language keeps the keys", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		eval[any](t, f.ctx, `(() => { const b = document.querySelectorAll("[data-name=language]")[1]; b.focus(); b.click(); return null })()`)
		f.sees(t, title+` === "Отсканируйте код" && document.activeElement.lang === "ru"`)
	})
}

func TestAReaderIsGivenTheChoiceTheCartAndTheAmount(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, chromium(t, nil), panels[1], "en", nil)
	b.show(t, stage.View{Lane: "1", Screen: "idle"})
	until(t, ctx, title+` === "Welcome" && `+hidden+` === "true"`, soon)
	put(t, b, "", stage.View{Lane: "1", Screen: "cart", Amount: rub(9900), Left: rub(9900), Goods: cafes["en"].lines()})
	until(t, ctx, `document.querySelector(".item") && `+hidden+` === "false"`, soon)
	b.choose(t)
	until(t, ctx, `document.querySelector(".tiles") && `+hidden+` === "false"`, soon)
	b.show(t, codeView(time.Minute))
	until(t, ctx, onGlas+` && document.getElementById("amount").ariaLive === "polite"`, soon)
}

func TestAKeyThatIsHeldIsOneWish(t *testing.T) {
	t.Parallel()
	f := touching(t, chromium(t, nil), nil)
	eval[any](t, f.ctx, listen)
	eval[any](t, f.ctx, space)
	f.sees(t, `window.said.length > 0`)
	for range 3 {
		f.again(t)
		eval[any](t, f.ctx, `dispatchEvent(new KeyboardEvent("keydown", {key: " ", repeat: true})); null`)
	}
	eval[any](t, f.ctx, drawn)
	f.told(t) // no more time was asked for
	f.again(t)
	eval[any](t, f.ctx, space)
	f.told(t, "more") // the voice is still on: Space is more time
}

func TestTheVoiceHasAButtonWhereThereIsAVoice(t *testing.T) {
	t.Parallel()
	for _, p := range panels {
		t.Run(p.form, func(t *testing.T) {
			t.Parallel()
			b, ctx := start(t, chromium(t, nil), p, "en", nil)
			b.show(t, codeView(200*time.Second))
			if eval[bool](t, ctx, `!!document.querySelector("[data-name=speak]")`) {
				t.Log("this browser has a voice of its own")
			}
			eval[any](t, ctx, listen)
			eval[any](t, ctx, `window.speechSynthesis.getVoices = () => [{lang: "en"}]; window.speechSynthesis.dispatchEvent(new Event("voiceschanged")); null`)
			until(t, ctx, `document.querySelector("[data-name=speak]")?.ariaPressed === "false"`, soon)
			eval[any](t, ctx, presses("speak"))
			until(t, ctx, `window.said.length > 0 && document.querySelector("[data-name=speak]").ariaPressed === "true"`, soon)
			over := eval[string](t, ctx, `(() => {
				const all = [...document.querySelectorAll("#controls button, #zoom button, #shop")].filter((e) => e.offsetParent).map((e) => [e.dataset.name ?? e.id, e.getBoundingClientRect()]);
				const out = [];
				for (const [i, [a, x]] of all.entries()) {
					if (x.right > innerWidth || x.left < 0) out.push(a + " leaves the glass");
					for (const [b, y] of all.slice(i + 1)) if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom && y.top < x.bottom) out.push(a + " lies on " + b);
				}
				return out.join(", ");
			})()`)
			if over != "" {
				t.Error(over)
			}
		})
	}
}

// With a cashier, or where the till does not answer it, a way to pay is told and not touched: no button does nothing.
func TestWaysToPayAreButtonsOnlyWhereATouchIsAnswered(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	for name, c := range map[string]struct {
		change func(*kiosk.Config)
		want   int
	}{
		"answered":       {func(*kiosk.Config) {}, 4},
		"with a cashier": {func(c *kiosk.Config) { c.Attended = true }, 0},
		"not answered":   {func(c *kiosk.Config) { c.Buttons = []string{kiosk.ButtonMore, kiosk.ButtonCancel} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, ctx := start(t, browser, panels[1], "en", c.change)
			b.choose(t)
			until(t, ctx, `document.querySelectorAll(".tiles > *").length === 4`, soon)
			if got := eval[int](t, ctx, `document.querySelectorAll(".tiles button").length`); got != c.want {
				t.Errorf("%d buttons, want %d", got, c.want)
			}
			if s := eval[string](t, ctx, `document.getElementById("drawing").innerText`); !strings.Contains(s, "WeChat Pay") {
				t.Errorf("the square says %q", s)
			}
		})
	}
}

func TestTheLastMinuteTakesAwayNoHelpAndNoQuestion(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	ending := codeView(59 * time.Second)
	ending.Screen = "code_ending"
	t.Run("help", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		f.press(t, "help")
		f.sees(t, title+` === "No internet on your phone?"`)
		f.show(t, ending)
		f.sees(t, `document.body.dataset.kind === "help_net" && document.getElementById("clock").innerText.startsWith("0:5")`)
	})
	t.Run("question", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		f.press(t, "cancel")
		f.sees(t, `(`+asks+`) === "Cancel the payment?"`)
		f.show(t, ending)
		f.sees(t, `document.getElementById("clock").innerText.startsWith("0:5") && (`+asks+`) === "Cancel the payment?"`)
	})
}
