package shell

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/internal/shell/editor"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/lex"
)

// The styles of a text, as SGR parameters. They are those of the sixteen colours
// that every terminal lets its user choose.
const (
	styleVerb     = "1;34"
	styleWord     = "34"
	styleFunction = "36"
	styleString   = "32"
	styleNumber   = "35"
	styleParam    = "33"
	styleComment  = "2"
	styleCommand  = "1"
	styleWrong    = "31"
)

var verbs = func() map[string]bool {
	m := map[string]bool{}
	for _, v := range parser.Verbs() {
		m[v] = true
	}
	delete(m, "AS") // it names a table as a verb, and columns everywhere
	return m
}()

// Colour returns the styles of the parts of an input.
func Colour(text string) []editor.Span {
	if strings.HasPrefix(strings.TrimSpace(text), `\`) {
		begin := strings.Index(text, `\`)
		end := len(text)
		if i := strings.IndexAny(text[begin:], " \n"); i >= 0 {
			end = begin + i
		}
		return []editor.Span{{From: begin, To: end, Style: styleCommand}}
	}
	toks, errs := lex.Tokens("", text)
	var spans []editor.Span
	add := func(from, to int, style string) {
		for len(errs) > 0 && errs[0].Start.Offset < to {
			e := errs[0]
			errs = errs[1:]
			if n := len(spans); n == 0 || spans[n-1].To <= e.Start.Offset {
				spans = append(spans, editor.Span{From: e.Start.Offset, To: e.End.Offset, Style: styleWrong})
			}
		}
		if n := len(spans); style != "" && from < to && (n == 0 || spans[n-1].To <= from) {
			spans = append(spans, editor.Span{From: from, To: to, Style: style})
		}
	}
	for i, t := range toks {
		called := i+1 < len(toks) && toks[i+1].Value == "(" && toks[i+1].Pos.Offset == t.Pos.Offset+len(t.Value)
		add(t.Pos.Offset, t.Pos.Offset+len(t.Value), style(t, called))
	}
	add(len(text)+1, len(text)+1, "")
	return spans
}

// style is that of a token; called says that a parenthesis follows at once.
func style(t lexer.Token, called bool) string {
	switch t.Type {
	case lex.Comment:
		return styleComment
	case lex.String:
		return styleString
	case lex.Number, lex.Unit:
		return styleNumber
	case lex.Param:
		return styleParam
	case lex.Ident:
		switch {
		case verbs[strings.ToUpper(t.Value)]:
			return styleVerb
		case called:
			return styleFunction
		}
		return ""
	case lex.Quoted, lex.Op, lex.EOF:
		return ""
	}
	if verbs[lex.WordOf(t)] {
		return styleVerb
	}
	return styleWord
}
