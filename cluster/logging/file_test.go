//go:build unix

package logging

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/zap/zapcore"
)

// TestFileHangs: who logs does not wait for a file that nobody can write to, such as a pipe without a reader.
func TestFileHangs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	logger, log, err := Open(dir, zapcore.InfoLevel, nil)
	if err != nil {
		t.Fatal(err)
	}
	const lines = 10
	for range lines {
		logger.Info("x")
	}
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if text, err := io.ReadAll(r); err != nil || bytes.Count(text, []byte("\n")) != lines {
		t.Errorf("%q, %v", text, err)
	}
}
