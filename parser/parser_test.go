package parser

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/parser/ast"
)

// first parses "TRANSFORM text" and returns the expression of its first item.
func first(t *testing.T, text string) ast.Expr {
	t.Helper()
	script, err := Parse("t", "TRANSFORM "+text)
	if err != nil {
		t.Fatal(err)
	}
	return script.Statements[0].Body.(*ast.Pipeline).Verbs[0].(*ast.Transform).Items[0].Expr
}

// TestContext: words that mean one thing or another by what follows them.
func TestContext(t *testing.T) {
	for text, want := range map[string]ast.Expr{
		"left(s, 1)":                 &ast.Call{},
		"RIGHT(s, 1)":                &ast.Call{},
		"DATE '2026-01-31'":          &ast.TypedLit{},
		"date":                       &ast.Ref{},
		"date + 1":                   &ast.Binary{},
		"interval":                   &ast.Ref{},
		"INTERVAL '1' DAY":           &ast.IntervalLit{},
		"timestamp(a)":               &ast.Call{},
		"t.from":                     &ast.Field{},
		"t.left":                     &ast.Field{},
		"extract(year FROM d)":       &ast.Extract{},
		"extract(a, b)":              &ast.Call{},
		"try_cast(a AS INT)":         &ast.Cast{},
		"count(*) FILTER (WHERE a)":  &ast.Call{},
		"(a)":                        &ast.Paren{},
		"(FROM a)":                   &ast.Subquery{},
		"EXISTS (FROM a)":            &ast.Exists{},
		"-a::INT":                    &ast.Unary{},
		"NOT a = b":                  &ast.Unary{},
		"a NOT IN (1)":               &ast.In{},
		"a AT TIME ZONE 'UTC'":       &ast.AtTimeZone{},
		"at":                         &ast.Ref{},
		"first(value ORDER BY time)": &ast.Call{},
		"case_study":                 &ast.Ref{},
	} {
		if got := first(t, text); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			t.Errorf("%s is a %T, want %T", text, got, want)
		}
	}
}

// TestVerbContext: words that belong to the verb before them or begin the next.
func TestVerbContext(t *testing.T) {
	for text, want := range map[string]string{
		"FROM x AGGREGATE count(*) FILTER (WHERE a)":    "Aggregate",
		"FROM x EXTEND f(a) AS b FILTER (a)":            "Extend Filter",
		"FROM x TRANSFORM * EXCEPT (a)":                 "Transform",
		"FROM x TRANSFORM * EXCEPT (FROM a)":            "Transform SetOp",
		"FROM x TRANSFORM * EXCEPT ALL (SELECT 1)":      "Transform SetOp",
		"FROM x TRANSFORM t.*, a LEFT JOIN y USING (a)": "Transform Join",
		"FROM x AS t AS u":                              "As",
		"FROM x |> AS t":                                "As",
		"FROM x DISTINCT DISTINCT ON (a)":               "Distinct Distinct",
		"FROM x SET a = 1 SET b = 2 DROP a DROP b":      "Set Set Drop Drop",
		"FROM x AGGREGATE GROUP BY a GROUP BY b":        "Aggregate Aggregate",
		"FROM x SELECT USING EXEC 'p'":                  "Exec",
	} {
		script, err := Parse("t", text)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, v := range script.Statements[0].Body.(*ast.Pipeline).Verbs {
			got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", v), "*ast."))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestNesting: what is deep in ways that add up is refused, and what is merely long is not.
func TestNesting(t *testing.T) {
	rep := strings.Repeat
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"parentheses":             {"FROM x FILTER " + rep("(", 900) + "a" + rep(")", 900), true},
		"parentheses with sums":   {"FROM x FILTER " + rep("(b + ", 900) + "a" + rep(")", 900), true},
		"pipelines":               {"FROM " + rep("(FROM ", 900) + "x" + rep(")", 900), true},
		"a long AND":              {"FROM x FILTER a" + rep(" AND NOT b = -1", 20_000), true},
		"a long list":             {"FROM x FILTER a IN (-1" + rep(", -1", 20_000) + ")", true},
		"many verbs":              {"FROM x" + rep(" FILTER NOT a", 5_000), true},
		"a field called end":      {"FROM x FILTER " + rep("(t.end + ", 1100) + "a" + rep(")", 1100), false},
		"fields called end":       {"FROM x FILTER " + rep("f({end: 1, end: 2, end: 3}, (FROM x FILTER ", 600) + "a" + rep("))", 600), false},
		"fields called case":      {"FROM x FILTER a IN ({case: 1}" + rep(", {case: 1}", 2000) + ")", true},
		"NOT within pipelines":    {"FROM x FILTER " + rep(rep("NOT ", 100)+"EXISTS (FROM x FILTER ", 100) + "a" + rep(")", 100), false},
		"signs within pipelines":  {"FROM x FILTER " + rep(rep("- ", 100)+"(FROM x TRANSFORM ", 100) + "a" + rep(")", 100), false},
		"sums over parentheses":   {"FROM x FILTER " + rep("(", 320) + "a" + rep(rep(" + 1", 990)+")", 320), false},
		"time zones":              {"FROM x FILTER a" + rep(" AT TIME ZONE 'UTC'", 1100), false},
		"CASE within parentheses": {"FROM x FILTER " + rep("(CASE WHEN a THEN ", 600) + "a" + rep(" END)", 600), false},
	} {
		if _, err := Parse("t", c.text); (err == nil) != c.ok {
			msg := fmt.Sprint(err)
			t.Errorf("%s: %s", name, msg[:min(len(msg), 300)])
		}
	}
}

func TestConformance(t *testing.T) {
	files, _ := filepath.Glob("../../shared/conformance/*.rql")
	if len(files) == 0 {
		t.Skip("../shared/conformance is absent")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(filepath.Base(file), string(src)); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/errors/*.rql", "format/testdata/format/*.rql", "../../shared/conformance/*.rql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if src, err := os.ReadFile(file); err == nil && len(src) < 4096 {
				f.Add(string(src))
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		script, err := Parse("f", src)
		if script == nil {
			t.Fatal("no script")
		}
		if err == nil {
			for _, st := range script.Statements {
				if st.Broken || st.Body == nil {
					t.Fatal("a broken statement without an error")
				}
			}
			return
		}
		var diags *Diagnostics
		if !errors.As(err, &diags) {
			t.Fatalf("%T is no *Diagnostics", err)
		}
		if diags.Error() == "" {
			t.Fatal("an error that says nothing")
		}
		for _, d := range diags.List {
			if d.Msg == "" || d.Start.Offset < 0 || d.Start.Offset > len(src) || d.Start.Line < 1 || d.Start.Column < 1 {
				t.Fatalf("%+v lies outside the text", d)
			}
		}
	})
}

// BenchmarkParse reads a script of 10,000 statements, and one of a single line.
func BenchmarkParse(b *testing.B) {
	const one = "FROM 'signs.csv' FILTER Sign_Post = 'Punched Telespar' AND n > 10\n" +
		"AGGREGATE count(*) AS signs, max(n) AS top BY Category\nSORT signs DESC\nLIMIT 10;\n"
	for name, src := range map[string]string{"large": strings.Repeat(one, 10_000), "tiny": "FROM 'signs.csv' LIMIT 5"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("b", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
