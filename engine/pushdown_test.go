package engine_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
)

// texts is a handler that keeps what is text.
type texts struct {
	quiet
	strings.Builder
}

func (t *texts) Text(s string) error {
	t.WriteString(s)
	return nil
}

// A comparison with a constant passes over the row groups that it excludes,
// through a pattern and a renamed column too, and gives what it gives without.
func TestRowGroupsArePassedOver(t *testing.T) {
	dir := t.TempDir()
	run := func(text string) string {
		t.Helper()
		var out texts
		text = strings.ReplaceAll(text, "%", filepath.ToSlash(dir))
		if err := engine.New(engine.Config{}).NewSession(nil).Run(context.Background(), "test.rql", text, &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	run("FROM range(1500000) TRANSFORM value AS n, value - value // 10 * 10 AS m, 'x' AS s INTO '%/a.parquet'; FROM range(10) TRANSFORM value AS n INTO '%/b.parquet'")
	for _, tt := range []struct{ query, pruned, rows string }{
		{"FROM '%/a.parquet' FILTER n >= 1499990", "row groups passed over", "10 rows out"},
		{"FROM '%/a.parquet' FILTER 20 > n AND m = 3 RENAME n AS k FILTER k > 5", "row groups passed over", "1 row out"},
		{"FROM '%/?.parquet' FILTER n < 5", "row groups passed over", "10 rows out"},
		{"FROM '%/a.parquet' FILTER n > 2000000 OR m = 11", "", "0 rows out"},
		{"FROM '%/a.parquet' FILTER n IS NULL", "row groups passed over", "0 rows out"},
		{"FROM '%/a.parquet' EXTEND n + 1 AS n1 FILTER n1 < 4", "", "3 rows out"},
	} {
		got := run("EXPLAIN ANALYZE " + tt.query)
		if !strings.Contains(got, tt.rows) || strings.Contains(got, "passed over") != (tt.pruned != "") {
			t.Errorf("%s:\n%s", tt.query, got)
		}
	}
}
