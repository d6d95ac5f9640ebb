package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
)

func explained(t *testing.T, query string) string {
	t.Helper()
	out := &texts{}
	if err := engine.New(engine.Config{Parallelism: 1}).NewSession(nil).Run(context.Background(), "test", query, out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const explainInput = "n,s\n1,aa\n2,bbb\n3,c\n"

// What is read and what passes, worked by hand: a number is 8 bytes, a text its
// length. The scan gives two rows of three, so two thirds of 3·8 + 6 bytes.
func TestExplainAnalyze(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte(explainInput), 0o644); err != nil {
		t.Fatal(err)
	}
	got := explained(t, "EXPLAIN ANALYZE FROM './a.csv' FILTER n > 1 TRANSFORM n, n + 1 AS m, s SORT s")
	got = regexp.MustCompile(`[█░]{10} +\d+%`).ReplaceAllString(got, "<share>")
	got = regexp.MustCompile(` +\d+(\.\d+)? ms`).ReplaceAllString(got, " <time>")
	got = regexp.MustCompile(`  time `).ReplaceAllString(got, "time ")
	got = regexp.MustCompile(`memory [0-9.KM]+B`).ReplaceAllString(got, "memory <bytes>")
	got = regexp.MustCompile(`(share of time) +time`).ReplaceAllString(got, "$1 time")
	const want = `-- optimised plan (push-filters, prune-columns)
result [n, m, s]
└─ sort s
   └─ project n, n + 1 AS m, s
      └─ scan './a.csv' (csv) [n, s] where n > 1

-- run: <time>, 3 rows and 19B read, 2 rows out, peak memory <bytes>
  share of time time  rows  bytes  operator
stage 0: 1 task
  <share> <time>     2    36B  result n, m, s
  <share> <time>     2    36B  └─ sort s
  <share> <time>     2    36B     └─ project n, n + 1 AS m, s
  <share> <time>     2    20B        └─ scan './a.csv' (csv) [n, s] where n > 1
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Operators name the columns that they work by, whatever lies between them and
// where a column comes from.
func TestExplainAnalyzeNamesColumns(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte(explainInput), 0o644); err != nil {
		t.Fatal(err)
	}
	operator := regexp.MustCompile(`(?m)^(?:stage .*|  [█░]{10} +\d+% +\S+ ms +\S+ +\S+B  (.*))$`)
	for query, want := range map[string]string{
		"FROM './a.csv' AS a JOIN './a.csv' AS b ON a.n = b.n AGGREGATE count(*) AS rows BY a.s AS word SORT rows DESC LIMIT 2": `
stage 0: 2 tasks
=> broadcast to stage 1
scan './a.csv' (csv) [n]
stage 1: 2 tasks
=> hash on word to stage 2
aggregate (partial) count(*) AS rows by s AS word
└─ inner join on probe n = build n
   ├─ scan './a.csv' (csv) [n, s]
   └─ receive from stage 0
stage 2: 2 tasks
=> ordered merge by rows DESC to stage 3
top 2 by rows DESC
└─ aggregate (final) count(*) AS rows by word
   └─ receive from stage 1
stage 3: 1 task
result word, rows
└─ limit 2
   └─ receive from stage 2`,
		"FROM './a.csv' EXTEND row_number() OVER (PARTITION BY s ORDER BY n) AS r UNNEST [r, 7] AS x FILTER n NOT IN (FROM './a.csv' TRANSFORM n) DISTINCT ON (x) TRANSFORM x, r": `
stage 0: 2 tasks
=> hash on s to stage 2
position
└─ scan './a.csv' (csv) [n, s]
stage 1: 2 tasks
=> broadcast to stage 2
scan './a.csv' (csv) [n]
stage 2: 2 tasks
=> gather to stage 3
filter NOT mark
└─ mark join on probe n = build n
   ├─ unnest [r, 7] AS x
   │  └─ project n, s, "row_number()" AS row_number()
   │     └─ project n, s, "row_number()" AS row_number(), position
   │        └─ window row_number() partition by s order by n position #2
   │           └─ receive from stage 0
   └─ receive from stage 1
stage 3: 1 task
result x, r
└─ project x, r
   └─ distinct: the first of each x
      └─ receive from stage 2`,
	} {
		out := &texts{}
		if err := engine.New(engine.Config{Parallelism: 2, SplitBytes: 4}).NewSession(nil).Run(t.Context(), "test", "EXPLAIN ANALYZE "+query, out); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range operator.FindAllStringSubmatch(out.String(), -1) {
			got += "\n" + cmp.Or(m[1], m[0])
		}
		if got != want {
			t.Errorf("%s:%s\nwant%s", query, got, want)
		}
	}
}

func TestExplainForPrograms(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte(explainInput), 0o644); err != nil {
		t.Fatal(err)
	}
	const query = " FROM './a.csv' FILTER s <> 'c' TRANSFORM n"
	var plan struct {
		Version int
		Stages  []struct{ Ops []struct{ Op string } }
		Run     *struct {
			Rows      int64 `json:"rows_out"`
			Read      int64 `json:"bytes_read"`
			Operators [][]struct {
				In   int64 `json:"rows_in"`
				Rows int64
			}
			Edges [][]struct{ Rows, Bytes int64 }
		}
	}
	if err := json.Unmarshal([]byte(explained(t, "EXPLAIN ANALYZE (format = 'json')"+query)), &plan); err != nil {
		t.Fatal(err)
	}
	if plan.Version != 1 || plan.Stages[0].Ops[0].Op != "scan" || plan.Run == nil || plan.Run.Rows != 2 || plan.Run.Read != int64(len(explainInput)) {
		t.Errorf("%+v", plan)
	} else if scan := plan.Run.Operators[0][0]; scan.In != 3 || scan.Rows != 2 {
		t.Errorf("the scan: %+v", scan)
	}
	plan.Run = nil
	if err := json.Unmarshal([]byte(explained(t, "EXPLAIN ANALYZE (format = 'json')"+query+" UNION ALL (FROM './a.csv' TRANSFORM n)")), &plan); err != nil {
		t.Fatal(err)
	}
	if run := plan.Run; run == nil || len(run.Edges) != 3 || run.Edges[0][0].Rows != 2 || run.Edges[1][0].Rows != 3 || run.Edges[1][0].Bytes != 24 || len(run.Edges[2]) != 0 {
		t.Errorf("the edges: %+v", run)
	}
	if text := explained(t, "EXPLAIN (format = 'json')"+query); strings.Contains(text, `"run"`) {
		t.Errorf("a run without ANALYZE:\n%s", text)
	}
	dot := explained(t, "EXPLAIN ANALYZE (format = 'dot')"+query)
	if !regexp.MustCompile(`s0_0 \[label="scan './a.csv' \(csv\) \[n, s\] where s <> 'c'\\n2 rows, \d+B, [0-9.]+ ms"\];`).MatchString(dot) {
		t.Error(dot)
	}
}
