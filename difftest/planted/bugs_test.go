package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTextsAreThere sees to it that the bugs can still be planted.
func TestTextsAreThere(t *testing.T) {
	for _, b := range bugs {
		src, err := os.ReadFile(filepath.Join("..", "..", b.file))
		if err != nil {
			t.Error(err)
		} else if n := strings.Count(string(src), b.old); n != 1 {
			t.Errorf("%s: its text stands %d times in %s", b.name, n, b.file)
		}
	}
}
