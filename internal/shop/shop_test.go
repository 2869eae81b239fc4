package shop_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestShop opens one whole shop in this process and sells in it. Its folder has a name that a person may give it.
func TestShop(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{State: filepath.Join(t.TempDir(), `it's "one, two": магазин №1`)})
	t.Run("ShownCodeIsPaidConfirmedAndPartReturned", func(t *testing.T) { showSale(r.on(t)) })
	t.Run("ScannedCodeIsPaidAndConfirmed", func(t *testing.T) { scanSale(r.on(t)) })
	t.Run("CanceledInTimeFreesTheSaleForOtherMoney", func(t *testing.T) { cancelSale(r.on(t)) })
	t.Run("PageAnswersItselfAlone", func(t *testing.T) { pageGuard(r.on(t)) })
	t.Run("BadDaysThatAreNone", func(t *testing.T) { badDayRefused(r.on(t)) })
	r.balanced(5 * time.Second)
}

// on is the rig in a subtest.
func (r *rig) on(t *testing.T) *rig {
	c := *r
	c.t = restating{t, r.t.(restating).failures}
	return &c
}

func showSale(r *rig) {
	p := r.create(client.NewPayment{Reference: "show-1", Amount: rub(12550), Mode: "show"})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	if p.Lights.HandOver || p.Lights.OtherTender {
		r.t.Errorf("an open payment has a light on: %+v", p.Lights)
	}
	r.pay(p.QR.Payload, nil)
	p = r.untilState(p.ID, 5*time.Second, "paid")
	if !p.Lights.HandOver || p.QR != nil {
		r.t.Errorf("paid: hand_over %v, code %v", p.Lights.HandOver, p.QR)
	}
	r.poleSays("PAID")
	if _, err := r.api.Picture(r.t.Context(), p.ID, "png", 0); !client.Is(err, "code_not_live") {
		r.t.Errorf("the picture of a paid code: %v", err)
	}
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	back := rub(5000)
	for range 2 { // the same reference is the same return
		if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "show-1-back", Amount: &back}); err != nil {
			r.t.Fatal(err)
		}
	}
	p = r.until(p.ID, 5*time.Second, "part returned", func(p client.Payment) bool { return p.Returned.Value == 5000 && p.Owed.Value == 0 })
	if p.State != "part_returned" || len(p.Returns) != 1 || p.Returns[0].State != "done" {
		r.t.Errorf("after the return: %s, %+v", p.State, p.Returns)
	}
}

func scanSale(r *rig) {
	p := r.create(client.NewPayment{Reference: "scan-1", Amount: rub(33000), Mode: "scan"})
	r.untilState(p.ID, 5*time.Second, "open")
	r.scan(r.walletCode())
	p = r.untilState(p.ID, 5*time.Second, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, 5*time.Second, "confirmed")
}

func cancelSale(r *rig) {
	p := r.create(client.NewPayment{Reference: "cancel-1", Amount: rub(9900), Mode: "show"})
	r.untilState(p.ID, 5*time.Second, "open")
	if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "cancel-1-back"}); err != nil {
		r.t.Fatal(err)
	}
	p = r.untilState(p.ID, 10*time.Second, "canceled")
	if p.Lights.HandOver || !p.Lights.OtherTender {
		r.t.Errorf("canceled: %+v", p.Lights)
	}
}

// poleSays waits until the glass shows the word.
func (r *rig) poleSays(word string) {
	r.t.Helper()
	limit := time.Now().Add(tryLimit)
	for !strings.Contains(r.pole(), word) {
		if time.Now().After(limit) {
			r.t.Fatalf("the pole never said %q, it says:\n%s", word, r.pole())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func pageGuard(r *rig) {
	ask := func(method, path, host, origin, body string) (int, []byte) {
		req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.cfg.Listen+path, strings.NewReader(body))
		if err != nil {
			r.t.Fatal(err)
		}
		req.Host = host
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		a, err := http.DefaultClient.Do(req)
		if err != nil {
			r.t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		return a.StatusCode, b
	}
	own := r.cfg.Listen
	for _, c := range []struct {
		method, path, host, origin, body string
		want                             int
	}{
		{"GET", "/", own, "", "", 200},
		{"GET", "/pole", own, "http://" + own, "", 200},
		{"GET", "/pole", "evil.example", "", "", 403},
		{"GET", "/pole", own, "http://evil.example", "", 403},
		{"POST", "/scan", own, "null", `{"text":"4600000000017"}`, 403},
		{"POST", "/scan", own, "", `{"text":"4600000000017"}`, 204},
		{"POST", "/scan", own, "", `{"text":""}`, 422},
		{"POST", "/scan", own, "", `{"text":"a\rb"}`, 422},
		{"POST", "/scan", own, "", `{"text":"a","more":1}`, 422},
		{"POST", "/scan", own, "", `[`, 422},
		{"POST", "/world/link", own, "http://evil.example", `{"state":"cut"}`, 403},
		{"POST", "/world/link", "evil.example", "", `{"state":"cut"}`, 403},
		{"POST", "/wallet/code", own, "http://evil.example", `{}`, 403},
		{"POST", "/wallet/code", own, "http://" + own, `{}`, 200},
		{"POST", "/qr", own, "http://" + own, `{"text":"hello"}`, 200},
		{"GET", "/world/link", own, "", "", 404},
		{"GET", "/nothing", own, "", "", 404},
	} {
		if got, _ := ask(c.method, c.path, c.host, c.origin, c.body); got != c.want {
			r.t.Errorf("%s %s, host %s, origin %q, body %s: %d, want %d", c.method, c.path, c.host, c.origin, c.body, got, c.want)
		}
	}
	_, paper := ask("GET", "/paper.png", own, "", "")
	if _, err := png.Decode(bytes.NewReader(paper)); err != nil {
		r.t.Errorf("the paper is no picture: %v", err)
	}
}

func badDayRefused(r *rig) {
	for _, c := range []struct {
		path string
		body any
		want int
	}{
		{"/world/weather", map[string]string{"state": "bad"}, 404},
		{"/world/link", map[string]string{"state": "bad"}, 422},
		{"/world/link", map[string]string{"state": ""}, 422},
		{"/world/link", map[string]string{"state": "cut", "for": "soon"}, 422},
		{"/world/link", map[string]string{"state": "cut", "for": "-1s"}, 422},
		{"/world/link", map[string]string{"state": "cut", "for": "100h"}, 422},
		{"/world/link", map[string]string{"state": "whole", "for": "5s"}, 422},
		{"/world/link", map[string]string{"states": "cut"}, 422},
		{"/wallet/steal", map[string]string{}, 404},
		{"/qr", map[string]string{"text": ""}, 422},
		{"/qr", map[string]string{"text": strings.Repeat("x", 8000)}, 422},
	} {
		if got, body := r.post(r.cfg.Listen, c.path, c.body); got != c.want {
			r.t.Errorf("%s %v: %d %s, want %d", c.path, c.body, got, body, c.want)
		}
	}
}

// TestShopListensOnLoopbackAlone: a demo whose token everybody knows.
func TestShopListensOnLoopbackAlone(t *testing.T) {
	local := shop.Config{State: t.TempDir(), Listen: "127.0.0.1:1", TilldListen: "localhost:1", IntegratorListen: "[::1]:1", BankListen: "127.0.0.2:1"}
	if _, err := shop.New(local, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("loopback: %v", err)
	}
	for _, a := range []string{"0.0.0.0:1", ":1", "192.0.2.1:1", "shop.example:1", "127.0.0.1", ""} {
		c := local
		c.BankListen = a
		if _, err := shop.New(c, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q was taken", a)
		}
	}
}

// TestShopEndsWhileItOpens: being told to stop is a normal end at any moment.
func TestShopEndsWhileItOpens(t *testing.T) {
	ports := freePorts(t, 4)
	s, err := shop.New(shop.Config{
		State: t.TempDir(), Listen: ports[0], TilldListen: ports[1], IntegratorListen: ports[2], BankListen: ports[3],
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx, func() {}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}
