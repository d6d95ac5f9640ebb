package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// lostQuote looks for an error at a word that touches the closing quote of a text
// before it, as in 'O'Brien'. That quote was meant to be part of the text, and all
// that is found behind it is its consequence: the one error about it takes the place
// of the others. from is where they begin, or -1 where there is no such word.
func lostQuote(diags []*Diagnostic, toks []lexer.Token) (list []*Diagnostic, from int) {
	for i, t := range toks[1:] {
		s := toks[i]
		if s.Type != lex.String || t.Type != lex.Ident || after(s) != t.Pos || strings.Contains(s.Value, "\n") || !errorAt(diags, t.Pos.Offset) {
			continue
		}
		for _, d := range diags {
			if d.Start.Offset < t.Pos.Offset {
				list = append(list, d)
			}
		}
		text := s.Value[:len(s.Value)-1]
		if r := []rune(text); len(r) > maxRepeated {
			text = "…" + string(r[len(r)-maxRepeated:])
		}
		d := diagAt(s.Pos, after(t), fmt.Sprintf("this text ends before %q", t.Value),
			fmt.Sprintf("a quote inside a text is written twice: %s''%s…", text, t.Value))
		return append(list, d), s.Pos.Offset
	}
	return diags, -1
}

// maxRepeated is how much of a text a hint repeats, in runes.
const maxRepeated = 30

func errorAt(diags []*Diagnostic, offset int) bool {
	for _, d := range diags {
		if d.Start.Offset == offset {
			return true
		}
	}
	return false
}
