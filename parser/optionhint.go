package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// option completes the error at token i of toks where an option lacks its =, as in
// (delimiter ';') or (null 'n/a'). It reports whether that is what is wrong.
func option(d *Diagnostic, toks []lexer.Token, i int) bool {
	name := i
	switch {
	case strings.HasPrefix(d.Msg, "expected a name in") && lex.WordOf(toks[i]) == "NULL":
		// null is a word of the language, and a name only before an =.
	case strings.HasPrefix(d.Msg, `expected "=" in`) && i > 0 && toks[i-1].Type == lex.Ident:
		name = i - 1
	default:
		return false
	}
	if name == 0 || toks[name-1].Type != lex.Op || toks[name-1].Value != "(" && toks[name-1].Value != "," {
		return false
	}
	next := toks[name+1]
	if next.Value == ":" && name+2 < len(toks) {
		next = toks[name+2]
	}
	value := "…"
	if next.Type == lex.String || next.Type == lex.Ident || next.Type == lex.Number || lex.WordOf(next) != "" {
		value = clip(next.Value)
	}
	word := strings.ToLower(toks[name].Value)
	d.Msg = fmt.Sprintf(`"=" is missing after %s`, word)
	d.Hint = fmt.Sprintf("write %s = %s", word, value)
	return true
}
