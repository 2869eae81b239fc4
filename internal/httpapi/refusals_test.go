package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/httpapi"
)

// TestWhoIsTurnedAwayIsCounted: each reason on its own, the first at once, the rest in fewer and fewer lines, anew after a
// quiet time, and no word of the caller's in any of them.
func TestWhoIsTurnedAwayIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logs{}
		a := httpapi.New(httpapi.Config{
			Title: "test", Version: "1", Hosts: []string{"box:1"}, Origins: []string{"http://box:1"},
			Log: slog.New(slog.NewTextHandler(log, nil)),
			Admit: func(r *http.Request, _ httpapi.Route) (context.Context, error) {
				if r.Header.Get("Authorization") != "" {
					return nil, httpapi.Refuse(httpapi.Forbidden)
				}
				return nil, httpapi.Refuse(httpapi.Unauthorized)
			},
		})
		httpapi.Handle(a, httpapi.Route{ID: "look", Method: "GET", Path: "/things", Summary: "look", Allow: []string{"me"}},
			func(context.Context, *struct{}) (*reply, error) { return &reply{}, nil })
		a.Mount("/page/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
		h := a.Handler()
		ask := func(path, host string, head ...string) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL.Host, r.URL.Scheme, r.Host = "", "", host
			for i := 0; i < len(head); i += 2 {
				r.Header.Set(head[i], head[i+1])
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		told := func(code string) (times []string) {
			for line := range strings.SplitSeq(log.String(), "\n") {
				if n, ok := strings.CutPrefix(line[strings.Index(line, " ")+1:], `level=WARN msg="callers turned away" code=`+code+" times="); ok {
					times = append(times, n)
				}
			}
			return times
		}
		for range 1000 {
			ask("/things", canary+".example")
		}
		ask("/things", "box:1", "Origin", "http://"+canary+".example")
		ask("/things", "box:1")
		ask("/things", "box:1", "Authorization", "Bearer "+canary)
		ask("/page/", "box:1")
		ask("/nothing", "box:1") // is no refusal: nobody was kept out
		for code, want := range map[string]string{
			httpapi.HostRefused: "[1 2 4 8 16 32 64 128 256 512]", httpapi.OriginRefused: "[1]", httpapi.Unauthorized: "[1]",
			httpapi.Forbidden: "[1 2]",
		} {
			if got := fmt.Sprint(told(code)); got != want {
				t.Errorf("%s was told at %s, want %s", code, got, want)
			}
		}
		time.Sleep(time.Hour)
		ask("/things", canary+".example")
		if got := told(httpapi.HostRefused); len(got) != 11 || got[10] != "1" {
			t.Errorf("after a quiet hour: %v", got)
		}
		if strings.Contains(log.String(), canary) || strings.Count(log.String(), "\n") != 15 {
			t.Errorf("the log:\n%s", log.String())
		}
	})
}
