package main

import (
	"strings"
	"sync"
	"testing"

	"github.com/rainsql/rainsql/internal/progress"
)

// screen is a terminal, on which results and progress both stand.
type screen struct {
	mu    sync.Mutex
	text  strings.Builder
	drawn chan struct{} // closed after the first write
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.Len() == 0 {
		close(s.drawn)
	}
	return s.text.Write(p)
}

// Before anything is written the line of progress is gone, and stays away, also
// where out is a pipe: its other end may be on the same terminal.
func TestProgressGivesWay(t *testing.T) {
	for name, write := range map[string]func(*handler) error{
		"rows": func(h *handler) error { _, err := h.visible().Write([]byte("text\n")); return err },
		"text": func(h *handler) error { return h.Text("text\n") },
		"notice": func(h *handler) error {
			h.Notice("text")
			return nil
		},
	} {
		s := &screen{drawn: make(chan struct{})}
		h := &handler{out: s, err: s, line: progress.Show(s, progress.Options{}, func(int) string { return "42%" })}
		<-s.drawn
		if err := write(h); err != nil {
			t.Fatal(err)
		}
		h.hide()
		if got := s.text.String(); !strings.HasSuffix(got, "42%\r\x1b[Ktext\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Of a file, a query's progress says nothing unless it is asked for.
func TestProgressIsForTerminals(t *testing.T) {
	for _, args := range [][]string{{}, {"--progress", "auto"}, {"--progress", "off"}} {
		args = append(args, "-c", "FROM range(3) AGGREGATE count(*) AS n")
		if code, out, errs := invoke(t, "", args...); code != 0 || out != "n\n3\n" || errs != "" {
			t.Errorf("%v: status %d, %q, %q", args, code, out, errs)
		}
	}
	if code, _, errs := invoke(t, "", "--progress", "maybe", "-c", ""); code != exitUsage || !strings.Contains(errs, "unknown --progress") {
		t.Errorf("status %d, %q", code, errs)
	}
}
