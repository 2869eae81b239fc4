// Command empty is the least that a daemon with tilld's libraries can be: it answers one probe and does nothing else. It
// is the floor of the benchmarks of a start and of idling.
package main

import (
	"net"
	"net/http"
	"os"

	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/goccy/go-yaml"
	_ "github.com/gorilla/websocket"
	_ "github.com/hennedo/escpos"
	_ "github.com/makiuchi-d/gozxing/qrcode"
	_ "github.com/pressly/goose/v3"
	_ "github.com/skip2/go-qrcode"
	_ "github.com/spf13/cobra"
	_ "go.bug.st/serial"
	_ "modernc.org/sqlite"
)

func main() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
}
