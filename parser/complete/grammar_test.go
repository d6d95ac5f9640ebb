package complete_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/parser/lex"
)

// TestWordsFitTheGrammar cuts scripts at each token and puts every word that is
// offered there in: the parser must find no fault with it, only with what is
// missing behind it.
func TestWordsFitTheGrammar(t *testing.T) {
	tried := map[string]bool{} // at the same few letters a word is tried once
	for _, src := range corpus(t) {
		if _, err := parser.Parse("", src); err != nil {
			continue // what follows a fault is guesswork
		}
		toks, _ := lex.Tokens("", src)
		for _, tok := range toks {
			if tok.Type == lex.Comment {
				continue
			}
			head := src[:tok.Pos.Offset]
			want := complete.At(head, len(head))
			if want.Typed != "" {
				continue // the end of a name
			}
			for _, w := range want.Words {
				key := head[max(0, len(head)-20):] + w.Text
				if tried[key] {
					continue
				}
				tried[key] = true
				begin := head[want.Statement:]
				text := begin + " " + w.Text
				d := faultIn(text, len(begin), len(text))
				if d != nil && faultIn(text+" (FROM y)", len(begin), len(text)) != nil { // which tells * EXCEPT from the verb
					t.Errorf("%s\n%s is offered: %s", tail(head), w.Text, d.Msg)
				}
			}
		}
	}
	if len(tried) < 10_000 {
		t.Errorf("only %d words were tried", len(tried))
	}
}

// TestWordsOfTheGrammar cuts the scripts again: each reserved word must be
// offered where it stands.
func TestWordsOfTheGrammar(t *testing.T) {
	for _, src := range corpus(t) {
		if _, err := parser.Parse("", src); err != nil {
			continue
		}
		toks, _ := lex.Tokens("", src)
		for _, tok := range toks {
			word := lex.WordOf(tok)
			if word == "" || unlikely(word, src, tok) {
				continue
			}
			head := src[:tok.Pos.Offset]
			offered := false
			want := complete.At(head, len(head))
			if want.Typed != "" {
				t.Errorf("%s\n%s is typed", tail(head), want.Typed)
			}
			for _, w := range want.Words {
				text := strings.TrimLeft(w.Text, "(")
				offered = offered || strings.HasPrefix(text, word)
			}
			if !offered && want.Kinds&complete.Values == 0 && !strings.HasSuffix(head, "CREATE JOB hot ") { // which is not offered yet
				t.Errorf("%s\n%s is not offered", tail(head), word)
			}
		}
	}
}

// unlikely reports a word that is a name where it stands, or opens what begins with an operator.
func unlikely(word, src string, tok lexer.Token) bool {
	head := strings.TrimRight(src[:tok.Pos.Offset], " \n\t")
	rest := strings.TrimSpace(src[tok.Pos.Offset+len(tok.Value):])
	return strings.HasSuffix(head, ".") || (word == "LEFT" || word == "RIGHT") && strings.HasPrefix(rest, "(") ||
		strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "=") && word == "NULL"
}

// corpus are the scripts that the formatter is tested with.
func corpus(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../format/testdata/format/*.rql", "../../queries/*/*.rql"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no scripts: %v", err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
	}
	doc, err := os.ReadFile("../../docs/LANGUAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(doc), "\n```rql\n") {
		if text, _, ok := strings.Cut(block, "\n```"); ok && i > 0 {
			all = append(all, text)
		}
	}
	return all
}

// faultIn returns what the parser finds wrong with the bytes from..to, or nil.
func faultIn(text string, from, to int) *parser.Diagnostic {
	_, err := parser.Parse("", text)
	var diags *parser.Diagnostics
	if errors.As(err, &diags) {
		for _, d := range diags.List {
			if d.Start.Offset >= from && d.Start.Offset < to {
				return d
			}
		}
	}
	return nil
}

func tail(s string) string { return "…" + s[max(0, len(s)-60):] }
