package analyze

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
)

// binder turns expressions of the ast into typed ones. A nil result means that
// an error was reported.
type binder struct {
	a           *Analyzer
	table       *table    // what subqueries are joined to
	scope       *scope    // the names that can be used
	where       string    // the verb, for messages
	group       *grouping // set for the items of AGGREGATE
	inAggregate bool
	inOver      bool // inside OVER, or an argument of what stands before it
}

func (a *Analyzer) bind(t *table, e ast.Expr, where string) expr.Expr {
	return (&binder{a: a, table: t, scope: t.scope, where: where}).bind(e)
}

func (b *binder) all(list []ast.Expr) (out []expr.Expr, ok bool) {
	ok = true
	for _, e := range list {
		x := b.bind(e)
		ok = ok && x != nil
		out = append(out, x)
	}
	return out, ok
}

func (b *binder) condition(e ast.Expr, where string) expr.Expr {
	x := b.bind(e)
	if x != nil && x.Type().Kind != types.Bool && x.Type().Kind != types.Null {
		b.a.errorf(e, "compare it with something", "%s needs a condition, and this is %s", where, x.Type())
		return nil
	}
	return x
}

// bind is the one place where expressions of the ast become typed ones.
func (b *binder) bind(e ast.Expr) expr.Expr {
	if b.group != nil {
		if x, ok := b.keyRef(e); ok {
			return x
		}
	}
	switch e := e.(type) {
	case *ast.Paren:
		return b.bind(e.X)
	case *ast.Ref:
		return b.column(e, "", e.Name)
	case *ast.Field:
		return b.field(e)
	case *ast.NumberLit, *ast.UnitLit, *ast.StringLit, *ast.BoolLit, *ast.NullLit, *ast.TypedLit, *ast.IntervalLit, *ast.Param:
		return b.literal(e)
	case *ast.Unary:
		return b.unary(e)
	case *ast.Binary:
		return b.binary(e)
	case *ast.Is:
		return b.is(e)
	case *ast.Between:
		x := b.call(e, "between", e.X, e.Lo, e.Hi)
		return b.negate(x, e.Not)
	case *ast.In:
		return b.in(e)
	case *ast.Call:
		return b.function(e)
	case *ast.Cast:
		return b.cast(e)
	case *ast.Case:
		return b.caseExpr(e)
	case *ast.Extract:
		x := b.bind(e.X)
		if x == nil {
			return nil
		}
		return b.build(e, []ast.Expr{e, e.X}, "date_part", expr.Constant(e.Part), x)
	case *ast.Exists:
		return b.exists(e)
	case *ast.Subquery:
		return b.subquery(e)
	case *ast.AtTimeZone:
		return b.call(e, "timezone", e.Zone, e.X)
	case *ast.Index:
		return b.call(e, "list_extract", e.X, e.I)
	case *ast.ListLit:
		return b.call(e, "list_value", e.Items...)
	case *ast.StructLit:
		return b.structLit(e)
	default:
		b.a.errorf(e, "", "unknown expression %T", e)
	}
	return nil
}

func (b *binder) column(n ast.Node, table string, name ast.Name) expr.Expr {
	e, msg, hint := b.scope.find(table, name.Text)
	if msg != "" {
		if col, ok := b.a.outerColumn(table, name.Text); ok {
			return col.Ref()
		}
	}
	switch {
	case msg != "":
		if near := b.a.respell(n, b.scope); near != "" && !name.Quoted {
			hint = near
		} else if table == "" && !name.Quoted && expr.IsFunction(strings.ToLower(name.Text)) && !strings.HasPrefix(hint, "did you mean") {
			hint = "a function is called with parentheses: " + name.Text + "()"
		} else if b.where == "INTO" || len(b.scope.entries) == 0 && !b.scope.poison && table == "" {
			hint = "text is written in single quotes: '" + name.Text + "'"
		} else if name.Quoted && !strings.HasPrefix(hint, "did you mean") {
			hint = "text is written in single quotes: '" + name.Text + "'"
		}
		b.a.errorf(n, hint, "%s", msg)
		return nil
	case e.poison:
		return nil
	}
	if b.group != nil {
		return b.notAKey(n.(ast.Expr), e)
	}
	return e.col.Ref()
}

// field binds t.a: a column of a table, or a field of a STRUCT.
func (b *binder) field(e *ast.Field) expr.Expr {
	if t, ok := e.X.(*ast.Ref); ok && b.hasTable(t.Name.Text) {
		return b.column(e, t.Name.Text, e.Name)
	}
	if t, ok := e.X.(*ast.Ref); ok {
		if _, msg, _ := b.scope.find("", t.Name.Text); msg != "" && !b.a.outerHas("", t.Name.Text) {
			b.a.errorf(t, b.tableHint(t.Name.Text), "no table or column %q", t.Name.Text)
			return nil
		}
	}
	x := b.bind(e.X)
	if x == nil {
		return nil
	}
	if x.Type().Kind != types.Struct {
		b.a.errorf(e, "", "%s is %s, which has no fields", b.a.text(e.X), x.Type())
		return nil
	}
	return b.build(e, []ast.Expr{e.X, e}, "struct_extract", x, expr.Constant(e.Name.Text))
}

func (b *binder) tableHint(name string) string {
	var tables []string
	for _, e := range b.scope.entries {
		if e.table != "" {
			tables = append(tables, e.table)
		}
	}
	if near := suggest.Nearest(name, tables); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(tables) == 0 {
		return "qualified names end at TRANSFORM, AGGREGATE and set operations"
	}
	return "the table here is " + tables[0]
}

func (b *binder) unary(e *ast.Unary) expr.Expr {
	switch e.Op {
	case "NOT":
		return b.call(e, "not", e.X)
	case "-":
		if n, ok := e.X.(*ast.NumberLit); ok {
			return b.number(n, true)
		}
		return b.call(e, "-", e.X)
	}
	x := b.bind(e.X)
	if x != nil && !x.Type().IsNumeric() && x.Type().Kind != types.Null {
		b.a.errorf(e, "", "+ does not take %s", x.Type())
		return nil
	}
	return x
}

// negated are the operators that are another one turned round.
var negated = map[string]string{
	"NOT LIKE": "like", "NOT ILIKE": "ilike", "!~": "~", "IS NOT DISTINCT FROM": "is_distinct",
}

func (b *binder) binary(e *ast.Binary) expr.Expr {
	if e.Op == "AND" || e.Op == "OR" {
		return b.logic(e)
	}
	if fn, ok := negated[e.Op]; ok {
		return b.negate(b.operator(e, fn), true)
	}
	if e.Op == "IS DISTINCT FROM" {
		return b.operator(e, "is_distinct")
	}
	return b.operator(e, strings.ToLower(e.Op))
}

func (b *binder) operator(e *ast.Binary, fn string) expr.Expr {
	args, ok := b.all([]ast.Expr{e.X, e.Y})
	if !ok {
		return nil
	}
	return b.build(e, []ast.Expr{e.X, e.Y}, fn, args...)
}

// logic flattens a chain of AND or of OR.
func (b *binder) logic(e *ast.Binary) expr.Expr {
	var parts []ast.Expr
	var x ast.Expr = e
	for {
		bin, ok := x.(*ast.Binary)
		if !ok || bin.Op != e.Op {
			break
		}
		parts = append(parts, bin.Y)
		x = bin.X
	}
	parts = append(parts, x)
	args := make([]expr.Expr, len(parts))
	ok := true
	for i := range parts {
		part := parts[len(parts)-1-i]
		arg := b.condition(part, e.Op)
		ok = ok && arg != nil
		args[i] = arg
	}
	if !ok {
		return nil
	}
	out, err := expr.NewLogic(e.Op == "OR", args...)
	if err != nil {
		b.funcError(e, nil, err)
		return nil
	}
	return out
}

func (b *binder) negate(x expr.Expr, not bool) expr.Expr {
	if x == nil || !not {
		return x
	}
	out, err := expr.NewNot(x)
	if err != nil {
		return nil
	}
	return out
}

func (b *binder) is(e *ast.Is) expr.Expr {
	if e.What == "NULL" {
		return b.negate(b.call(e, "is_null", e.X), e.Not)
	}
	x := b.condition(e.X, "IS "+e.What)
	if x == nil {
		return nil
	}
	if e.What == "FALSE" {
		x = b.negate(x, true)
	}
	out, err := expr.NewCase([]expr.When{{If: x, Then: expr.Constant(true)}}, expr.Constant(false))
	if err != nil {
		b.funcError(e, nil, err)
		return nil
	}
	return b.negate(out, e.Not)
}

func (b *binder) in(e *ast.In) expr.Expr {
	if e.Sub != nil {
		return b.inPipeline(e)
	}
	x := b.bind(e.X)
	list, ok := b.all(e.List)
	if x == nil || !ok {
		return nil
	}
	out, err := expr.NewIn(x, list, e.Not)
	if err != nil {
		b.funcError(e, append([]ast.Expr{e.X}, e.List...), err)
		return nil
	}
	return out
}

// call binds arguments and applies a function to them.
func (b *binder) call(n ast.Expr, fn string, args ...ast.Expr) expr.Expr {
	list, ok := b.all(args)
	if !ok {
		return nil
	}
	return b.build(n, args, fn, list...)
}

func (b *binder) build(n ast.Expr, args []ast.Expr, fn string, list ...expr.Expr) expr.Expr {
	x, err := expr.NewCall(fn, list...)
	if err != nil {
		b.funcError(n, args, err)
		return nil
	}
	return x
}

// funcError reports what is wrong with a call at the argument at fault, or at the call.
func (b *binder) funcError(n ast.Expr, args []ast.Expr, err error) {
	var fe *expr.FuncError
	if !errors.As(err, &fe) {
		b.a.errorf(n, "", "%s", err)
		return
	}
	at := ast.Node(n)
	if c, ok := n.(*ast.Call); ok && fe.Accepts == nil && fe.Err == nil {
		at = c.Name.Span
	}
	if fe.Arg >= 0 && fe.Arg < len(args) {
		at = args[fe.Arg]
	}
	msg, hint := fe.Explain()
	if i := fe.TextForNumber(); i >= 0 && i < len(args) {
		hint = b.numberHint(fe.Fn, args, i, hint)
	}
	b.a.errorf(at, hint, "%s", msg)
}

// numberHint tells what to do about the text at args[i] where fn takes a number.
func (b *binder) numberHint(fn string, args []ast.Expr, i int, otherwise string) string {
	text := b.a.text(args[i])
	if fn == "=" || fn == "<>" {
		// Codes and keys, not amounts: more often the number should be text.
		if n, ok := args[1-i].(*ast.NumberLit); ok {
			return fmt.Sprintf("write '%s' to compare text, or CAST it: %s::INT", n.Text, text)
		}
		return otherwise
	}
	return fmt.Sprintf("CAST text to a number: %s::INT, or with thousands separators replace(%[1]s, ',', '')::DECIMAL(18, 2)", text)
}

func (b *binder) function(c *ast.Call) expr.Expr {
	name := strings.ToLower(c.Name.Text)
	if m := b.a.env.macros[name]; m != nil {
		return b.macro(c, m)
	}
	switch {
	case c.Over != nil:
		return b.over(c)
	case eventWindows[name] != "":
		b.a.errorf(c, "", "%s() stands only in BY", name)
		return nil
	case windowOnly[name].usage != "":
		b.needsOver(c, name)
		return nil
	case expr.IsAggregate(name):
		return b.aggregateCall(c)
	case c.Star, c.Distinct, len(c.OrderBy) > 0, c.Filter != nil:
		if !expr.IsFunction(name) {
			break
		}
		b.a.errorf(c, "", "%s is no aggregate: it takes neither *, DISTINCT, ORDER BY nor FILTER", name)
		return nil
	}
	if !expr.IsFunction(name) { // said before anything of its arguments
		return b.build(c, nil, c.Name.Text)
	}
	return b.call(c, c.Name.Text, c.Args...)
}

// structLit binds {a: x, b: y}.
func (b *binder) structLit(e *ast.StructLit) expr.Expr {
	names, nodes := make([]string, len(e.Names)), make([]ast.Expr, 0, 2*len(e.Names))
	for i, n := range e.Names {
		names[i] = n.Text
		nodes = append(nodes, e, e.Values[i]) // as struct_pack counts its arguments
	}
	values, ok := b.all(e.Values)
	if !ok {
		return nil
	}
	x, err := expr.NewStruct(names, values)
	if err != nil {
		b.funcError(e, nodes, err)
		return nil
	}
	return x
}

func (b *binder) cast(e *ast.Cast) expr.Expr {
	t, ok := b.a.typeName(e.Type)
	x := b.bind(e.X)
	if !ok || x == nil {
		return nil
	}
	out, err := expr.NewCast(x, t, e.Try)
	if err != nil {
		b.funcError(e, []ast.Expr{e.X}, err)
		return nil
	}
	return out
}

func (b *binder) caseExpr(e *ast.Case) expr.Expr {
	var operand expr.Expr
	if e.Operand != nil {
		if operand = b.bind(e.Operand); operand == nil {
			return nil
		}
	}
	ok := true
	var whens []expr.When
	for _, w := range e.Whens {
		var cond expr.Expr
		if operand == nil {
			cond = b.condition(w.If, "WHEN")
		} else if v := b.bind(w.If); v != nil {
			cond = b.build(w.If, []ast.Expr{e.Operand, w.If}, "=", operand, v)
		}
		then := b.bind(w.Then)
		ok = ok && cond != nil && then != nil
		whens = append(whens, expr.When{If: cond, Then: then})
	}
	var els expr.Expr
	if e.Else != nil {
		els = b.bind(e.Else)
		ok = ok && els != nil
	}
	if !ok {
		return nil
	}
	out, err := expr.NewCase(whens, els)
	if err != nil {
		b.funcError(e, nil, err)
		return nil
	}
	return out
}
