package complete_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/parser/complete"
)

// TestPipelines tells which part of a text is the pipeline so far.
func TestPipelines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // of each open pipeline the text so far
	}{
		{"a verb begun", "FROM a FILTER ▮", []string{"FROM a"}},
		{"verbs before it", "FROM a FILTER x = 1 |> EXTEND y AS z SORT ▮", []string{"FROM a FILTER x = 1 |> EXTEND y AS z"}},
		{"another statement before", "FROM a FILTER x; FROM b FILTER ▮", []string{"FROM b"}},
		{"a LET", "LET l = (FROM a DROP b FILTER ▮", []string{"FROM a DROP b"}},
		{"an EXPLAIN", "EXPLAIN ANALYZE FROM a FILTER ▮", []string{"FROM a"}},
		{"no source", "TRANSFORM 1 AS one EXTEND ▮", []string{"TRANSFORM 1 AS one"}},
		{"within a subquery", "FROM a FILTER x IN (FROM b FILTER y = ▮", []string{"FROM a", "FROM b"}},
		{"behind a subquery", "FROM a FILTER x IN (FROM b FILTER y) AND ▮", []string{"FROM a"}},
		{"a JOIN's condition", "FROM a JOIN b AS c ON ▮", []string{"FROM a JOIN b AS c"}},
		{"behind a JOIN", "FROM a JOIN b ON x = y FILTER ▮", []string{"FROM a JOIN b ON x = y"}},
		{"a parenthesis left open", "FROM a FILTER (x = = 1 SORT x LIMIT 1 EXTEND ▮", []string{"FROM a FILTER (x = = 1 SORT x LIMIT 1"}},
		{"FILTER of an aggregate", "FROM a AGGREGATE sum(x) FILTER (WHERE ▮", []string{"FROM a"}},
		{"EXCEPT of a star", "FROM a EXTEND b AS c TRANSFORM * EXCEPT (▮", []string{"FROM a EXTEND b AS c"}},
		{"EXCEPT of sets", "FROM a EXCEPT (FROM b FILTER ▮", []string{"FROM a", "FROM b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after, _ := strings.Cut(c.text, "▮")
			text := before + after
			w := complete.At(text, len(before))
			var got []string
			for _, p := range w.Pipelines {
				got = append(got, strings.TrimSpace(text[p.From:p.To]))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s\n got %q\nwant %q", c.text, got, c.want)
			}
			if w.Kinds&complete.Columns == 0 {
				t.Errorf("%s: columns do not fit", c.text)
			}
		})
	}
}

// TestReplaced tells what a completion takes the place of.
func TestReplaced(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"FROM a ▮", ""},
		{"FROM a FIL▮", "FIL"},
		{"FROM a FIL▮TER", "FILTER"},
		{"FROM a ▮FILTER x", ""},
		{"FROM a FILTER \"odd n▮", "\"odd n"},
		{"FROM a FILTER \"odd▮name\" = 1", "\"oddname\""},
		{"FROM a FILTER größ▮e", "größe"},
		{"FROM './a▮.csv' FILTER x = 'y'", "'./a.csv'"},
		{"FROM './a▮ FILTER x = 'y'", "'./a"},
		{"FROM ./a/b▮", "./a/b"},
		{"FROM a FILTER x = $na▮me", "$name"},
		{"FROM a FILTER t.na▮", "na"},
	} {
		before, after, _ := strings.Cut(c.text, "▮")
		text := before + after
		w := complete.At(text, len(before))
		if got := text[w.From:w.To]; got != c.want {
			t.Errorf("%s: replaces %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzAt: whatever the text, the answer is about places within it.
func FuzzAt(f *testing.F) {
	for _, text := range []string{
		"FROM './a.csv' FILTER x IN (FROM b) AND y::INT > 1 |> SORT z DESC NULLS FIRST",
		"LET a = (FROM range(10) EXTEND sum(value) OVER (PARTITION BY 1 ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s);",
		"CREATE FUNCTION f(x LIST<STRUCT<a INT>>) = CASE WHEN x[1].a IS NOT NULL THEN 1 ELSE {a: 1} END;",
		"FROM 'x' (columns = (a INT)) EVENT TIME ts AS t JOIN (FROM y) ON t.a = $p UNION ALL (FROM z) INTO 'o.csv' (mode = ",
		"SET a = 1; EXPLAIN (format = 'x') TRANSFORM * EXCEPT (a) REPLACE (b AS c), \"odd\" -- c",
	} {
		for at := 0; at <= len(text); at += 7 {
			f.Add(text, at)
		}
	}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		w := complete.At(text, cursor)
		if w.From < 0 || w.From > w.To || w.To > len(text) || w.Statement > len(text) {
			t.Fatalf("%+v in %d bytes", w, len(text))
		}
		for _, p := range w.Pipelines {
			if p.From > p.To || p.To > len(text) || !slices.IsSorted(p.Starts) {
				t.Fatalf("%+v in %d bytes", p, len(text))
			}
		}
	})
}
