package bank

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keep writes an order to the state directory: beside the old one, synced, then renamed over it.
func (b *Bank) keep(o *order) (err error) {
	if b.cfg.State == "" {
		return nil
	}
	data, err := json.MarshalIndent(o, "", "\t")
	if err != nil {
		return fmt.Errorf("encode order: %w", err)
	}
	f, err := os.CreateTemp(b.cfg.State, ".order-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left is ignored at the next start
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), filepath.Join(b.cfg.State, o.ID+".json")); err != nil {
		return err
	}
	d, err := os.Open(b.cfg.State)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load reads every order of the state directory. A file that doesn't read is a bank that doesn't open: money is in it.
func (b *Bank) load() error {
	if b.cfg.State == "" {
		return nil
	}
	if err := os.MkdirAll(b.cfg.State, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(b.cfg.State)
	if err != nil {
		return err
	}
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok || !validID(id) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(b.cfg.State, f.Name()))
		if err != nil {
			return err
		}
		o := &order{}
		if err := json.Unmarshal(data, o); err != nil || o.ID != id {
			return fmt.Errorf("read order %s of the sandbox bank: the file is damaged", f.Name())
		}
		b.orders[id] = o
		if !o.next().IsZero() {
			b.live[id] = o
		}
		if o.Payload != "" {
			b.payloads[o.Payload] = o
		}
	}
	return nil
}
