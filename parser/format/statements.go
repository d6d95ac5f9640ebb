package format

import (
	"sort"
	"strings"

	"github.com/rainsql/rainsql/parser/ast"
)

// builder turns the ast into docs. Without tokens (Expr) no comments are placed.
type builder struct {
	toks     *tokens
	comments []ast.Comment
}

// commented reports whether a comment, or only a -- comment, stands in [from, to).
//
// A group that holds one is broken, so that the comment stays beside its item.
// For the result to be its own canonical form, `to` must be a break of the
// group: the comment then moves to a break that is still in the range.
func (b *builder) commented(from, to int, onlyLine bool) bool {
	i := sort.Search(len(b.comments), func(i int) bool { return b.comments[i].Start >= from })
	for ; i < len(b.comments) && b.comments[i].Start < to; i++ {
		if !onlyLine || strings.HasPrefix(b.comments[i].Text, "--") {
			return true
		}
	}
	return false
}

// statement is a statement with its semicolon, which takes a line of its own
// only to keep comments before it.
func (b *builder) statement(st *ast.Statement) *doc {
	end := text(";")
	semicolon := b.toks.at(st.EndPos.Offset)
	last := b.toks.lastEnd(semicolon)
	for _, c := range b.comments[sort.Search(len(b.comments), func(i int) bool { return b.comments[i].Start >= last }):] {
		if c.Start >= semicolon || semicolon == b.toks.start[len(b.toks.start)-1] {
			break
		}
		if c.Own {
			end = cat(hardBreak(semicolon), end)
			break
		}
	}
	return cat(b.body(st.Body), end)
}

func (b *builder) body(body ast.Body) *doc {
	switch s := body.(type) {
	case *ast.Pipeline:
		return b.pipeline(s)
	case *ast.Let:
		return cat(text("LET "+name(s.Name)+" = "), b.nested(s.Value))
	case *ast.CreateFunction:
		params := make([]*doc, len(s.Params))
		for i, c := range s.Params {
			params[i] = text(columnDef(c))
		}
		return cat(text("CREATE FUNCTION "+name(s.Name)), b.bracketed("(", params, starts(s.Params), closeOf(b.toks, s.Params), ")"), text(" = "), b.expr(s.Body))
	case *ast.CreateSource:
		return cat(text("CREATE SOURCE "+name(s.Name)+" FROM "), b.source(s.Source))
	case *ast.CreateJob:
		head := text("CREATE JOB " + name(s.Name) + " AS")
		if s.Savepoint != nil {
			head = cat(text("CREATE JOB "+name(s.Name)+" FROM SAVEPOINT "), b.expr(s.Savepoint.Value), text(" AS"))
		}
		return cat(head, hardBreak(s.Value.Pos.Offset), b.pipeline(s.Value))
	case *ast.Control:
		return text(strings.ToUpper(s.Action+" "+s.Object) + " " + name(s.Name))
	case *ast.Explain:
		head := text("EXPLAIN")
		if s.Analyze {
			head = text("EXPLAIN ANALYZE")
		}
		return cat(head, b.options(s.Options), hardBreak(s.Value.Pos.Offset), b.pipeline(s.Value))
	case *ast.Describe:
		return cat(text("DESCRIBE "), b.source(s.Source))
	case *ast.Summarize:
		return cat(text("SUMMARIZE "), b.source(s.Source))
	case *ast.Show:
		what := *s.What
		if !what.Quoted {
			what.Text = strings.ToUpper(what.Text)
		}
		return text("SHOW " + name(&what))
	case *ast.Setting:
		return cat(text("SET "+name(s.Name)+" = "), b.expr(s.Value))
	}
	return text("")
}

// pipeline is its source and verbs, one a line.
func (b *builder) pipeline(p *ast.Pipeline) *doc {
	var kids []*doc
	if p.From != nil {
		kids = append(kids, text("FROM "), b.source(p.From))
	}
	for i, v := range p.Verbs {
		pos, _ := v.Extent()
		start, d := pos.Offset, b.verb(v)
		if _, ok := v.(*ast.As); ok && takesAlias(p, i) {
			start, d = b.toks.before(start), cat(text("|> "), d)
		}
		if len(kids) > 0 {
			kids = append(kids, hardBreak(start))
		}
		kids = append(kids, d)
	}
	return cat(kids...)
}

// nested is a pipeline in parentheses: on one line if it has no verbs beyond FROM and fits.
func (b *builder) nested(p *ast.Pipeline) *doc {
	start, end := p.Pos.Offset, b.toks.at(p.EndPos.Offset)
	if p.From != nil && len(p.Verbs) == 0 {
		return group(text("("), nest(softBreak(start), b.pipeline(p)), softBreak(end), text(")"))
	}
	if p.From == nil && len(p.Verbs) == 1 {
		return group(text("("), nest(softBreak(start), b.pipeline(p)), softBreak(end), text(")"))
	}
	return cat(text("("), nest(edgeBreak(start, false), b.pipeline(p)), edgeBreak(end, true), text(")"))
}

// takesAlias reports whether AS behind what precedes verb i would be read as its alias: the verb then keeps its pipe.
func takesAlias(p *ast.Pipeline, i int) bool {
	if i == 0 {
		return p.From != nil && p.From.Alias == nil
	}
	open := func(items []*ast.Item) bool {
		last := items[len(items)-1]
		return last.Star == nil && last.Alias == nil
	}
	switch v := p.Verbs[i-1].(type) {
	case *ast.Transform:
		return open(v.Items)
	case *ast.Extend:
		return open(v.Items)
	case *ast.Aggregate:
		switch keys := append(v.Keys, v.Alone...); {
		case v.Emit != nil:
			return false
		case len(keys) > 0:
			return open(keys)
		case len(v.Items) > 0:
			return open(v.Items)
		}
	case *ast.Join:
		return v.On == nil && v.Using == nil && v.Within == nil && v.Source.Alias == nil
	case *ast.Unnest:
		return v.Alias == nil
	}
	return false
}

// source is what stands behind FROM, JOIN and the like.
func (b *builder) source(s *ast.Source) *doc {
	var kids []*doc
	switch {
	case s.Path != nil:
		kids = append(kids, b.expr(s.Path.Value), b.options(s.Options))
	case s.Sub != nil:
		kids = append(kids, b.nested(s.Sub))
	case s.Call != nil:
		args := make([]*doc, len(s.Call.List))
		for i, a := range s.Call.List {
			args[i] = b.expr(a.Value)
			if a.Name != nil {
				args[i] = cat(text(name(a.Name)+" = "), args[i])
			}
		}
		kids = append(kids, text(sourceName(s)), b.bracketed("(", args, starts(s.Call.List), closeOf(b.toks, s.Call.List), ")"))
	default:
		kids = append(kids, text(sourceName(s)))
	}
	if s.Follow {
		kids = append(kids, text(" FOLLOW"))
	}
	if e := s.Event; e != nil {
		clause := []*doc{lineBreak(e.Pos.Offset), text("EVENT TIME " + name(e.Column))}
		if e.Watermark != nil {
			clause = append(clause, text(" WATERMARK "), b.expr(e.Watermark))
		}
		if e.Idle != nil {
			clause = append(clause, text(" IDLE "), b.expr(e.Idle))
		}
		if e.Late != nil {
			clause = append(clause, text(" LATE INTO "), b.sink(e.Late))
		}
		kids = append(kids, nest(clause...))
	}
	if s.Alias != nil {
		kids = append(kids, text(" AS "+name(s.Alias)))
	}
	return group(kids...)
}

// sourceName writes a table, perhaps with its schema, or a table function.
func sourceName(s *ast.Source) string {
	n, prefix := *s.Name, ""
	if s.Schema != nil {
		n.Text, prefix = n.Text[len(s.Schema.Text)+1:], name(s.Schema)+"."
	}
	if s.Call != nil {
		return prefix + callName(n)
	}
	return prefix + name(&n)
}

func (b *builder) sink(s *ast.Sink) *doc {
	return cat(b.expr(s.Path.Value), b.options(s.Options))
}

// options is (name = value, …) with a blank before it, or nothing.
func (b *builder) options(o *ast.Options) *doc {
	if o == nil {
		return text("")
	}
	list := make([]*doc, len(o.List))
	for i, opt := range o.List {
		head := text(optionName(opt.Name) + " = ")
		if len(opt.Columns) == 0 {
			list[i] = cat(head, b.expr(opt.Value))
			continue
		}
		cols := make([]*doc, len(opt.Columns))
		for j, c := range opt.Columns {
			cols[j] = text(columnDef(c))
		}
		list[i] = cat(head, b.bracketed("(", cols, starts(opt.Columns), closeOf(b.toks, opt.Columns), ")"))
	}
	return cat(text(" "), b.bracketed("(", list, starts(o.List), closeOf(b.toks, o.List), ")"))
}

func columnDef(c *ast.ColumnDef) string { return name(c.Name) + " " + c.Type.Text }
