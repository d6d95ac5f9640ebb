package format

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/format/*.rql")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := check(t, string(src))
			golden := strings.TrimSuffix(file, ".rql") + ".golden"
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

func TestConformance(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/conformance/*.rql")
	if len(files) == 0 {
		t.Skip("../shared/conformance is absent")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) { check(t, string(src)) })
	}
}

func TestSyntaxError(t *testing.T) {
	out, err := Source("x.rql", "FROM x; FILTRE y")
	var diags *parser.Diagnostics
	if out != "" || !errors.As(err, &diags) || len(diags.List) != 1 {
		t.Fatalf("got %q, %v", out, err)
	}
}

func TestExpr(t *testing.T) {
	for src, want := range map[string]string{
		"COUNT( * )":                    "count(*)",
		"a+b /* sum */ *2":              "a + b * 2",
		"x!=  'it''s'":                  "x <> 'it''s'",
		"`a b`.\"c\" -  -1":             `"a b".c - -1`,
		"(from t filter x>1 limit 1)":   "(FROM t FILTER x > 1 LIMIT 1)",
		"sum(a) over(order by b desc)":  "sum(a) OVER (ORDER BY b DESC)",
		"case when a then 1 else 2 end": "CASE WHEN a THEN 1 ELSE 2 END",
	} {
		script, err := parser.Parse("x", "TRANSFORM "+src)
		if err != nil {
			t.Fatal(err)
		}
		e := script.Statements[0].Body.(*ast.Pipeline).Verbs[0].(*ast.Transform).Items[0].Expr
		if got := Expr(e); got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/format/*.rql", "../../../shared/conformance/*.rql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if src, err := os.ReadFile(file); err == nil {
				f.Add(string(src))
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		if _, err := parser.Parse("a.rql", src); err == nil {
			check(t, src)
		}
	})
}

// TestCommentsAnywhere puts comments between any two tokens of the golden texts.
func TestCommentsAnywhere(t *testing.T) {
	files, err := filepath.Glob("testdata/format/*.rql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		toks, _ := lex.Tokens("", string(src))
		for seed := range uint64(30) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			often := 1 + rnd.IntN(40)
			var sb strings.Builder
			for i, tok := range toks {
				if tok.Type == lex.Comment {
					continue
				}
				sb.WriteString(tok.Value + " ")
				if rnd.IntN(often) == 0 {
					sb.WriteString(strings.ReplaceAll([]string{"\n", "/* # */", "-- #\n", "\n-- #\n", "\n\n/* # */ -- #\n", "/* #\n# */\n\n"}[rnd.IntN(6)], "#", strconv.Itoa(i)))
				}
			}
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(file), seed), func(t *testing.T) { check(t, sb.String()) })
		}
	}
}
