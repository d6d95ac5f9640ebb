package docs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/sdfs"
)

// pipeSection is the part of LANGUAGE.md with the tables of what GoogleSQL and Spark have.
const pipeSection = "## Coming from GoogleSQL or Spark pipe syntax"

// pipeRow is a row of them: | feature | in | `example` | what rainsql says | note |.
type pipeRow struct {
	line                 int // its index in the file
	feature, in, example string
	says, note           string
}

const (
	cellBreak = " | "
	rowBreak  = " / " // between the rows of an answer
	runs      = "runs"
	gives     = ": "
	refuses   = "refused: "
)

// TestPipeSyntax runs the example of every row. What is said to run must run,
// and give the answer in the row if there is one; what is said to be refused
// must be, with that message and that hint.
func TestPipeSyntax(t *testing.T) {
	path, err := filepath.Abs("LANGUAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := readDocument(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, p := range doc.parts {
		if p.kind == "file" {
			if err := os.WriteFile(p.arg, []byte(p.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	lines := strings.Split(string(text), "\n")
	rows := pipeRows(t, lines)
	if len(rows) < 100 {
		t.Errorf("%q has %d rows: is the table gone?", pipeSection, len(rows))
	}
	for _, r := range rows {
		if got := r.run(t); got != "" {
			t.Errorf("LANGUAGE.md:%d: %s\n%s\nsays %s\nbut  %s", r.line+1, r.feature, r.example, r.says, got)
			if *rewrite {
				lines[r.line] = r.text(got)
			}
		}
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run returns what the cell should have said, or "" if all of it is so.
func (r pipeRow) run(t *testing.T) string {
	t.Helper()
	cfg := variants[0]
	cfg.Store = sdfs.Config{Dir: ".sdfs"}
	out, err := enginetest.Run(t, cfg, params, "query.rql", r.example)
	var diags *parser.Diagnostics
	says := ""
	switch {
	case errors.As(err, &diags):
		d := diags.List[0]
		says = refuses + code(d.Msg)
		if d.Hint != "" {
			says += "; " + code(d.Hint)
		}
	case err != nil:
		says = refuses + code(err.Error())
	case r.says == runs:
		return ""
	default:
		says = runs + gives + code(strings.ReplaceAll(strings.TrimSuffix(out, "\n"), "\n", rowBreak))
	}
	if says == r.says {
		return ""
	}
	return says
}

// text is the row with another answer.
func (r pipeRow) text(says string) string {
	cells := []string{r.feature, r.in, code(r.example), says, r.note}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return fmt.Sprintf("| %s |", strings.Join(cells, cellBreak))
}

// code is a code span of Markdown, of two backticks where one is inside.
func code(s string) string {
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

func uncode(s string) string {
	if inner, ok := strings.CutPrefix(s, "`` "); ok {
		return strings.TrimSuffix(inner, " ``")
	}
	return strings.Trim(s, "`")
}

// pipeRows reads the rows with an example, in which \| stands for |.
func pipeRows(t *testing.T, lines []string) []pipeRow {
	t.Helper()
	var rows []pipeRow
	inside := false
	for i, line := range lines {
		if strings.HasPrefix(line, "## ") {
			inside = line == pipeSection
		}
		if !inside || !strings.HasPrefix(line, "| ") || !strings.Contains(line, "`") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), cellBreak)
		if len(cells) != 5 {
			t.Fatalf("LANGUAGE.md:%d: a row of %d cells, not 5", i+1, len(cells))
		}
		for j, c := range cells {
			cells[j] = strings.ReplaceAll(c, `\|`, "|")
		}
		rows = append(rows, pipeRow{line: i, feature: cells[0], in: cells[1], example: uncode(cells[2]), says: cells[3], note: cells[4]})
	}
	return rows
}
