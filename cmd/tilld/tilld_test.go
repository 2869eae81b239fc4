package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/internal/stories"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tilld": main})
}

// TestStories runs each story of testdata with the real program.
func TestStories(t *testing.T) { stories.Run(t, nil) }
