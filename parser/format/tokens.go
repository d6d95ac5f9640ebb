package format

import (
	"sort"
	"strings"

	"github.com/rainsql/rainsql/parser/lex"
)

// tokens are the extents of a text's tokens in order, comments left out and
// the end of the text last. Comments are placed by asking between which two they stand.
type tokens struct {
	start, end []int
	group      []bool // the word GROUP, which may precede a BY
}

func indexTokens(src string) *tokens {
	list, _ := lex.Tokens("", src)
	t := &tokens{}
	for _, tok := range list {
		if tok.Type != lex.Comment {
			t.start = append(t.start, tok.Pos.Offset)
			t.end = append(t.end, tok.Pos.Offset+len(tok.Value))
			t.group = append(t.group, lex.WordOf(tok) == "GROUP")
		}
	}
	return t
}

// lastEnd is where the last token that begins before off ends, or 0.
func (t *tokens) lastEnd(off int) int {
	if i := sort.SearchInts(t.start, off); i > 0 {
		return t.end[i-1]
	}
	return 0
}

// at is where the first token from off on begins. Nodes disagree on whether
// blanks behind them are theirs; this is the same for both.
func (t *tokens) at(off int) int {
	if t == nil || len(t.start) == 0 {
		return 0
	}
	return t.start[min(sort.SearchInts(t.start, off), len(t.start)-1)]
}

// before is where the last token that begins before off begins.
func (t *tokens) before(off int) int {
	if t == nil || len(t.start) == 0 {
		return 0
	}
	return t.start[max(0, sort.SearchInts(t.start, off)-1)]
}

// by is where the BY, or GROUP BY, just before off begins.
func (t *tokens) by(off int) int {
	if t == nil || len(t.start) == 0 {
		return 0
	}
	i := max(0, sort.SearchInts(t.start, off)-1)
	if i > 0 && t.group[i-1] {
		i--
	}
	return t.start[i]
}

func blankLine(gap string) bool { return strings.Count(gap, "\n") > 1 }
