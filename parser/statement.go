package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// statementParser reads one statement and collects its errors.
type statementParser struct {
	diags []*Diagnostic
	moot  int // from this offset on, what is wrong follows from the last of diags; -1 where it does not
}

// guard runs a piece of the grammar and turns what goes wrong into a diagnostic.
func guard(word string, f func() error) (d *Diagnostic) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bailout)
			if !ok {
				panic(r)
			}
			d = b.diag
		}
	}()
	if err := f(); err != nil {
		return explainError(err, word)
	}
	return nil
}

func (p *statementParser) parse(part []lexer.Token) *ast.Statement {
	p.moot = -1
	l, err := lex.Upgrade(part)
	if err != nil {
		p.diags = append(p.diags, explainError(err, "the statement"))
		return nil
	}
	c := &cursor{lex: l}
	st := &ast.Statement{}
	st.Pos = c.peek().Pos
	word, parse := bodyFor(c)
	switch {
	case parse != nil:
		d := guard(word, func() (err error) { st.Body, err = parse(l); return err })
		if d == nil && !c.peek().EOF() {
			d = trailing(c, word)
		}
		if d != nil {
			p.diags, st.Broken = append(p.diags, d), true
			if word == "LET" && st.Body == nil {
				st.Body = letName(part)
			}
		}
	case startsPipeline(*c.peek()):
		pipe := &ast.Pipeline{}
		st.Broken = !p.pipeline(c, pipe)
		if !st.Broken && !c.peek().EOF() {
			p.diags, st.Broken = append(p.diags, closesNothing(c)), true
		}
		st.Body = pipe
	default:
		st.Broken = true
		p.diags = append(p.diags, notAStatement(c))
	}
	if p.diags, p.moot = lostQuote(p.diags, part); p.moot < 0 {
		p.diags = afterthoughts(runaway(p.diags, part), part)
	}
	st.EndPos = part[len(part)-1].Pos
	return st
}

// letName keeps the name of a LET that could not be read, so that what reads it has
// no error of its own.
func letName(part []lexer.Token) ast.Body {
	seen := 0
	for _, t := range part {
		switch {
		case t.Type == lex.Comment:
		case seen == 0:
			seen++
		case t.Type == lex.Ident:
			return &ast.Let{Name: &ast.Name{Text: t.Value}}
		default:
			return nil
		}
	}
	return nil
}

// bodyFor chooses the grammar of a statement that is not a pipeline.
func bodyFor(c *cursor) (string, func(*lexer.PeekingLexer) (ast.Body, error)) {
	t, ahead := *c.peek(), c.peek2()
	word := lex.WordOf(t)
	if t.Type == lex.Ident {
		word = strings.ToUpper(t.Value)
	}
	switch word {
	case "LET":
		return word, letRule
	case "EXPLAIN":
		return word, explainRule
	case "SET":
		return word, settingRule
	case "DESCRIBE", "DESC":
		return word, describeRule
	case "SUMMARIZE":
		return word, summarizeRule
	case "SHOW":
		return word, showRule
	case "DROP", "PAUSE", "RESUME":
		return word, controlRule
	case "CREATE":
		switch strings.ToUpper(ahead.Value) {
		case "FUNCTION":
			return "CREATE FUNCTION", functionRule
		case "SOURCE":
			return "CREATE SOURCE", srcRule
		case "JOB":
			return "CREATE JOB", jobRule
		}
	}
	return word, nil
}

func notAStatement(c *cursor) *Diagnostic {
	t := *c.peek()
	word := strings.ToUpper(t.Value)
	if lex.WordOf(t) == "CREATE" {
		c.next()
		n := *c.peek()
		hint := "what can be created is a FUNCTION, a SOURCE or a JOB"
		switch strings.ToUpper(n.Value) {
		case "TABLE":
			hint = "write FROM … INTO 'name.parquet';"
		case "VIEW":
			hint = "write LET name = (FROM …);"
		}
		return diagAt(n.Pos, after(n), fmt.Sprintf("cannot CREATE %s", describe(n)), hint)
	}
	if verbs[lex.WordOf(t)] != nil {
		return diagAt(t.Pos, after(t), fmt.Sprintf("%s cannot begin a statement", lex.WordOf(t)), "a pipeline begins with FROM, e.g. FROM './file.csv' "+lex.WordOf(t)+" …")
	}
	switch word {
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		return diagAt(t.Pos, after(t), fmt.Sprintf("RQL has no %s", word), "end a pipeline with INTO to write a file")
	case "WITH":
		return diagAt(t.Pos, after(t), "RQL has no WITH", "write LET name = (FROM …);")
	}
	switch {
	case word == "TABLE":
		return diagAt(t.Pos, after(t), "a pipeline begins with FROM", "write FROM name")
	case word == "DECLARE":
		return diagAt(t.Pos, after(t), "RQL has no DECLARE", useParam)
	case word == "VALUES":
		return diagAt(t.Pos, after(t), "RQL has no VALUES", "write SELECT [1, 2] AS l UNNEST l AS x, or read a file")
	case t.Value == "(" && startsPipeline(c.peek2()):
		return diagAt(t.Pos, after(t), "a pipeline begins with FROM", "write FROM (FROM …)")
	}
	hint := "a statement begins with FROM, TRANSFORM (SELECT), LET, CREATE, DROP, EXPLAIN, DESCRIBE, SUMMARIZE, SHOW or SET"
	known := []string{"FROM", "LET", "CREATE", "DROP", "EXPLAIN", "DESCRIBE", "SUMMARIZE", "SHOW", "SET", "TRANSFORM", "SELECT", "PAUSE", "RESUME"}
	if path := c.pathAhead(); path != "" || t.Type == lex.String {
		if path == "" {
			path = clip(t.Value)
		}
		hint = "a pipeline begins with FROM: write FROM " + path
	} else if s := suggest.Nearest(word, known); s != "" {
		hint = fmt.Sprintf("did you mean %s?", s)
	}
	return diagAt(t.Pos, after(t), fmt.Sprintf("unexpected %s at the start of a statement", describe(t)), hint)
}

func closesNothing(c *cursor) *Diagnostic {
	t := *c.peek()
	return diagAt(t.Pos, after(t), fmt.Sprintf("unexpected %s", describe(t)), "no parenthesis is open here")
}

// runaway looks for an error just behind a string of several lines. Such a
// string has most likely lost its closing quote and ended at the opening one of
// the next; that is then the only error worth telling.
func runaway(diags []*Diagnostic, toks []lexer.Token) []*Diagnostic {
	for i, t := range toks[1:] {
		s := toks[i]
		if s.Type != lex.String && s.Type != lex.Quoted || !strings.Contains(s.Value, "\n") {
			continue
		}
		for _, d := range diags {
			if d.Start.Offset == t.Pos.Offset {
				return []*Diagnostic{diagAt(s.Pos, after(s), fmt.Sprintf("this text in quotes goes on to line %d", t.Pos.Line), "is its closing quote missing?")}
			}
		}
	}
	return diags
}

func trailing(c *cursor, word string) *Diagnostic {
	t := *c.peek()
	return diagAt(t.Pos, after(t), fmt.Sprintf("unexpected %s after %s", describe(t), word), "end the statement with ;")
}
