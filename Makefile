# Two commands are enough for a new machine: `make demo`, which needs Go alone, and `make test`, which installs what it lacks
# and says so. Three depths: `go test ./...` (no tools) · `make test` (what CI runs) · `make prove` (full figures).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
BIN     := bin
TOOLS   := .cache/tools
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
COMMANDS := tilld tillctl integrator demo

.PHONY: build demo test prove usb-bench soak bench lint fmt cross clean need-go need-test

build: need-go ## bin/tilld bin/tillctl bin/integrator bin/demo
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ $(addprefix ./cmd/,$(COMMANDS))

demo: build ## a whole shop on this machine: page 127.0.0.1:7370, tilld 7373, integrator 7474, bank 7475
	$(BIN)/demo

test: need-test ## what CI runs: vet, linter, race, processes, each fuzz target 2 s
	@scripts/test

prove: need-test ## the full figures, kept in docs/proof/
	@scripts/prove

usb-bench: need-test ## real USB drivers in a virtual machine: the full run
	@scripts/usb-bench full

soak: need-test ## what takes longer than an hour
	@scripts/soak

bench: need-test ## benchmarks, each beside its floor
	@scripts/bench

lint: need-test
	$(TOOLS)/golangci-lint run

fmt: need-test
	$(TOOLS)/gofumpt -w $$(git ls-files '*.go')

cross: need-go ## builds without cgo for what tills are made of
	@for a in amd64 arm64 arm; do echo "build linux/$$a without cgo"; CGO_ENABLED=0 GOOS=linux GOARCH=$$a $(GO) build -o /dev/null ./cmd/tilld; CGO_ENABLED=0 GOOS=linux GOARCH=$$a $(GO) build -o /dev/null ./cmd/integrator; done

clean:
	rm -rf $(BIN) .cache

need-go:
	@scripts/need go

need-test:
	@scripts/need test
