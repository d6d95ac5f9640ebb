// Package analyze gives meaning to an ast: it finds the tables, binds names and
// types, and makes a logical plan, or says what is wrong and where. Every error
// of a script comes in one go; what depends on a faulty thing is not reported again.
package analyze

import (
	"context"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/format"
	"github.com/rainsql/rainsql/planner/logical"
)

// Catalog finds what a pipeline reads and checks what it writes. An error is
// shown to the user as it is; one that satisfies errors.As *connect.Error
// contributes its hint.
type Catalog interface {
	// Table opens the source at path far enough to know its columns. The
	// options it returns are complete: the format is decided.
	Table(ctx context.Context, path string, o connect.Options) (*Table, error)
	// Target checks that path can be written as asked, and completes the
	// options. columns is nil where they are not known.
	Target(path string, o connect.Options, columns types.Schema) (connect.Options, error)
	// Program checks that an external program may be run here, and that it is there.
	Program(path string) error
}

// Table is what a Catalog knows of a source.
type Table struct {
	Options connect.Options
	Schema  types.Schema
	Size    int64 // bytes, or -1
}

// OtherDelimiter tells of a csv or tsv file that has been read as one column, by
// the name of which another delimiter may have been meant: it returns that one, as
// the option delimiter has it, or "".
func (t *Table) OtherDelimiter() string {
	csv := strings.HasPrefix(t.Options.Format, "csv") || strings.HasPrefix(t.Options.Format, "tsv")
	if !csv || len(t.Schema) != 1 || t.Options.Header != nil && !*t.Options.Header {
		return ""
	}
	return connect.OtherDelimiter(t.Schema[0].Name)
}

// Query is a pipeline ready to be optimised.
type Query struct{ Plan *logical.Sink }

// Explain asks for the plan of a query instead of its rows.
type Explain struct {
	Plan    *logical.Sink
	Analyze bool
	Format  string // text, json or dot
}

// Describe asks for the columns of a source.
type Describe struct{ Schema types.Schema }

// Show asks for a listing; What is upper case.
type Show struct{ What string }

// Setting is SET name = value.
type Setting struct{ Name, Value string }

// Let has defined a name; there is nothing to run.
type Let struct{ Name string }

// Statement is what a statement means: *Query, *Explain, *Describe, *Summarize,
// *Show, *Setting, *Let or *CreateFunction.
type Statement any

// Env is what lasts for a session: the names that LET and CREATE FUNCTION define. Its zero value
// is ready. It is not safe for concurrent use.
type Env struct {
	lets     map[string]let
	macros   map[string]*macro
	paramIDs int // the last given to a parameter of a macro
}

type let struct {
	name   string
	pipe   *ast.Pipeline
	src    string
	env    map[string]let // the names it can see: those defined before it
	macros map[string]*macro
	broken bool
}

// Analyzer binds the statements of one text.
type Analyzer struct {
	ctx     context.Context
	catalog Catalog
	params  map[string]string
	env     *Env
	src     string // of the text at hand; inside a LET, of its text
	diags   *parser.Diagnostics
	nextID  int
	nodes   int
	inLet   int
	outer   []*frame                // the tables around the subquery at hand
	shared  []*logical.Shared       // tables that the statement reads more than once
	letUses map[*ast.Pipeline]*used // the LETs that the statement has bound
	written map[string]bool         // files that earlier statements of the script write
	defers  bool                    // the statement reads one of them
	broken  bool                    // a statement before it has an error of the grammar
}

// New returns an analyzer for the text src. params are the values of $name.
func New(ctx context.Context, catalog Catalog, env *Env, params map[string]string, src string) *Analyzer {
	if env.lets == nil {
		env.lets = map[string]let{}
	}
	return &Analyzer{
		ctx: ctx, catalog: catalog, params: params, env: env, src: src,
		diags: &parser.Diagnostics{Source: src}, written: map[string]bool{},
	}
}

// Check binds a statement while the script has not begun to run. deferred is
// true where the statement reads what an earlier one is going to write, so that
// it can only be bound when its turn has come, by Bind; its meaning is then nil.
func (a *Analyzer) Check(st *ast.Statement) (meaning Statement, deferred bool) {
	before := len(a.diags.List)
	a.begin()
	if st.Broken {
		a.broken = true
		a.define(st.Body, true)
		return nil, false
	}
	meaning = a.statement(st.Body)
	a.remember(st.Body, meaning)
	if a.defers {
		return nil, len(a.diags.List) == before
	}
	if meaning == nil && len(a.diags.List) == 0 && !a.broken {
		a.errorf(st, "", "this cannot be bound: what it reads has changed since its LET was checked")
	}
	return meaning, false
}

// Bind binds a deferred statement, now that those before it have run.
func (a *Analyzer) Bind(st *ast.Statement) (Statement, error) {
	a.written = map[string]bool{}
	a.begin()
	a.diags = &parser.Diagnostics{Source: a.src}
	meaning := a.statement(st.Body)
	return meaning, a.Err()
}

// begin forgets what belonged to the statement before.
func (a *Analyzer) begin() {
	a.defers, a.nodes = false, 0
	a.outer, a.shared, a.letUses = nil, nil, map[*ast.Pipeline]*used{}
}

// Err returns what was found wrong, or nil.
func (a *Analyzer) Err() error { return a.diags.Err() }

// errorf reports an error at a node. Inside a LET's use it is not reported
// again: the LET itself was checked where it stands.
func (a *Analyzer) errorf(n ast.Node, hint, format string, args ...any) {
	if a.inLet == 0 {
		a.diags.List = append(a.diags.List, parser.At(n, hint, format, args...))
	}
}

// later refuses what the grammar has and the engine does not run yet.
func (a *Analyzer) later(n ast.Node, what string) {
	a.errorf(n, "", "%s is not supported yet", what)
}

func (a *Analyzer) newColumn(name string, t types.Type) logical.Column {
	return logical.Column{ID: a.newID(), Name: name, Type: t}
}

func (a *Analyzer) newID() int {
	a.nextID++
	return a.nextID
}

// text is what the user wrote for a node, on one line: of an expression in its
// canonical form, so that formatting a script changes no column's name.
func (a *Analyzer) text(n ast.Node) string {
	if e, ok := n.(ast.Expr); ok {
		return format.Expr(e)
	}
	start, end := n.Extent()
	return strings.Join(strings.Fields(a.src[start.Offset:end.Offset]), " ")
}
