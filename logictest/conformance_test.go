package logictest

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task/tasktest"
)

// TestConformance runs queries over real data, whose answers another engine gave.
func TestConformance(t *testing.T) {
	shared, err := filepath.Abs("../../shared")
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(shared, "conformance", "*.rql"))
	if len(paths) == 0 {
		t.Skip("the shared data is not here")
	}
	t.Chdir(filepath.Join(shared, "data"))
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".rql")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, cfg := range []engine.Config{{}, {Parallelism: 1}, {Parallelism: 4, SplitBytes: 1000}, {Parallelism: 4, Run: tasktest.InParts(3)}} {
				got, err := execute(t, cfg, string(src))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(strings.TrimSuffix(p, ".rql") + ".csv")
				if err != nil {
					t.Fatal(err)
				}
				ordered := strings.HasPrefix(string(src), "-- ordered")
				if err := compare(got, string(want), ordered); err != nil {
					t.Errorf("%+v: %v", cfg, err)
				}
			}
		})
	}
}

// TestConformanceInOtherFormats runs the same queries over the same rows, put
// first into other formats and into the file store.
func TestConformanceInOtherFormats(t *testing.T) {
	shared, err := filepath.Abs("../../shared")
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(shared, "conformance", "*.rql"))
	if len(paths) == 0 {
		t.Skip("the shared data is not here")
	}
	t.Chdir(t.TempDir())
	places := []string{"./%.parquet", "./%.arrow", "./%.jsonl.zst", "./%.csv.gz", "./%.json", "%.csv", "in/%.parquet"}
	local := regexp.MustCompile(`'\./([a-z0-9_-]+)\.(csv|json|parquet)'( \()?`)
	made := map[string]bool{}
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".rql")
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(p, ".rql") + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		src := string(b)
		found := local.FindStringSubmatch(src)
		if found[3] != "" || found[1] == "flights-3m" {
			continue // about its format, or large
		}
		for _, place := range places {
			t.Run(name+" "+place, func(t *testing.T) {
				src := local.ReplaceAllStringFunc(src, func(old string) string {
					m := local.FindStringSubmatch(old)
					to := strings.ReplaceAll(place, "%", m[1])
					if !made[to] {
						made[to] = true
						from := filepath.Join(shared, "data", m[1]+"."+m[2])
						if _, err := execute(t, engine.Config{}, fmt.Sprintf("FROM '%s' INTO '%s'", from, to)); err != nil {
							t.Fatal(err)
						}
					}
					return "'" + to + "'"
				})
				got, err := execute(t, engine.Config{Parallelism: 3, SplitBytes: 10_000}, src)
				if err != nil {
					t.Fatal(err)
				}
				if err := compare(got, string(want), strings.HasPrefix(src, "-- ordered")); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// compare holds two results against each other: numbers to 1e-9 of their size,
// times by value, rows in order or as sets.
func compare(got, want string, ordered bool) error {
	g, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil {
		return err
	}
	w, err := csv.NewReader(strings.NewReader(want)).ReadAll()
	if err != nil {
		return err
	}
	if len(g) != len(w) {
		return fmt.Errorf("%d rows, want %d", len(g)-1, len(w)-1)
	}
	if !ordered {
		byText := func(a, b []string) int { return slices.Compare(a, b) }
		slices.SortFunc(g[1:], byText)
		slices.SortFunc(w[1:], byText)
	}
	for i := range w {
		if len(g[i]) != len(w[i]) {
			return fmt.Errorf("row %d has %d fields, want %d", i, len(g[i]), len(w[i]))
		}
		for j := range w[i] {
			if !same(g[i][j], w[i][j]) {
				return fmt.Errorf("row %d, %s: %q, want %q", i, w[0][j], g[i][j], w[i][j])
			}
		}
	}
	return nil
}

func same(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 == nil && err2 == nil {
		return math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))
	}
	t1, ok1 := parseTime(a)
	t2, ok2 := parseTime(b)
	return ok1 && ok2 && t1.Equal(t2)
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
