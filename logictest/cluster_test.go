package logictest

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/testcluster"
	"github.com/rainsql/rainsql/sdfs"
)

// put copies a local file into a store.
func put(t *testing.T, s *sdfs.Store, from, name string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	testcluster.Put(t, s, name, data)
}

func get(t *testing.T, s *sdfs.Store, name string) string {
	t.Helper()
	f, err := s.OpenFile(t.Context(), name)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func clear(t *testing.T, s *sdfs.Store) {
	t.Helper()
	all, err := s.List(t.Context(), "")
	for _, info := range all {
		if err == nil {
			err = s.Remove(context.Background(), info.Name)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unlocal has a script, or what comes of it, name files of the store where it names local ones.
var unlocal = strings.NewReplacer("./", "")

// ofPlaces tells whether a block is about external programs, which know nothing of a bubble's time, about how a script is planned, which is done by the client all the same, or about the difference between
// local files and those of the store.
func ofPlaces(b *block) bool {
	return strings.Contains(b.text, "EXEC") || b.kind == "error" && strings.HasPrefix(b.want, "test.rql:") || strings.Contains(b.want, "SDFS") || strings.Contains(b.want, "no file") || strings.Contains(b.want, "directory") || strings.Contains(b.text, "time_limit") // which the time of a bubble does not reach while something runs
}

// TestOnCluster: every script gives on one node and on three what it gives embedded.
func TestOnCluster(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.test")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			t.Chdir(t.TempDir())
			testcluster.Queries(t, nodes, func(t *testing.T, s *sdfs.Store, cfg engine.Config) {
				for _, p := range paths {
					clear(t, s)
					blocks, err := read(filepath.Join(here, p))
					if err != nil {
						t.Fatal(err)
					}
					for i := range blocks {
						onClusterToo(t, s, cfg, filepath.Base(p), &blocks[i])
					}
				}
			})
		})
	}
}

func onClusterToo(t *testing.T, s *sdfs.Store, cfg engine.Config, path string, b *block) {
	t.Helper()
	switch b.kind {
	case comment, "plan", "stages":
		return
	case "file":
		if err := os.WriteFile(b.arg, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		put(t, s, b.arg, b.arg)
		return
	}
	if ofPlaces(b) {
		return
	}
	got, err := enginetest.Run(t, cfg, scriptParams, "test.rql", unlocal.Replace(b.text))
	switch {
	case b.kind == "error" && err != nil:
		got = err.Error() + "\n"
	case err != nil:
		got = "error: " + err.Error() + "\n"
	case b.kind == "show":
		got = get(t, s, b.arg)
	case b.kind == "rows":
		lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
		slices.Sort(lines[1:])
		got = strings.Join(lines, "\n") + "\n"
	}
	if want := unlocal.Replace(b.want); got != want {
		t.Errorf("%s:%d: %s\n%s--- got\n%s--- want\n%s", path, b.line, b.kind, b.text, got, want)
	}
}

// TestConformanceOnCluster: the queries over real data give the answers that another engine gave.
func TestConformanceOnCluster(t *testing.T) {
	shared, err := filepath.Abs("../../shared")
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(shared, "conformance", "*.rql"))
	if len(paths) == 0 {
		t.Skip("the shared data is not here")
	}
	t.Chdir(filepath.Join(shared, "data"))
	// What unpacks zstd is made once in a process, and must not be a bubble's.
	if _, err := enginetest.Run(t, engine.Config{}, nil, "test.rql", "FROM './flights-3m.parquet' LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			testcluster.Queries(t, nodes, func(t *testing.T, s *sdfs.Store, cfg engine.Config) {
				cfg.SplitBytes = 64 << 10
				there := map[string]bool{}
				for _, p := range paths {
					src, err := os.ReadFile(p)
					if err != nil {
						t.Fatal(err)
					}
					want, err := os.ReadFile(strings.TrimSuffix(p, ".rql") + ".csv")
					if err != nil {
						t.Fatal(err)
					}
					for _, name := range localFile.FindAllStringSubmatch(string(src), -1) {
						if !there[name[1]] {
							there[name[1]] = true
							put(t, s, filepath.Join(shared, "data", name[1]), name[1])
						}
					}
					got, err := enginetest.Run(t, cfg, nil, filepath.Base(p), unlocal.Replace(string(src)))
					if err == nil {
						err = compare(got, string(want), strings.HasPrefix(string(src), "-- ordered"))
					}
					if err != nil {
						t.Errorf("%s: %v", filepath.Base(p), err)
					}
				}
			})
		})
	}
}

var localFile = regexp.MustCompile(`'\./([^']+)'`)
