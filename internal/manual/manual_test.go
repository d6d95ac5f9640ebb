package manual

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/docs"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/planner/analyze"
)

// TestEverythingHasATopic walks the lists that the program itself works by.
func TestEverythingHasATopic(t *testing.T) {
	names := append([]string{"LET", "CREATE FUNCTION", "DROP FUNCTION", "DESCRIBE", "EXPLAIN", "EXPLAIN ANALYZE", "SUMMARIZE", "SHOW", "topics",
		"tutorial", "types", "row_number", "lag", "tumble", "csv", "parquet", "delimiter", "on_error", "timeout", "DECIMAL"}, parser.Verbs()...)
	for _, f := range expr.Functions() {
		names = append(append(names, f.Name), f.Aliases...)
	}
	for _, s := range analyze.Settings() {
		names = append(names, s.Name)
	}
	for _, name := range names {
		topic, err := Find(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if topic.Title == "" || len(strings.TrimSpace(topic.Markdown())) < len(topic.Name)+20 {
			t.Errorf("%s: the topic says nothing: %q, %q", name, topic.Title, topic.Markdown())
		}
	}
}

// TestNamesOfSections holds the lists of names to the headings.
func TestNamesOfSections(t *testing.T) {
	titles := map[string]bool{}
	for _, s := range append(cut(docs.Language), cut(docs.Errors)...) {
		titles[s.title] = true
	}
	check := func(title string) {
		if !titles[title] {
			t.Errorf("no section is called %q", title)
		}
	}
	for title := range shortNames {
		check(title)
	}
	for title := range alsoOf {
		check(title)
	}
	for title := range statementTitles {
		check(title)
	}
	for _, v := range verbNames {
		check(v.section)
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name, has string
	}{
		{"filter", "FILTER e"},
		{" Where ", "FILTER e"},
		{"order by", "NULLs come last"},
		{"set", "replaces the values of columns"}, // the verb …
		{"set", "memory_limit"},                   // … and the statement
		{"substr", "substring(STRING, INT) -> STRING"},
		{"count()", "count"},
		{"'csv';", "delimiter"},
		{"+", "INT + INT -> INT"},
		{"||", "'rain' || 'sql'"},
		{"writing", "mode = 'append'"},
		{`\d`, "columns of a file"},
		{`\set`, "max_rows"},
	} {
		topic, err := Find(c.name)
		if err != nil {
			t.Errorf("%q: %v", c.name, err)
		} else if !strings.Contains(topic.Markdown(), c.has) {
			t.Errorf("%q: %q is not in\n%s", c.name, c.has, topic.Markdown())
		}
	}
	for name, want := range map[string]string{
		"filtre": `no help on "filtre": did you mean FILTER? 'help topics' lists what there is`,
		"regex":  `no help on "regex": did you mean regexp_extract, regexp_extract_all, regexp_full_match, regexp_matches? 'help topics' lists what there is`,
		"zzzzzz": `no help on "zzzzzz"; 'help topics' lists what there is`,
		"":       `no help on ""; 'help topics' lists what there is`,
	} {
		_, err := Find(name)
		var missing *NotFoundError
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

var sequence = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestWidth renders all there is and measures the lines.
func TestWidth(t *testing.T) {
	for _, topic := range Topics() {
		for _, width := range []int{30, 80, 133} {
			for _, color := range []bool{false, true} {
				var sb strings.Builder
				if err := Render(&sb, topic, width, color); err != nil {
					t.Fatal(err)
				}
				plain := sequence.ReplaceAllString(sb.String(), "")
				if strings.Contains(plain, "\x1b") || !color && plain != sb.String() {
					t.Errorf("%s: stray sequences", topic.Name)
				}
				for line := range strings.Lines(plain) {
					if line = strings.TrimSuffix(line, "\n"); runes(line) > width {
						t.Errorf("%s: %d columns, not %d: %q", topic.Name, runes(line), width, line)
					}
					if strings.HasSuffix(line, " ") && strings.TrimSpace(line) == "" {
						t.Errorf("%s: a line of blanks", topic.Name)
					}
				}
			}
		}
	}
}

func TestMarkdown(t *testing.T) {
	const page = "# Head\n\nSome *text* with `code`, a [link](to/there.md) and a\nline break that goes.\n\n" +
		"- one\n- two two two two two\n\n1. first\n2. second\n\n```rql\nFROM './a.csv'\n```\n```csv\na\n1\n```\n\n" +
		"| a | b |\n| --- | --- |\n| `x \\| y` | a cell of several words |\n| z | \\< |\n| `p`<br>`q` | r |\n"
	for _, c := range []struct {
		color bool
		want  string
	}{
		{false, `
Head
════

Some text with ` + "`code`" + `, a link
and a line break that goes.

- one
- two two two two two

1. first
2. second

    FROM './a.csv'

    a
    1

a      b
─────  ───────────────────────
x | y  a cell of several words
z      <
` + "`p`    r\n`q`\n"},
		{true, "\n\x1b[1mHead\x1b[0m\n\nSome \x1b[3mtext\x1b[0m with \x1b[36mcode\x1b[0m, a link\nand a line break that goes.\n\n" +
			"- one\n- two two two two two\n\n1. first\n2. second\n\n    FROM './a.csv'\n\n    \x1b[2ma\x1b[0m\n    \x1b[2m1\x1b[0m\n\n" +
			"\x1b[1ma\x1b[0m      \x1b[1mb\x1b[0m\n\x1b[2m─────  ───────────────────────\x1b[0m\n\x1b[36mx | y\x1b[0m  a cell of several words\nz      <\n\x1b[36mp\x1b[0m      r\n\x1b[36mq\x1b[0m\n"},
	} {
		var sb strings.Builder
		if err := markdown(&sb, page, 30, c.color); err != nil {
			t.Fatal(err)
		}
		if got := "\n" + sb.String(); got != c.want {
			t.Errorf("color %v: got\n%s\nwant\n%s\n%q", c.color, got, c.want, got)
		}
	}
}
