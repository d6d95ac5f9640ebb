package format

import (
	"strings"

	"github.com/rainsql/rainsql/parser/ast"
)

func (b *builder) verb(v ast.Verb) *doc {
	switch v := v.(type) {
	case *ast.Filter:
		return cat(text("FILTER "), b.chain(v.Cond))
	case *ast.Transform:
		head := "TRANSFORM"
		if v.Distinct {
			head = "TRANSFORM DISTINCT"
		}
		return b.clause(head, v.Pos.Offset, b.items(v.Items), starts(v.Items))
	case *ast.Exec:
		kids := []*doc{text("TRANSFORM USING EXEC "), b.expr(v.Program.Value)}
		if len(v.Args) > 0 {
			kids = append(kids, text(" ARGS "), b.exprList("(", v.Args, ")"))
		}
		return cat(append(kids, b.options(v.Options))...)
	case *ast.Extend:
		return b.clause("EXTEND", v.Pos.Offset, b.items(v.Items), starts(v.Items))
	case *ast.Set:
		list := make([]*doc, len(v.List))
		for i, a := range v.List {
			list[i] = cat(text(name(a.Name)+" = "), b.expr(a.Expr))
		}
		return b.clause("SET", v.Pos.Offset, list, starts(v.List))
	case *ast.Drop:
		return b.clause("DROP", v.Pos.Offset, names(v.Names), starts(v.Names))
	case *ast.Rename:
		list := make([]*doc, len(v.List))
		for i, r := range v.List {
			list[i] = text(name(r.From) + " AS " + name(r.To))
		}
		return b.clause("RENAME", v.Pos.Offset, list, starts(v.List))
	case *ast.Aggregate:
		return b.aggregate(v)
	case *ast.Join:
		return b.join(v)
	case *ast.Distinct:
		if len(v.On) == 0 {
			return text("DISTINCT")
		}
		return cat(text("DISTINCT ON "), b.exprList("(", v.On, ")"))
	case *ast.Sort:
		return b.clause("SORT", v.Pos.Offset, b.sortKeys(v.Keys), starts(v.Keys))
	case *ast.Limit:
		if v.Offset == nil {
			return cat(text("LIMIT "), b.expr(v.Count))
		}
		return cat(text("LIMIT "), b.expr(v.Count), text(" OFFSET "), b.expr(v.Offset))
	case *ast.SetOp:
		kids := []*doc{text(strings.TrimSpace(v.Op+" "+v.Mode) + " ")}
		for i, p := range v.Inputs {
			if i > 0 {
				kids = append(kids, text(", "))
			}
			kids = append(kids, b.nested(p))
		}
		return cat(kids...)
	case *ast.Unnest:
		return cat(text("UNNEST "), b.expr(v.Expr), text(alias(v.Alias)))
	case *ast.Tee:
		return cat(text("TEE INTO "), b.sink(v.Sink))
	case *ast.As:
		return text("AS " + name(v.Name))
	case *ast.Into:
		return cat(text("INTO "), b.sink(v.Sink))
	}
	return text("")
}

// clause is a word and its list: on one line, or one item a line if that is
// too long or if a comment stands between the items. A single item stays with the word.
func (b *builder) clause(word string, from int, list []*doc, at []int) *doc {
	if len(list) == 1 {
		return cat(text(word+" "), list[0])
	}
	kids := []*doc{text(word)}
	for i, d := range list {
		if i > 0 {
			kids = append(kids, text(","))
		}
		kids = append(kids, nest(lineBreak(at[i]), d))
	}
	return group(kids...).force(b.commented(from, at[len(at)-1], false))
}

// aggregate puts BY and EMIT on lines of their own where it does not fit on one.
func (b *builder) aggregate(v *ast.Aggregate) *doc {
	keys := append(v.Keys, v.Alone...)
	var kids []*doc
	switch len(v.Items) {
	case 0:
		kids = append(kids, text("AGGREGATE"))
	default:
		kids = append(kids, b.clause("AGGREGATE", v.Pos.Offset, b.items(v.Items), starts(v.Items)))
	}
	if len(keys) > 0 {
		by := b.toks.by(keys[0].Pos.Offset)
		gap := lineBreak(by)
		if len(v.Items) == 0 {
			gap = text(" ")
		}
		kids = append(kids, gap, b.clause("BY", by, b.items(keys), starts(keys)))
	}
	if e := v.Emit; e != nil {
		kids = append(kids, lineBreak(e.Pos.Offset))
		if e.Every != nil {
			kids = append(kids, text("EMIT EVERY "), b.expr(e.Every))
		} else {
			kids = append(kids, text("EMIT ON "+e.On))
		}
	}
	return group(kids...)
}

func (b *builder) join(v *ast.Join) *doc {
	head := "JOIN "
	if v.Kind != "" {
		head = v.Kind + " JOIN "
	}
	kids := []*doc{text(head), b.source(v.Source)}
	if v.On != nil {
		kids = append(kids, nest(lineBreak(b.toks.before(exprStart(v.On))), text("ON "), b.chain(v.On)))
	}
	if len(v.Using) > 0 {
		kids = append(kids, text(" USING "), b.bracketed("(", names(v.Using), starts(v.Using), closeOf(b.toks, v.Using), ")"))
	}
	if v.Within != nil {
		kids = append(kids, text(" WITHIN "), b.expr(v.Within))
	}
	return group(kids...)
}

func (b *builder) items(list []*ast.Item) []*doc {
	docs := make([]*doc, len(list))
	for i, it := range list {
		if it.Star != nil {
			docs[i] = b.star(it.Star)
			continue
		}
		docs[i] = cat(b.expr(it.Expr), text(alias(it.Alias)))
	}
	return docs
}

func (b *builder) star(s *ast.Star) *doc {
	kids := []*doc{text("*")}
	if s.Table != nil {
		kids[0] = text(name(s.Table) + ".*")
	}
	if len(s.Except) > 0 {
		kids = append(kids, text(" EXCEPT "), b.bracketed("(", names(s.Except), starts(s.Except), closeOf(b.toks, s.Except), ")"))
	}
	if len(s.Replace) > 0 {
		list := make([]*doc, len(s.Replace))
		for i, r := range s.Replace {
			list[i] = cat(b.expr(r.Expr), text(" AS "+name(r.Name)))
		}
		kids = append(kids, text(" REPLACE "), b.bracketed("(", list, starts(s.Replace), closeOf(b.toks, s.Replace), ")"))
	}
	return cat(kids...)
}

func (b *builder) sortKeys(keys []*ast.SortKey) []*doc {
	docs := make([]*doc, len(keys))
	for i, k := range keys {
		tail := ""
		if k.Dir != "" {
			tail += " " + k.Dir
		}
		if k.Nulls != "" {
			tail += " NULLS " + k.Nulls
		}
		docs[i] = cat(b.expr(k.Expr), text(tail))
	}
	return docs
}

func alias(n *ast.Name) string {
	if n == nil {
		return ""
	}
	return " AS " + name(n)
}

func names(list []*ast.Name) []*doc {
	docs := make([]*doc, len(list))
	for i, n := range list {
		docs[i] = text(name(n))
	}
	return docs
}
