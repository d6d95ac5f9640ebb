package dag_test

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/planner/optimize"
)

// catalog knows one table, whatever the path.
type catalog struct{}

func (catalog) Table(context.Context, string, connect.Options) (*analyze.Table, error) {
	return &analyze.Table{
		Options: connect.Options{Format: "csv"}, Size: 100 << 20,
		Schema: types.Schema{
			{Name: "i", Type: types.INT}, {Name: "f", Type: types.FLOAT}, {Name: "s", Type: types.STRING},
			{Name: "d", Type: types.DATE}, {Name: "t", Type: types.TIMESTAMP}, {Name: "b", Type: types.BOOL},
			{Name: "m", Type: types.DecimalOf(12, 2)}, {Name: "l", Type: types.ListOf(types.INT)},
		},
	}, nil
}

func (catalog) Program(string) error { return nil }

func (catalog) Target(_ string, o connect.Options, _ types.Schema) (connect.Options, error) {
	if o.Format == "" {
		o.Format = "csv"
	}
	return o, nil
}

// scripts go through every kind of operator, exchange and expression.
var scripts = []string{
	`FROM './t'`,
	`FROM './t' FILTER i > 3 AND s LIKE 'a%' OR f IS NULL TRANSFORM i + 1 AS j, upper(s) AS u, _line`,
	`FROM './t' AGGREGATE count(*) AS n, sum(m), avg(f) FILTER (WHERE b), max(d) BY s, i % 3 AS k`,
	`FROM './t' AGGREGATE count(DISTINCT s), string_agg(s, ',' ORDER BY i DESC NULLS FIRST) BY upper(s) AS u`,
	`FROM './t' AGGREGATE first(i), list(s) BY b`,
	`FROM './t' AGGREGATE quantile_cont(f, 0.5), arg_max(s, i), approx_count_distinct(s)`,
	`FROM './t' SORT s DESC, i NULLS FIRST`,
	`FROM './t' SORT f LIMIT 10 OFFSET 3`,
	`FROM './t' LIMIT 5`,
	`FROM './t' DISTINCT`,
	`FROM './t' SORT i DISTINCT ON (s)`,
	`FROM './t' TRANSFORM i UNION ALL (FROM './t' TRANSFORM f) EXCEPT (FROM range(1, 5)) INTERSECT ALL (FROM './t' TRANSFORM i)`,
	`FROM './t' TEE INTO './a' FILTER i = 1 INTO './b' (delimiter = ';')`,
	`FROM './t' TEE INTO 'a' FILTER i = 1 TEE INTO 'b/' (format = 'parquet') AGGREGATE count(*) AS n BY i INTO 'c' (format = 'jsonl', mode = 'append')`,
	`TRANSFORM 1.5 AS d, 1e300 AS f, 'é''' AS s, DATE '2026-01-31' AS day, 10s AS iv, NULL AS n, CAST('NaN' AS FLOAT) AS nan`,
	`FROM './t' TRANSFORM CASE WHEN i IN (1, 2, NULL) THEN TRY_CAST(s AS INT) WHEN b THEN 2 ELSE length(s) END AS c, s ~ '^a' AS r`,
	`FROM './t' FILTER false`,
	`FROM range(10, 0, -1) SORT value`,
	`FROM './t' EXTEND row_number() OVER (PARTITION BY s ORDER BY i DESC NULLS FIRST) AS n, lag(d, 2, d) OVER (ORDER BY i) AS l FILTER n < 3 SORT i`,
	`FROM './t' TRANSFORM sum(DISTINCT i) FILTER (WHERE b) OVER (PARTITION BY s, d) AS a, string_agg(s, ',' ORDER BY i) OVER (PARTITION BY s ORDER BY t GROUPS BETWEEN 1 PRECEDING AND 3 FOLLOWING) AS c`,
	`FROM './t' TRANSFORM avg(f) OVER (ORDER BY t RANGE BETWEEN 1h PRECEDING AND CURRENT ROW) AS a, nth_value(m, 2) OVER (ORDER BY m DESC RANGE 1.5 PRECEDING) AS c, quantile_cont(f, 0.5) OVER (ROWS UNBOUNDED PRECEDING) AS q`,
	`FROM './t' AGGREGATE count(*) BY b, session(t, 10s)`,
	`FROM './t' AGGREGATE count(*) BY hop(t, 1h, 1s)`,
	`FROM './t' TRANSFORM i, s TRANSFORM USING EXEC './p' ARGS ('a b', 3) (columns = (x INT, y STRING), format = 'csv', header = false, timeout = 5s) FILTER x > 1`,
	`FROM './t' JOIN './t' AS u USING (i) LEFT JOIN (FROM './t' AGGREGATE sum(f) AS f BY s) AS v ON v.s = u.s AND v.f > u.f FULL JOIN range(3) AS r ON r.value < v.f TRANSFORM i, v.f`,
	`FROM './t' AS a SEMI JOIN './t' AS b ON a.i + 1 = b.i RIGHT JOIN './t' AS c ON a.s IS NOT DISTINCT FROM c.s UNNEST c.l AS x TRANSFORM x`,
	`FROM './t' AS a FILTER i NOT IN (FROM './t' TRANSFORM i) EXTEND (FROM './t' AS b FILTER b.i = a.i AGGREGATE count(*)) AS n TRANSFORM n, EXISTS (FROM './t' AS c FILTER c.f < a.f) AS e`,
}

// build plans the last statement of a script.
func build(t testing.TB, src string, parallelism int) *dag.Graph {
	t.Helper()
	script, err := parser.Parse("test", src)
	if err != nil {
		t.Fatal(err)
	}
	a := analyze.New(context.Background(), catalog{}, &analyze.Env{}, nil, src)
	var meaning analyze.Statement
	for _, st := range script.Statements {
		meaning, _ = a.Check(st)
	}
	if err := a.Err(); err != nil {
		t.Fatal(err)
	}
	plan := optimize.Plan(meaning.(*analyze.Query).Plan, nil, nil)
	g, err := dag.Build(plan, dag.Config{Parallelism: parallelism, SplitBytes: 1 << 20})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return g
}

// TestSpoolsAreNeeded takes the spools off a table that meets itself.
func TestSpoolsAreNeeded(t *testing.T) {
	script := "LET a = (FROM './t' AGGREGATE sum(i) AS n BY s); FROM a AS x JOIN a AS y ON x.n = y.n"
	g := build(t, script, 3)
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	spools := 0
	for _, st := range g.Stages {
		for i := range st.Outputs {
			if st.Outputs[i].Spool {
				spools++
				st.Outputs[i].Spool = false
			}
		}
	}
	if err := g.Check(); err == nil || !strings.Contains(err.Error(), "spool") || spools != 2 {
		t.Errorf("with %d spools taken off: %v", spools, err)
	}
}

// TestSmallTablesKeepOrder joins a large table that one task reads with a small
// one: its rows must not be divided, which would lose their order.
func TestSmallTablesKeepOrder(t *testing.T) {
	g := build(t, "FROM './t' SORT i LEFT JOIN range(10) AS r ON i = r.value", 3)
	for _, st := range g.Stages {
		for _, e := range st.Outputs {
			if e.Kind == dag.Hash {
				t.Errorf("the rows are divided:\n%s", g)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, src := range scripts {
		for _, parallelism := range []int{1, 3} {
			g := build(t, src, parallelism)
			wire, err := dag.Encode(g)
			if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
			back, err := dag.Decode(wire)
			if err != nil {
				t.Fatalf("%s: %v\n%s", src, err, wire)
			}
			if back.String() != g.String() {
				t.Errorf("%s: decoded as\n%s\nnot\n%s", src, back, g)
			}
			again, err := dag.Encode(back)
			if err != nil || !bytes.Equal(again, wire) {
				t.Errorf("%s: encoded again as\n%s\nnot\n%s (%v)", src, again, wire, err)
			}
		}
	}
}

// inputs gives a graph that reads './t' files to read, as the engine does.
func inputs(g *dag.Graph) *dag.Graph {
	g.Inputs = []dag.Input{{Path: "./t", Files: []dag.InputFile{
		{Name: "t/1.csv", ID: 1<<64 - 1, Generation: 3, Size: 1 << 40}, {Name: "t/2.csv", ID: 7, Generation: 1},
	}}}
	return g
}

// TestInputs takes what is to be read through the wire form, and refuses what cannot be meant.
func TestInputs(t *testing.T) {
	g := inputs(build(t, `FROM './t' JOIN './t' AS u USING (i) FILTER i > 3`, 2))
	wire, err := dag.Encode(g)
	if err != nil {
		t.Fatal(err)
	}
	back, err := dag.Decode(wire)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Inputs, g.Inputs) || back.Input("./t") != &back.Inputs[0] || back.Input("t") != nil || !slices.Equal(back.Scans(), []string{"./t"}) {
		t.Errorf("inputs %v of %v, not %v", back.Inputs, back.Scans(), g.Inputs)
	}
	if wire, err := dag.Encode(build(t, `FROM './t'`, 1)); err != nil || bytes.Contains(wire, []byte(`"inputs":[{`)) {
		t.Errorf("a graph without them: %s, %v", wire, err)
	}
	for name, c := range map[string]struct {
		spoil func(in *dag.Input)
		want  string
	}{
		"another path": {func(in *dag.Input) { in.Path = "./u" }, `input "./u" is not read`},
		"no files":     {func(in *dag.Input) { in.Files = nil }, "has no files"},
		"no name":      {func(in *dag.Input) { in.Files[0].Name = "" }, `file ""`},
		"no id":        {func(in *dag.Input) { in.Files[0].ID = 0 }, "with id 0"},
		"generation 0": {func(in *dag.Input) { in.Files[1].Generation = 0 }, "generation 0"},
		"a size":       {func(in *dag.Input) { in.Files[1].Size = -1 }, "-1 bytes"},
		"sizes":        {func(in *dag.Input) { in.Files[1].Size = 1<<63 - 1 }, "9223372036854775807 bytes"},
		"a file twice": {func(in *dag.Input) { in.Files[1] = in.Files[0] }, `file "t/1.csv" is listed twice`},
	} {
		g := inputs(build(t, `FROM './t'`, 1))
		c.spoil(&g.Inputs[0])
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	g.Inputs = append(g.Inputs, g.Inputs[0])
	if err := g.Check(); err == nil || !strings.Contains(err.Error(), "listed twice") {
		t.Errorf("a path twice: %v", err)
	}
}

// A plan that comes from elsewhere is checked before it can run.
func TestDecodeRefuses(t *testing.T) {
	wire, err := dag.Encode(build(t, `FROM './t' FILTER i > 3 AGGREGATE count(*) AS n BY s SORT n`, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"version":1`, `"version":9`, "version 9"},
		{`"op":"sort"`, `"op":"explode"`, "unknown operator"},
		{`"tasks":2`, `"tasks":0`, "0 tasks"},
		{`"kind":"hash"`, `"kind":"psychic"`, "unknown exchange"},
		{`"keys":[0]`, `"keys":[7]`, "column 7 of"},
		{`"stages"`, `"scenes"`, "unknown field"},
		{`"id":1`, `"id":5`, "numbered 5"},
		{`{"col":0`, `{"col":99`, "column 99"},
	} {
		broken := strings.Replace(string(wire), c.old, c.new, 1)
		if broken == string(wire) {
			t.Errorf("%s is not in the plan:\n%s", c.old, wire)
			continue
		}
		if _, err := dag.Decode([]byte(broken)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range scripts {
		wire, err := dag.Encode(build(f, src, 2))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	wire, err := dag.Encode(inputs(build(f, scripts[0], 2)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire)
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := dag.Decode(b)
		if err != nil {
			return
		}
		_ = g.String()
		wire, err := dag.Encode(g)
		if err != nil {
			t.Fatalf("decoded, but not encoded again: %v", err)
		}
		back, err := dag.Decode(wire)
		if err != nil {
			t.Fatalf("not decoded again: %v\n%s", err, wire)
		}
		if back.String() != g.String() || len(back.Inputs)+len(g.Inputs) > 0 && !reflect.DeepEqual(back.Inputs, g.Inputs) {
			t.Fatalf("changed by a round trip:\n%s\n%s", g, back)
		}
	})
}
