package parser

import (
	"fmt"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// maxHeight bounds how deep the tree of a statement may be where it is deep by
// long chains (a AND b AND …) rather than by nesting.
const maxHeight = 300 * MaxNesting

// level is what tooDeep knows of one open bracket or CASE.
type level struct {
	isCase  bool // opened by CASE, which END closes
	run     int  // prefix operators, NOT and signs, just before this token
	prefix  int  // the longest run so far
	chain   int  // the height of the tree so far in this item
	highest int  // of the items before it
}

// tooDeep finds text that would exhaust the stack of the parser, or of those
// who walk its tree, before anything recurses into it. The cursor counts too, but
// only within one verb; this counts across them.
func tooDeep(toks []lexer.Token) *Diagnostic {
	open := []level{{}}
	prefixes := 0 // the sum over the open levels
	dotted := false
	closeLevel := func() {
		if n := len(open) - 1; n > 0 {
			inner := open[n]
			prefixes -= inner.prefix
			open = open[:n]
			open[n-1].chain = max(open[n-1].chain, max(inner.chain, inner.highest)+1)
		}
		open[len(open)-1].run = 0
	}
	for _, t := range toks {
		top := &open[len(open)-1]
		word := ""
		if t.Type != lex.Op && !dotted { // behind a dot END is a name
			word = lex.WordOf(t)
		}
		dotted = t.Type == lex.Op && t.Value == "."
		switch {
		case t.Type == lex.Op && (t.Value == "(" || t.Value == "[" || t.Value == "{"):
			open = append(open, level{})
		case word == "CASE":
			open = append(open, level{isCase: true})
		case t.Type == lex.Op && (t.Value == ")" || t.Value == "]" || t.Value == "}"):
			for len(open) > 1 && open[len(open)-1].isCase { // a CASE without END, or a field of that name
				closeLevel()
			}
			closeLevel()
		case word == "END":
			if top.isCase {
				closeLevel()
			}
		case t.Type == lex.Op && t.Value == ";":
			open, prefixes = []level{{}}, 0
		case t.Type == lex.Op && t.Value == ",", word == "FROM":
			top.highest, top.chain, top.run = max(top.highest, top.chain), 0, 0
		case t.Type == lex.Op && (t.Value == "-" || t.Value == "+"), word == "NOT":
			top.run++
			top.chain++
			if top.run > top.prefix {
				top.prefix++
				prefixes++
			}
		case t.Type == lex.Op, word != "":
			top.chain++
			top.run = 0
		default:
			top.run = 0
		}
		if prefixes > MaxNesting || len(open)-1 > MaxNesting || open[len(open)-1].chain > maxHeight {
			return diagAt(t.Pos, after(t), fmt.Sprintf("nested deeper than %d", MaxNesting), nestingHint)
		}
	}
	return nil
}
