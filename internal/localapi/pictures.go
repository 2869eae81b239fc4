package localapi

import (
	"fmt"
	"net/http"

	"tilld/internal/httpapi"
	"tilld/payment/lane"
)

type pngInput struct {
	IDInput
	Scale int `query:"scale" minimum:"1" maximum:"40" default:"8" doc:"Pixels per module"`
}

// pictures adds the code as a picture, for tills that show it themselves. It is gone from the moment the code leaves the
// glass; no cache may keep it (every answer of this API says so).
func (s *server) pictures(a *httpapi.API) {
	route := func(id, tail, media string) httpapi.Route {
		return httpapi.Route{
			ID: id, Method: http.MethodGet, Path: "/v1/payments/{id}/" + tail, Tag: "payments", Allow: []Role{Till, Supervisor, Kiosk},
			Summary: "The live code as a picture", Codes: []string{lane.NoNotFound, lane.NoCodeNotLive, httpapi.StorageStopped, lane.NoUnavailable},
			Replies: []httpapi.Reply{{Status: http.StatusOK, Text: "The code", Type: media, Binary: true}},
		}
	}
	httpapi.HandleHTTP(a, route("payment_qr_png", "qr.png", "image/png"), func(w http.ResponseWriter, r *http.Request, in *pngInput) error {
		return s.picture(w, r, in.ID, "image/png", func(payload string) ([]byte, error) { return s.own.Drawing.PNG(payload, in.Scale) })
	})
	httpapi.HandleHTTP(a, route("payment_qr_svg", "qr.svg", "image/svg+xml"), func(w http.ResponseWriter, r *http.Request, in *IDInput) error {
		return s.picture(w, r, in.ID, "image/svg+xml", s.own.Drawing.SVG)
	})
}

func (s *server) picture(w http.ResponseWriter, r *http.Request, id, media string, draw func(string) ([]byte, error)) error {
	if _, err := s.seen(r.Context(), id); err != nil {
		return err
	}
	payload, err := s.own.Payments.Payload(r.Context(), id)
	if err != nil {
		return s.no(r.Context(), err)
	}
	b, err := draw(payload)
	if err != nil {
		return fmt.Errorf("draw the code of %s: %w", id, err)
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_, _ = w.Write(b) // the caller has gone
	return nil
}
