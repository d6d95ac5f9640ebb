package coordinator

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
)

// TestDamagedLog: a log that was cut off or overwritten is an error that says so, or is read; it is never a panic.
func TestDamagedLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raft")
	s, err := OpenStores(dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(300) {
		if err := s.Log.StoreLog(&raft.Log{Index: i + 1, Term: 1, Data: make([]byte, 100)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	open := func(data []byte) {
		t.Helper()
		// A folder for each: where bbolt panics it keeps its lock, as long as the process lasts.
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "log.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStores(dir, zap.NewNop())
		if err == nil {
			err = s.Close()
		} else if refused++; !strings.Contains(err.Error(), "log.db") {
			t.Errorf("%v does not say which file", err)
		}
		_ = err // a log of which only unread pages are damaged may open, and close
	}
	for size := 1; size < len(whole); size += 4096 {
		open(whole[:size-1])
		open(whole[:size])
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		data := append([]byte(nil), whole...)
		for range 3 {
			at := rnd.IntN(len(data) - 512)
			for i := range 512 {
				data[at+i] = byte(rnd.Uint32())
			}
		}
		open(data)
	}
	t.Logf("%d of them are refused", refused)
	if refused < 10 {
		t.Error("too few")
	}
}
