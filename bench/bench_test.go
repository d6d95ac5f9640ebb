// Package bench measures whole queries inside one process, from text to rows:
// go test ./bench -bench . -benchmem. Compare with the same run's other figures,
// not with another machine's.
package bench

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/gen"
	"github.com/rainsql/rainsql/internal/render"
)

const signRows = 300_000

var folder string

var makeSigns = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "signs.csv")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := gen.Signs(w, signRows, 1); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return path, f.Close()
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rainsql-bench")
	if err != nil {
		panic(err)
	}
	folder = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// queries are the kinds of work that users' scripts are made of.
var queries = []struct{ name, text string }{
	{"count", "FROM '%' AGGREGATE count(*) AS n"},
	{"filter", "FROM '%' FILTER contains(Sign_Type, 'No Outlet') TRANSFORM OBJECTID, Sign_Type"},
	{"filter-count-by-key", "FROM '%' FILTER Sign_Post = 'Punched Telespar' AGGREGATE count(*) AS signs BY Category"},
	{"numbers", "FROM '%' AGGREGATE sum(X) AS x, avg(Y) AS y, max(OBJECTID) AS o"},
	{"many-keys", "FROM '%' AGGREGATE count(*) AS n BY OBJECTID // 3 AS k"},
	{"top", "FROM '%' SORT X DESC LIMIT 100 TRANSFORM X, OBJECTID"},
	{"sort", "FROM '%' TRANSFORM X, OBJECTID SORT X"},
	{"all-columns", "FROM '%'"},
	{"write-csv", "FROM '%' INTO '%.out.csv'"},
	{"join-small", "FROM '%' JOIN (FROM '%' AGGREGATE count(*) AS n BY Category) AS c USING (Category) AGGREGATE sum(n) AS s"},
	{"join-large", "FROM '%' AS a JOIN '%' AS b USING (OBJECTID) AGGREGATE count(*) AS n, max(a.X - b.X) AS x"},
	{"join-shared", "LET s = (FROM '%' TRANSFORM OBJECTID, X, Category); FROM s AS a SEMI JOIN s AS b ON a.OBJECTID = b.OBJECTID + 1 AGGREGATE count(*) AS n"},
	{"correlated", "FROM '%' AS a EXTEND (FROM '%' AS b FILTER b.Category = a.Category AGGREGATE max(X)) AS m AGGREGATE count(*) FILTER (WHERE X = m) AS n"},
	{"over", "FROM '%' TRANSFORM Category, X, OBJECTID EXTEND rank() OVER (PARTITION BY Category ORDER BY X) AS r FILTER r <= 3"},
}

func BenchmarkQuery(b *testing.B) {
	for _, q := range queries {
		b.Run(q.name, func(b *testing.B) { script(b, q.text) })
	}
}

// script runs a query over the signs, whose path takes the place of %. Bytes
// are those of the csv, whatever is read.
func script(b *testing.B, text string) {
	path, err := makeSigns()
	if err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	text = strings.ReplaceAll(text, "%", path)
	b.SetBytes(info.Size())
	b.ReportAllocs()
	s := engine.New(engine.Config{}).NewSession(nil)
	for b.Loop() {
		if err := s.Run(context.Background(), "bench", text, nothing{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(signRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// formatNames are those that the same rows are read from; what is read is three
// columns of twenty, two of them through a filter.
var formatNames = []string{"csv", "csv.gz", "csv.zst", "jsonl", "json", "parquet", "arrow"}

func BenchmarkFormat(b *testing.B) {
	for _, f := range formatNames {
		b.Run("write/"+f, func(b *testing.B) { script(b, "FROM '%' INTO '%.out."+f+"'") })
		b.Run("read/"+f, func(b *testing.B) {
			script(b, "FROM '%.out."+f+"' FILTER Sign_Post = 'Punched Telespar' AGGREGATE count(*) AS signs, max(X) AS x BY Category")
		})
	}
}

// nothing takes rows and drops them.
type nothing struct{}

func (nothing) Rows(schema types.Schema) (connect.Sink, error) {
	return render.New(nil, "null", schema, render.Options{})
}
func (nothing) Text(string) error   { return nil }
func (nothing) Notice(string)       {}
func (nothing) Done(engine.Summary) {}
