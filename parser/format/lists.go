package format

import "github.com/rainsql/rainsql/parser/ast"

// bracketed is a list in brackets: on one line, or one item a line.
// at are where the items begin in the source, and end where the bracket closes.
func (b *builder) bracketed(open string, list []*doc, at []int, end int, closing string) *doc {
	if len(list) == 0 {
		return text(open + closing)
	}
	kids := []*doc{text(open)}
	for i, d := range list {
		if i == 0 {
			kids = append(kids, nest(softBreak(at[0]), d))
			continue
		}
		kids = append(kids, text(","), nest(lineBreak(at[i]), d))
	}
	return group(append(kids, softBreak(end), text(closing))...).force(b.commented(b.toks.before(at[0]), end, true))
}

func (b *builder) exprList(open string, list []ast.Expr, closing string) *doc {
	end := 0
	if n := len(list); n > 0 {
		_, pos := list[n-1].Extent()
		end = b.toks.at(pos.Offset)
	}
	return b.bracketed(open, b.exprs(list), exprStarts(list), end, closing)
}

func (b *builder) exprs(list []ast.Expr) []*doc {
	docs := make([]*doc, len(list))
	for i, e := range list {
		docs[i] = b.expr(e)
	}
	return docs
}

// joined is a list that never breaks.
func joined(list []*doc) *doc {
	var kids []*doc
	for i, d := range list {
		if i > 0 {
			kids = append(kids, text(", "))
		}
		kids = append(kids, d)
	}
	return cat(kids...)
}

// starts is where each node begins in the source.
func starts[N ast.Node](list []N) []int {
	at := make([]int, len(list))
	for i, n := range list {
		pos, _ := n.Extent()
		at[i] = pos.Offset
	}
	return at
}

func exprStarts(list []ast.Expr) []int { return starts(list) }

func exprStart(e ast.Expr) int {
	pos, _ := e.Extent()
	return pos.Offset
}

// closeOf is where the bracket behind a list stands.
func closeOf[N ast.Node](t *tokens, list []N) int {
	if len(list) == 0 {
		return 0
	}
	_, end := list[len(list)-1].Extent()
	return t.at(end.Offset)
}
