// Command empty is the least that a daemon with tilld's libraries can be: it uses each of them once, as a daemon does when
// it starts, then answers one probe and does nothing else. It is the floor of the benchmarks of a start and of idling. A
// library that is imported and not called would be left out by the linker, and would be no floor.
package main

import (
	"context"
	"database/sql"
	"errors"
	"image"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/goccy/go-yaml"
	"github.com/gorilla/websocket"
	"github.com/hennedo/escpos"
	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/miekg/dns"
	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/skip2/go-qrcode"
	"github.com/spf13/cobra"
	"go.bug.st/serial"
	_ "modernc.org/sqlite"
)

func main() {
	c := &cobra.Command{Use: "empty ADDRESS DIRECTORY", Args: cobra.ExactArgs(2), RunE: func(_ *cobra.Command, args []string) error {
		return run(args[0], args[1])
	}}
	if err := c.Execute(); err != nil {
		os.Exit(1)
	}
}

func run(addr, dir string) error {
	db, err := database(filepath.Join(dir, "empty.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := once(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	huma.Get(humago.New(mux, huma.DefaultConfig("empty", "1")), "/thing", func(context.Context, *struct{}) (*struct{ Body struct{ Name string } }, error) {
		return nil, huma.Error404NotFound("nothing here")
	})
	all := prometheus.NewRegistry()
	all.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "empty"}))
	mux.Handle("/metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{}))
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		if c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil); err == nil {
			_ = c.Close()
		}
	})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// database is a file with one table and one row.
func database(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode=wal&_pragma=synchronous=full")
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, "00001_row.sql"), []byte("-- +goose Up\nCREATE TABLE row (n INTEGER PRIMARY KEY);\n"), 0o600); err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS(dir), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, err
	}
	if _, err := p.Up(context.Background()); err != nil {
		return nil, err
	}
	_, err = db.Exec("INSERT OR REPLACE INTO row VALUES (1)")
	return db, err
}

// once uses what a daemon needs for its devices: a configuration, a code drawn and read again, a receipt, a look for lines
// and for printers, and the dialler of the link.
func once() error {
	var conf struct {
		Lanes map[string]struct{ Scanner string }
	}
	err := yaml.UnmarshalWithOptions([]byte("lanes: {\"1\": {scanner: line}}"), &conf, yaml.Strict())
	code, drawn := qrcode.New("https://qr.example/AS10003P3RH0LJ2A9ROO038L6NT5RU1M", qrcode.Medium)
	if err = errors.Join(err, drawn); err != nil {
		return err
	}
	if err := read(code.Image(256)); err != nil {
		return err
	}
	paper := escpos.New(io.Discard)
	if _, err = paper.Write("TOTAL 2400.00"); err != nil {
		return err
	}
	if _, err := serial.Open("/dev/no-such-line", &serial.Mode{BaudRate: 9600}); err == nil {
		return errors.New("a line that is not there")
	}
	question := new(dns.Msg)
	packed, err := question.SetQuestion("_printer._tcp.local.", dns.TypePTR).Pack()
	if err == nil {
		err = question.Unpack(packed)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, _, dialled := websocket.DefaultDialer.DialContext(ended, "wss://127.0.0.1:1/", nil); dialled == nil {
		log.Print("somebody answers")
	}
	return err
}

func read(m image.Image) error {
	b, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return err
	}
	_, err = zxing.NewQRCodeReader().Decode(b, nil)
	return err
}
