package logictest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task/tasktest"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/planner/optimize"
	"github.com/rainsql/rainsql/sdfs"
)

var rewrite = flag.Bool("rewrite", false, "write down what the tests give now")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.test")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(p), ".test"), func(t *testing.T) { runFile(t, abs) })
	}
}

func runFile(t *testing.T, path string) {
	blocks, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for i := range blocks {
		b := &blocks[i]
		if b.kind == comment {
			continue
		}
		got := run(t, b)
		if *rewrite {
			b.want = got
		} else if got != b.want {
			t.Errorf("%s:%d: %s\n%s--- got\n%s--- want\n%s", filepath.Base(path), b.line, b.kind, b.text, got, b.want)
		}
	}
	if *rewrite {
		if err := write(path, blocks); err != nil {
			t.Fatal(err)
		}
	}
}

// variants are the ways in which every script must give the same.
func variants() map[string]engine.Config {
	out := map[string]engine.Config{
		"one task":    {Parallelism: 1},
		"four tasks":  {Parallelism: 4, SplitBytes: 64},
		"tiny splits": {Parallelism: 3, SplitBytes: 7},
		"three parts": {Parallelism: 4, SplitBytes: 16, Run: tasktest.InParts(3)},
	}
	for _, r := range optimize.Rules() {
		out["without "+r.Name] = engine.Config{Parallelism: 2, SplitBytes: 32, DisableRules: map[string]bool{r.Name: true}}
	}
	return out
}

func run(t *testing.T, b *block) string {
	t.Helper()
	switch b.kind {
	case "file":
		if err := os.WriteFile(b.arg, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
		return ""
	case "plan", "stages":
		out, err := execute(t, engine.Config{Parallelism: 4, SplitBytes: 16}, "EXPLAIN "+b.text)
		if err != nil {
			t.Fatalf("%s: %v", b.text, err)
		}
		_, plan, _ := strings.Cut(out, "-- optimised plan")
		_, plan, _ = strings.Cut(plan, "\n")
		plan, stages, _ := strings.Cut(plan, "\n-- stages\n")
		if b.kind == "stages" {
			return stages
		}
		return plan
	}
	base := outcome(t, b, engine.Config{Parallelism: 2})
	for name, cfg := range variants() {
		if got := outcome(t, b, cfg); got != base {
			t.Errorf("line %d: %s gives something else:\n%s--- %s\n%s--- usual\n%s", b.line, name, b.text, name, got, base)
		}
	}
	return base
}

// outcome is what a script gives: rows, an error, or the file it wrote.
func outcome(t *testing.T, b *block, cfg engine.Config) string {
	t.Helper()
	out, err := execute(t, cfg, b.text)
	if b.kind == "error" {
		if err == nil {
			t.Errorf("line %d: no error\n%s", b.line, b.text)
			return ""
		}
		return err.Error() + "\n"
	}
	if err != nil {
		t.Errorf("line %d: %v\n%s", b.line, err, b.text)
		return ""
	}
	if b.kind == "show" {
		written, err := os.ReadFile(b.arg)
		if err != nil {
			t.Errorf("line %d: %v", b.line, err)
		}
		out = string(written)
	}
	if b.kind == "rows" {
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		slices.Sort(lines[1:])
		out = strings.Join(lines, "\n") + "\n"
	}
	return out
}

// scriptParams are the values of the parameters that the test files use.
var scriptParams = map[string]string{"n": "2", "name": "b"}

// execute runs a script with the parameters that the test files use.
func execute(t *testing.T, cfg engine.Config, src string) (string, error) {
	t.Helper()
	cfg.Store = sdfs.Config{Dir: ".sdfs"} // in the folder of the test
	return enginetest.Run(t, cfg, scriptParams, "test.rql", src)
}
