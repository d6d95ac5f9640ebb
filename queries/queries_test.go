package queries

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/gen"
	"github.com/rainsql/rainsql/internal/testcluster"
	"github.com/rainsql/rainsql/sdfs"
)

var rewrite = flag.Bool("rewrite", false, "write down what the queries give now")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// params are what the examples are run with.
var params = map[string]string{"post": "Punched Telespar", "text": "No Outlet"}

func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("*/*.rql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	signs, err := os.Create("signs.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Signs(signs, 1000, 1); err != nil {
		t.Fatal(err)
	}
	if err := signs.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(p, ".rql"), func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(here, p))
			if err != nil {
				t.Fatal(err)
			}
			got, err := enginetest.Run(t, engine.Config{}, params, p, string(src))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(here, strings.TrimSuffix(p, ".rql")+".csv")
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestExamplesOnCluster: they give the same on clusters of one server and of three, over files of the cluster.
func TestExamplesOnCluster(t *testing.T) {
	paths, err := filepath.Glob("*/*.rql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	var signs bytes.Buffer
	if err := gen.Signs(&signs, 1000, 1); err != nil {
		t.Fatal(err)
	}
	for _, nodes := range []int{1, 3} {
		testcluster.Queries(t, nodes, func(t *testing.T, s *sdfs.Store, cfg engine.Config) {
			cfg.SplitBytes = 20_000
			testcluster.Put(t, s, "signs.csv", signs.Bytes())
			for _, p := range paths {
				src, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				got, err := enginetest.Run(t, cfg, params, p, strings.ReplaceAll(string(src), "'./", "'"))
				if err != nil {
					t.Errorf("%s: %v", p, err)
					continue
				}
				want, err := os.ReadFile(strings.TrimSuffix(p, ".rql") + ".csv")
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s on %d servers gave\n%s\nwant\n%s", p, nodes, got, want)
				}
			}
		})
	}
}
