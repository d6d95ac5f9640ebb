package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/sdfs"
)

// several are engines whose tasks write together: in this process, in parts of it, and elsewhere.
func several(t *testing.T, splitBytes int64, test func(t *testing.T, e *engine.Engine, s *sdfs.Embedded)) {
	t.Helper()
	for _, name := range []string{"here", "elsewhere"} {
		t.Run(name, func(t *testing.T) {
			s, err := sdfs.Open(t.Context(), sdfs.Config{Dir: t.TempDir()})
			check(t, err)
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			cfg := engine.Config{Files: s.Store, Alloc: mem, Parallelism: 4, SplitBytes: splitBytes}
			if name == "elsewhere" {
				cfg.Remote, cfg.Run = true, (&elsewhere{files: s.Store}).run
			}
			e := engine.New(cfg)
			test(t, e, s)
			check(t, e.Close())
			check(t, s.Close())
			mem.AssertSize(t, 0)
		})
	}
}

// numbered is a file of n rows.
func numbered(n int) string {
	var sb strings.Builder
	sb.WriteString("n,s\n")
	for i := range n {
		fmt.Fprintf(&sb, "%d,row %d %s\n", i, i, strings.Repeat("x", i%50))
	}
	return sb.String()
}

// A file that all tasks write has all rows, in order, in few blocks, and is told of once.
func TestWrittenTogether(t *testing.T) {
	text := numbered(300_000)
	several(t, 64<<10, func(t *testing.T, e *engine.Engine, s *sdfs.Embedded) {
		put(t, s.Store, "in.csv", text, sdfs.Replace)
		h := &told{}
		check(t, e.NewSession(nil).Run(t.Context(), "test", `
			FROM 'in.csv' TEE INTO 'all.csv' FILTER n % 3 = 0 TRANSFORM n TEE INTO 'parts/' (format = 'csv') FILTER n < 900 INTO 'some.jsonl';
			FROM 'parts/*' AGGREGATE count(*) AS c, sum(n) AS s;`, h))
		if got := content(t, s.Store, "all.csv"); got != text {
			t.Errorf("a copy of %d bytes has %d, or others", len(text), len(got))
		}
		var want strings.Builder
		for i := range 300 {
			fmt.Fprintf(&want, "{\"n\":%d}\n", 3*i)
		}
		if got := content(t, s.Store, "some.jsonl"); got != want.String() {
			t.Errorf("got %s", got)
		}
		if want := "c,s\n100000,14999850000\n"; h.String() != want {
			t.Errorf("the parts have %s", h)
		}
		slices.Sort(h.notices)
		if want := []string{"wrote 100,000 rows to parts/", "wrote 300 rows to some.jsonl", "wrote 300,000 rows to all.csv"}; !slices.Equal(h.notices, want) {
			t.Errorf("told %q", h.notices)
		}
		if rows := h.rows(); !slices.Equal(rows, []int64{400_300, 1}) {
			t.Errorf("rows %v", rows)
		}
		for name, most := range map[string]int{"all.csv": 4 * 300, "some.jsonl": 4} {
			info, err := s.Stat(t.Context(), name)
			check(t, err)
			if info.Blocks > most {
				t.Errorf("%s has %d blocks", name, info.Blocks)
			}
			t.Log(name, info.Blocks)
		}
	})
}

// What is appended begins a line of its own, without a header.
func TestAppendedTogether(t *testing.T) {
	several(t, 1000, func(t *testing.T, e *engine.Engine, s *sdfs.Embedded) {
		text := numbered(500)
		_, rows, _ := strings.Cut(text, "\n")
		put(t, s.Store, "in.csv", text, sdfs.Replace)
		put(t, s.Store, "cut.csv", "n,s\n7,seven", sdfs.Replace)
		put(t, s.Store, "empty.csv", "", sdfs.Replace)
		put(t, s.Store, "head.csv", "n,s", sdfs.Replace)
		for name, want := range map[string]string{"cut.csv": "n,s\n7,seven\n" + rows, "empty.csv": text, "head.csv": text, "new.csv": text} {
			for round := range 2 {
				check(t, e.NewSession(nil).Run(t.Context(), "test", "FROM 'in.csv' INTO '"+name+"' (mode = 'append')", &told{}))
				if got := content(t, s.Store, name); got != want {
					t.Errorf("%s, round %d: got\n%s", name, round, got)
				}
				want += rows
			}
		}
	})
}

// A query that fails leaves nothing of what its tasks have written.
func TestFailedTogether(t *testing.T) {
	several(t, 64<<10, func(t *testing.T, e *engine.Engine, s *sdfs.Embedded) {
		put(t, s.Store, "in.csv", numbered(200_000), sdfs.Replace)
		put(t, s.Store, "old/1.csv", "n\n1\n", sdfs.Replace)
		put(t, s.Store, "old.csv", "n\n1\n", sdfs.Replace)
		before := s.Usage()
		for query, why := range map[string]string{
			"FROM 'in.csv' TEE INTO 'a.csv' TEE INTO 'd/' TRANSFORM 1 // (n - 190000) AS n INTO 'old.csv'":    "division by zero",
			"FROM 'in.csv' TEE INTO 'a.csv' TRANSFORM 1 // (n - 190000) AS n INTO 'old/'":                     "division by zero",
			"FROM 'in.csv' TEE INTO 'a.csv' TRANSFORM n INTO 'old/' (mode = 'error')":                         "old/: has files already",
			"FROM 'in.csv' TEE INTO 'd/' INTO 'old.csv' (mode = 'append')":                                    "its header is not",
			"FROM 'in.csv' TEE INTO 'd/' TRANSFORM n INTO 'old.csv' (mode = 'error')":                         "exists already",
			"FROM 'in.csv' TRANSFORM CASE WHEN n = 190000 THEN ',' ELSE s END AS s INTO 'a.csv' (quote = '')": "needs quotes",
		} {
			h := &told{}
			err := e.NewSession(nil).Run(t.Context(), "test", query, h)
			if err == nil || !strings.Contains(err.Error(), why) || len(h.notices) > 0 {
				t.Errorf("%s: %v, %q", query, err, h.notices)
			}
		}
		list, err := s.List(t.Context(), "")
		check(t, err)
		if names := each(list, func(i sdfs.Info) string { return i.Name }); !slices.Equal(names, []string{"in.csv", "old.csv", "old/1.csv"}) {
			t.Errorf("there is %q", names)
		}
		if a, b := content(t, s.Store, "old.csv"), content(t, s.Store, "old/1.csv"); a != "n\n1\n" || b != a {
			t.Errorf("%q, %q", a, b)
		}
		report, err := s.Check(t.Context(), nil)
		check(t, err)
		after := s.Usage()
		if len(report.Orphans) > 0 || len(report.Faults) > 0 || after.DiskBytes-after.DeadBytes > before.DiskBytes {
			t.Errorf("left behind: %v, %v, %+v, before %+v", report.Orphans, report.Faults, after, before)
		}
	})
}
