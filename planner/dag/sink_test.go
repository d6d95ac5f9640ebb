package dag_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/planner/dag"
)

// sinks are those of a graph, each with how many tasks write it.
func sinks(g *dag.Graph) (list []string) {
	for _, st := range g.Stages {
		if s, ok := st.Ops[len(st.Ops)-1].Spec.(*dag.Sink); ok {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%d '%s' %s", st.Tasks, s.Path, s.Sharing)))
		}
	}
	slices.Sort(list)
	return list
}

// TestSharing: all tasks write what can be put together, in the order there is.
func TestSharing(t *testing.T) {
	for src, want := range map[string][]string{
		`FROM './t' FILTER i > 1 INTO 'a'`:                                                            {"3 'a' by split"},
		`FROM './t' INTO 'a' (format = 'jsonl', mode = 'append')`:                                     {"3 'a' by split"},
		`FROM './t' TRANSFORM s INTO 'a' (format = 'text')`:                                           {"3 'a' by split"},
		`FROM './t' INTO './a'`:                                                                       {"1 './a'"},
		`FROM './t' INTO 'a' (format = 'csv.gz')`:                                                     {"1 'a'"},
		`FROM './t' INTO 'a' (format = 'json')`:                                                       {"1 'a'"},
		`FROM './t' INTO 'a' (format = 'parquet')`:                                                    {"1 'a'"},
		`FROM './t' INTO 'a/' (format = 'parquet')`:                                                   {"3 'a/' in parts"},
		`FROM './t' INTO 'a/' (format = 'csv.zst')`:                                                   {"3 'a/' in parts"},
		`FROM './t' SORT i INTO 'a'`:                                                                  {"1 'a'"},
		`FROM './t' SORT i INTO 'a/'`:                                                                 {"1 'a/' in parts"},
		`FROM './t' LIMIT 5 INTO 'a'`:                                                                 {"1 'a'"},
		`FROM './t' AGGREGATE count(*) AS n BY s INTO 'a'`:                                            {"3 'a' by task"},
		`FROM './t' AGGREGATE count(*) AS n BY s INTO 'a/'`:                                           {"3 'a/' in parts"},
		`FROM './t' AGGREGATE count(*) AS n INTO 'a/'`:                                                {"1 'a/' in parts"},
		`FROM range(100) AS r JOIN range(9) AS s ON r.value = s.value INTO 'a'`:                       {"1 'a'"},
		`FROM './t' FILTER i = 1 AND f = 1 AND s = 'a' AND b AGGREGATE first(d) BY m = 1, t INTO 'a'`: {"1 'a'"},
		`FROM './t' EXTEND row_number() OVER (PARTITION BY s) AS n INTO 'a'`:                          {"1 'a'"},
		`FROM './t' EXTEND row_number() OVER (PARTITION BY s) AS n TEE INTO 'a/'`:                     {"1 'a/' in parts"},
		`FROM './t' AS t JOIN range(100) AS r ON t.i = r.value TRANSFORM i INTO 'a'`:                  {"3 'a' by split"},
		`FROM './t' TRANSFORM i UNION ALL (FROM './t' TRANSFORM i) INTO 'a'`:                          {"3 'a' by task"},
		`FROM './t' TEE INTO 'a' TEE INTO './b' TEE INTO 'c/' SORT i TEE INTO 'd'`:                    {"1 './b'", "1 'd'", "3 'a' by split", "3 'c/' in parts"},
		`FROM './t' AGGREGATE count(*) AS n BY s TEE INTO 'a' FILTER n > 1 INTO 'b/'`:                 {"3 'a' by task", "3 'b/' in parts"},
	} {
		g := build(t, src, 3)
		if got := sinks(g); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q\n%s", src, got, want, g)
		}
		for _, s := range sinks(build(t, src, 1)) {
			if !strings.HasPrefix(s, "1 ") || strings.Contains(s, "by ") {
				t.Errorf("%s: %q of one task", src, s)
			}
		}
	}
}

// TestSharingRefused: a graph that comes from elsewhere cannot have several tasks write what they could not.
func TestSharingRefused(t *testing.T) {
	for name, spoil := range map[string]func(st *dag.Stage, s *dag.Sink){
		"not shared":          func(_ *dag.Stage, s *dag.Sink) { s.Sharing = "" },
		"unknown":             func(_ *dag.Stage, s *dag.Sink) { s.Sharing = "by moon" },
		"a file in parts":     func(_ *dag.Stage, s *dag.Sink) { s.Sharing = connect.InParts },
		"a folder in pieces":  func(_ *dag.Stage, s *dag.Sink) { s.Path = "a/" },
		"a folder in one":     func(st *dag.Stage, s *dag.Sink) { s.Path, s.Sharing, st.Tasks = "a/", "", 1 },
		"a compressed file":   func(_ *dag.Stage, s *dag.Sink) { s.Options.Format = "csv.gz" },
		"of unknown format":   func(_ *dag.Stage, s *dag.Sink) { s.Options.Format = "" },
		"of binary format":    func(_ *dag.Stage, s *dag.Sink) { s.Options.Format = "parquet" },
		"a file of a machine": func(_ *dag.Stage, s *dag.Sink) { s.Path = "./a" },
		"a folder of one":     func(_ *dag.Stage, s *dag.Sink) { s.Path, s.Sharing = "/a/", connect.InParts },
	} {
		g := build(t, `FROM './t' INTO 'a'`, 3)
		st := g.Stages[0]
		s := st.Ops[len(st.Ops)-1].Spec.(*dag.Sink)
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(st, s)
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), "a sink") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
