package docs_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/sdfs"
)

var rewrite = flag.Bool("rewrite", false, "write down what the examples give now")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// params are those that the document says its examples are run with.
var params = map[string]string{"fruit": "pear", "most": "2"}

// variants are the ways in which every example must give the same.
var variants = []engine.Config{{Parallelism: 1}, {Parallelism: 4}, {Parallelism: 4, SplitBytes: 16}}

// TestExamples runs the pages with queries from top to bottom: their files are
// made, their examples must give what stands under them, and what they say is
// refused must be.
func TestExamples(t *testing.T) {
	for _, name := range []string{"LANGUAGE.md", "ERRORS.md"} {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := readDocument(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			if examples(t, name, doc) == 0 {
				t.Error("the page has no examples")
			}
			if *rewrite {
				if err := doc.write(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// examples runs those of a page and says how many there are.
func examples(t *testing.T, name string, doc *document) int {
	t.Helper()
	answers := map[*part]bool{}
	ran := 0
	for i, p := range doc.parts {
		switch p.kind {
		case "file":
			if err := os.WriteFile(p.arg, []byte(p.text), 0o644); err != nil {
				t.Fatal(err)
			}
		case "rql":
			answer := doc.answer(i)
			answers[answer] = true
			example(t, name, p, answer)
			ran++
		case "sh":
			answers[doc.answer(i)] = true // TestCommands runs it
		case "rql-later":
			if _, err := parser.Parse("query.rql", p.text); err != nil {
				t.Errorf("%s:%d: %v", name, p.line, err)
			}
		case refused:
			refusal(t, name, p)
			ran++
		case "csv", "text", "error":
			if !answers[p] {
				t.Errorf("%s:%d: an output without an example above it", name, p.line)
			}
		}
	}
	return ran
}

// example runs one and compares what it gives with what stands under it.
func example(t *testing.T, name string, p, answer *part) {
	t.Helper()
	for i, cfg := range variants {
		cfg.Store = sdfs.Config{Dir: ".sdfs"} // in the folder of the test
		if answer != nil && answer.kind == "text" && cfg.SplitBytes != 0 {
			continue // a plan tells how many tasks its stages have, which is a matter of size
		}
		got, err := enginetest.Run(t, cfg, params, "query.rql", strings.TrimSpace(p.text))
		switch {
		case answer != nil && answer.kind == "error" && err != nil:
			got = err.Error() + "\n"
		case answer != nil && answer.kind == "error":
			t.Errorf("%s:%d: no error\n%s", name, p.line, p.text)
			continue
		case err != nil:
			t.Errorf("%s:%d: %v\n%s", name, p.line, err, p.text)
			continue
		case answer == nil:
			continue
		}
		if *rewrite && i == 0 && !same(got, answer.text) {
			answer.text = got
		}
		if !same(got, answer.text) {
			t.Errorf("%s:%d: with %d tasks, splits of %d bytes:\n%s--- got\n%s--- want\n%s",
				name, p.line, cfg.Parallelism, cfg.SplitBytes, p.text, got, answer.text)
		}
	}
}

// refusal checks that something is still refused, and with these words.
func refusal(t *testing.T, name string, p *part) {
	t.Helper()
	_, err := enginetest.Run(t, variants[0], params, "query.rql", strings.TrimSpace(p.text))
	var diags *parser.Diagnostics
	if !errors.As(err, &diags) {
		t.Errorf("%s:%d: %s: this is said to be refused, but: %v\n%s", name, p.line, p.arg, err, p.text)
		return
	}
	got := diags.List[0].Msg
	if *rewrite {
		p.want = got
	}
	if got != p.want {
		t.Errorf("%s:%d: %s: says %q, want %q", name, p.line, p.arg, got, p.want)
	}
}
