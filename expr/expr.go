// Package expr is typed expressions: how they are built and checked, written
// down, and evaluated a batch at a time over Arrow columns.
//
// An Expr is plain data with names and types bound. The function table (see
// Functions) is the only list of what can be called: the planner resolves
// against it, SHOW FUNCTIONS and the reference are printed from it.
package expr

import "github.com/rainsql/rainsql/expr/types"

// Expr is a typed expression tree. Nodes are immutable once built and may be
// shared. The set of nodes is closed: Column, Literal, Call, Cast, Case,
// Logic and In.
type Expr interface {
	// Type is what the expression evaluates to.
	Type() types.Type
	node()
}

// Column refers to a column of the input. In a logical plan ID is the column's
// identity, unique in the plan; in a stage it is the position in the operator's input.
type Column struct {
	ID   int
	Name string // for messages and EXPLAIN only
	T    types.Type
}

// Literal is a constant. Value is nil for NULL, or by type: bool, int64 (all
// INTs), float64 (both FLOATs), decimal128.Num, string, []byte, arrow.Date32,
// arrow.Timestamp (µs UTC), arrow.MonthDayNanoInterval, []any (LIST: element
// values; STRUCT: field values).
type Literal struct {
	Value any
	T     types.Type
}

// Call applies a function of the table. Fn is its canonical name; operators
// are functions too ("+", "=", "like", "not"). Args have exactly the types of
// the overload: NewCall inserts the casts.
type Call struct {
	Fn   string
	Args []Expr
	T    types.Type
}

// Cast converts its argument. Where a value does not fit it is an error, or
// NULL if Try.
type Cast struct {
	Arg Expr
	T   types.Type
	Try bool
}

// When is one branch of a Case.
type When struct{ If, Then Expr }

// Case is CASE WHEN … END. A branch is evaluated only on the rows that reach
// it. Else nil means NULL. Every Then and Else has type T.
type Case struct {
	Whens []When
	Else  Expr
	T     types.Type
}

// Logic is a conjunction (Or false) or disjunction in three-valued logic. Args
// are BOOL, two or more; a later one is evaluated only on rows that the earlier
// ones leave undecided, so that x <> 0 AND 1 // x > 0 is safe.
type Logic struct {
	Or   bool
	Args []Expr
}

// In is Arg [NOT] IN (List): all of one type. NULL as SQL has it.
type In struct {
	Arg  Expr
	List []Expr
	Not  bool
}

// Type returns the column's type.
func (e *Column) Type() types.Type { return e.T }

// Type returns the constant's type.
func (e *Literal) Type() types.Type { return e.T }

// Type returns the function's result type.
func (e *Call) Type() types.Type { return e.T }

// Type returns the target type.
func (e *Cast) Type() types.Type { return e.T }

// Type returns the type that all branches share.
func (e *Case) Type() types.Type { return e.T }

// Type returns BOOL.
func (e *Logic) Type() types.Type { return types.BOOL }

// Type returns BOOL.
func (e *In) Type() types.Type { return types.BOOL }

func (*Column) node()  {}
func (*Literal) node() {}
func (*Call) node()    {}
func (*Cast) node()    {}
func (*Case) node()    {}
func (*Logic) node()   {}
func (*In) node()      {}
