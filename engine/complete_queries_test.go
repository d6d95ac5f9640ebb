package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/gen"
	"github.com/rainsql/rainsql/parser/lex"
	"github.com/rainsql/rainsql/sdfs"
)

// TestCompletionFollowsQueries cuts queries that people wrote at each of their
// words: the word that stands there must be among those offered.
func TestCompletionFollowsQueries(t *testing.T) {
	paths, err := filepath.Glob("../queries/*/*.rql")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	scripts := map[string]string{}
	for _, p := range paths {
		scripts[p] = readFile(t, p)
	}
	reference := strings.Split(readFile(t, "../docs/LANGUAGE.md"), "\n")
	t.Chdir(t.TempDir())
	signs, err := os.Create("signs.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Signs(signs, 100, 1); err != nil {
		t.Fatal(err)
	}
	if err := signs.Close(); err != nil {
		t.Fatal(err)
	}
	params := map[string]string{"fruit": "pear", "most": "2", "post": "Punched Telespar", "text": "No Outlet"}
	var s score
	for _, p := range paths {
		s.script(t, filepath.Base(p), scripts[p], params)
	}
	// The reference makes files as it goes on, so its examples run in order.
	for i := 0; i < len(reference); i++ {
		info, fenced := strings.CutPrefix(reference[i], "```")
		if !fenced {
			continue
		}
		line := i + 1
		end := i + 1 + slices.Index(reference[i+1:], "```")
		body := strings.Join(reference[i+1:end], "\n") + "\n"
		i = end
		kind, name, _ := strings.Cut(info, " ")
		switch kind {
		case "file":
			if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
				t.Fatal(err)
			}
		case "rql":
			s.script(t, fmt.Sprintf("LANGUAGE.md:%d", line), strings.TrimSpace(body), params)
		}
	}
	t.Logf("of %d words %d are offered before anything is typed (%.1f%%), %d with their first letter typed (%.1f%%)",
		s.words, s.blank, s.percent(s.blank), s.letter, s.percent(s.letter))
	for _, m := range s.missed {
		t.Log(m)
	}
	if s.words < 500 || s.percent(s.blank) < 93 || s.percent(s.letter) < 95 {
		t.Error("too few")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// score counts the words of queries, and those that completion offers.
type score struct {
	words, blank, letter int
	missed               []string
}

func (s *score) percent(n int) float64 { return float64(n) * 100 / float64(max(s.words, 1)) }

// script asks for each word of a script, and then runs it, for the files it writes.
func (s *score) script(t *testing.T, name, src string, params map[string]string) {
	t.Helper()
	cfg := engine.Config{Store: sdfs.Config{Dir: ".sdfs"}}
	e := engine.New(cfg)
	session := e.NewSession(params)
	toks, _ := lex.Tokens("", src)
	toks = slices.DeleteFunc(toks, func(t lexer.Token) bool { return t.Type == lex.Comment })
	for i := range toks {
		if !completable(toks, i) {
			continue
		}
		at := toks[i].Pos.Offset
		s.words++
		blank := offers(session.Complete(context.Background(), src[:at], at), toks[i])
		letter := offers(session.Complete(context.Background(), src[:at+1], at+1), toks[i])
		if blank {
			s.blank++
		}
		if letter {
			s.letter++
		}
		if !letter || !blank {
			s.missed = append(s.missed, fmt.Sprintf("%s: %s| %s (blank %v, letter %v)", name, src[max(0, at-40):at], toks[i].Value, blank, letter))
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = enginetest.Run(t, cfg, params, name, src) // some are there to fail
}

// completable reports whether a token is one that can be known before it is
// written: no number, no text, no name that it gives to something.
func completable(toks []lexer.Token, i int) bool {
	t := toks[i]
	before := func(n int) string {
		if i < n {
			return ""
		}
		return strings.ToUpper(toks[i-n].Value)
	}
	switch {
	case t.EOF(), t.Type == lex.Op, t.Type == lex.Number, t.Type == lex.Unit:
		return false
	case t.Type == lex.String:
		return slices.Contains([]string{"FROM", "JOIN", "DESCRIBE", "SUMMARIZE"}, before(1)) && !strings.ContainsAny(t.Value, "*?{")
	case before(1) == "AS":
		_, err := types.Parse(t.Value)
		return err == nil && lex.WordOf(t) == "" && i > 2 && toks[i+1].Value == ")"
	case before(1) == "LET", before(1) == "FUNCTION" && before(2) == "CREATE":
		return false
	case toks[i+1].Value == ":", toks[i+1].Value == "=" && before(1) == "(": // a field of a STRUCT, an option or argument
		return toks[i+1].Value == "=" && before(2) != ")" && toks[max(i-2, 0)].Type == lex.String
	}
	return true
}

// offers reports whether a token is among the items.
func offers(c engine.Completion, t lexer.Token) bool {
	return slices.ContainsFunc(c.Items, func(i engine.Item) bool {
		text := i.Text
		if t.Type == lex.String {
			return text == t.Value || i.Kind == "folder" && strings.HasPrefix(t.Value, text)
		}
		for _, end := range []string{"()", "(", ".", "<", " ("} {
			text = strings.TrimSuffix(text, end)
		}
		text = text[strings.LastIndexByte(text, '.')+1:] // of t.c
		word, _, _ := strings.Cut(text, " ")
		return strings.EqualFold(text, t.Value) || strings.EqualFold(word, t.Value) ||
			t.Type == lex.Quoted && strings.Trim(text, "\"`") == lex.Unquote(t.Value)
	})
}
