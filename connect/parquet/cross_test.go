package parquet

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/expr/types"
)

// crossRead prints a file as DuckDB reads it: the types, and the rows as text.
const crossRead = `
import duckdb, json, sys
c = duckdb.connect()
c.execute("SET TimeZone = 'UTC'")
rel = c.sql(f"SELECT * FROM read_parquet('{sys.argv[1]}')")
cols = ", ".join('CAST("%s" AS VARCHAR)' % n for n in rel.columns)
print(json.dumps({"types": [str(t) for t in rel.types], "rows": c.sql(f"SELECT {cols} FROM rel").fetchall()}))
`

// python returns a Python that has DuckDB, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	for _, p := range []string{os.Getenv("RAINSQL_TEST_PYTHON"), "/tmp/dv/bin/python", "python3"} {
		if p != "" && exec.Command(p, "-c", "import duckdb").Run() == nil {
			return p
		}
	}
	t.Skip("no Python with DuckDB was found; RAINSQL_TEST_PYTHON names one")
	return ""
}

// DuckDB reads what we write: the same types and values.
func TestDuckDBReads(t *testing.T) {
	py := python(t)
	schema := types.Schema{}
	for _, f := range damage.Every() {
		if f.Name != "deep" && f.Name != "f32" { // f32: printed with other digits
			schema = append(schema, f)
		}
	}
	cols := damage.Table(t, checked(t), 11, schema, 500)
	path := filepath.Join(t.TempDir(), "own.parquet")
	if err := os.WriteFile(path, writeTable(t, schema, cols, 100, 200), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(py, "-c", crossRead, path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Types []string
		Rows  [][]*string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	wantTypes := []string{
		"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL(9,2)", "DECIMAL(18,0)", "DECIMAL(38,20)",
		"VARCHAR", "BLOB", "DATE", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "BIGINT[]", "VARCHAR[]", `STRUCT(x DOUBLE, "y z" VARCHAR[])`,
	}
	if !slices.Equal(got.Types, wantTypes) {
		t.Errorf("types %q,\nwant  %q", got.Types, wantTypes)
	}
	want := damage.Text(cols)
	if len(got.Rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(got.Rows), len(want))
	}
	// The texts of scalars agree, but for those of moments; nested ones are counted only.
	for i, row := range got.Rows {
		for c, f := range schema {
			switch {
			case (row[c] == nil) != (cols[c].IsNull(i)):
				t.Fatalf("row %d, column %s: NULL in one only", i, f.Name)
			case row[c] == nil || f.Type.IsNested() || f.Type.Kind == types.Timestamp:
			case *row[c] != want[i][c]:
				t.Fatalf("row %d, column %s: DuckDB reads %q, want %q", i, f.Name, *row[c], want[i][c])
			}
		}
	}
}
