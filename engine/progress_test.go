package engine_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
)

// watcher notes in what order a session calls it, and how far the query was
// when it ended.
type watcher struct {
	quiet
	calls []string
	end   engine.Snapshot
}

func (w *watcher) Watch(p *engine.Progress) func() {
	w.calls = append(w.calls, "watch")
	return func() {
		w.calls = append(w.calls, "ended")
		w.end = p.Snapshot()
	}
}

func (w *watcher) Rows(s types.Schema) (connect.Sink, error) {
	w.calls = append(w.calls, "rows")
	return w.quiet.Rows(s)
}
func (w *watcher) Notice(string)       { w.calls = append(w.calls, "notice") }
func (w *watcher) Done(engine.Summary) { w.calls = append(w.calls, "done") }

func TestProgress(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "a,b\n" + strings.Repeat("1,some text\n", 5000)
	size := int64(len(text))
	for _, name := range []string{"a.csv", "part-1.csv", "part-2.csv"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create("a.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("a.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{"rows", "watch", "ended", "done"}
	for _, tt := range []struct {
		query       string
		calls       []string
		rows, total int64
	}{
		{"FROM './a.csv'", rows, 5000, size},
		{"FROM './a.csv' TRANSFORM a", rows, 5000, size},
		{"FROM './part-*.csv'", rows, 10_000, 2 * size},
		{"FROM './a.csv' UNION ALL (FROM './part-1.csv')", rows, 10_000, 2 * size},
		{"FROM './a.csv.gz' AGGREGATE sum(a) AS s", rows, 5000, info.Size()},
		{"FROM range(0, 70000)", rows, 70_000, 0},
		{"FROM './a.csv' INTO './b.csv'", []string{"watch", "ended", "notice", "done"}, 5000, size},
		{"EXPLAIN ANALYZE FROM './a.csv'", []string{"watch", "ended", "done"}, 5000, size},
		{"SUMMARIZE './a.csv'", []string{"watch", "ended", "rows", "done"}, 5000, size},
	} {
		w := &watcher{}
		e := engine.New(engine.Config{Parallelism: 2, SplitBytes: 4096})
		if err := e.NewSession(nil).Run(context.Background(), "test", tt.query, w); err != nil {
			t.Fatalf("%s: %v", tt.query, err)
		}
		if !slices.Equal(w.calls, tt.calls) {
			t.Errorf("%s: called %v, want %v", tt.query, w.calls, tt.calls)
		}
		if w.end.Rows != tt.rows || w.end.Total != tt.total || w.end.Done != tt.total || w.end.Memory != 0 {
			t.Errorf("%s: ended at %+v, want %d rows of %d bytes", tt.query, w.end, tt.rows, tt.total)
		}
	}
}

// The end of a pipe is not known.
func TestProgressOfPipe(t *testing.T) {
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := p.WriteString("a\n1\n2\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	w := &watcher{}
	err = engine.New(engine.Config{}).NewSession(nil).Run(context.Background(), "test", fmt.Sprintf("FROM '/dev/fd/%d' (format = 'csv')", r.Fd()), w)
	if err != nil || w.end.Rows != 2 || w.end.Total != -1 {
		t.Errorf("%+v, %v", w.end, err)
	}
}
