package ast

// Expr is an expression as written.
type Expr interface {
	Node
	expr()
}

// Ref is a bare name: a column, or a table where a dot follows.
type Ref struct {
	Span
	Name Name
}

// Field is x.name: a column of a table, or a field of a STRUCT.
type Field struct {
	Span
	X    Expr
	Name Name
}

// Index is x[i].
type Index struct {
	Span
	X, I Expr
}

// NumberLit is 1, 1.5, 1.5e0, 0xff or 1_000 as written.
type NumberLit struct {
	Span
	Text string
}

// UnitLit is a number with a unit: a duration (10s) or a size (64MB).
type UnitLit struct {
	Span
	Text string
}

// StringLit is 'text', unescaped.
type StringLit struct {
	Span
	Value string
}

// BoolLit is TRUE or FALSE.
type BoolLit struct {
	Span
	Value bool
}

// NullLit is NULL.
type NullLit struct{ Span }

// TypedLit is DATE '…', TIMESTAMP '…'; Type is upper case.
type TypedLit struct {
	Span
	Type  string
	Value string
}

// IntervalLit is INTERVAL '10' SECOND or INTERVAL '10 seconds' (Unit empty).
type IntervalLit struct {
	Span
	Value string
	Unit  string
}

// Param is $name.
type Param struct {
	Span
	Name string
}

// Paren is (x); kept so that the formatter returns what was written.
type Paren struct {
	Span
	X Expr
}

// Unary is -x, +x or NOT x. Op is upper case.
type Unary struct {
	Span
	Op string
	X  Expr
}

// Binary is x op y. Op is upper case: arithmetic, comparison, ||, AND, OR,
// LIKE, ILIKE, ~, and the negated NOT LIKE, NOT ILIKE, !~; IS DISTINCT FROM
// and IS NOT DISTINCT FROM.
type Binary struct {
	Span
	Op   string
	OpAt Span
	X, Y Expr
}

// Is is x IS [NOT] NULL | TRUE | FALSE; What is upper case.
type Is struct {
	Span
	X    Expr
	What string
	Not  bool
}

// Between is x [NOT] BETWEEN lo AND hi.
type Between struct {
	Span
	X, Lo, Hi Expr
	Not       bool
}

// In is x [NOT] IN (list) or x [NOT] IN (pipeline).
type In struct {
	Span
	X    Expr
	List []Expr
	Sub  *Pipeline
	Not  bool
}

// Exists is EXISTS (pipeline).
type Exists struct {
	Span
	Sub *Pipeline
}

// Subquery is a pipeline used as a value.
type Subquery struct {
	Span
	Sub *Pipeline
}

// Call is f(args), an aggregate with its clauses, or a window function.
type Call struct {
	Span
	Name     Name
	Star     bool // count(*)
	Distinct bool
	Args     []Expr
	OrderBy  []*SortKey
	Filter   Expr
	Over     *Over
}

// Over is OVER (PARTITION BY … ORDER BY … frame).
type Over struct {
	Span
	Partition []Expr
	OrderBy   []*SortKey
	Frame     *Frame
}

// Frame is ROWS or RANGE BETWEEN start AND end. End is nil in the short form.
type Frame struct {
	Span
	Unit       string // ROWS, RANGE or GROUPS
	Start, End *Bound
}

// Bound is one end of a frame: Kind is "UNBOUNDED PRECEDING", "PRECEDING",
// "CURRENT ROW", "FOLLOWING" or "UNBOUNDED FOLLOWING"; Offset is set for the second and fourth.
type Bound struct {
	Span
	Kind   string
	Offset Expr
}

// Cast is CAST(x AS T), TRY_CAST(x AS T) or x::T (Short).
type Cast struct {
	Span
	X     Expr
	Type  *TypeName
	Try   bool
	Short bool
}

// Extract is extract(part FROM x); Part is lower case.
type Extract struct {
	Span
	Part string
	X    Expr
}

// AtTimeZone is x AT TIME ZONE z.
type AtTimeZone struct {
	Span
	X, Zone Expr
}

// Case is CASE [x] WHEN … THEN … ELSE … END.
type Case struct {
	Span
	Operand Expr
	Whens   []CaseWhen
	Else    Expr
}

// CaseWhen is one branch.
type CaseWhen struct{ If, Then Expr }

// ListLit is [a, b].
type ListLit struct {
	Span
	Items []Expr
}

// StructLit is {a: 1, b: 2}.
type StructLit struct {
	Span
	Names  []Name
	Values []Expr
}

// TypeName is a type as written: Text has single blanks and upper-case words.
type TypeName struct {
	Span
	Text string
}

func (*Ref) expr()         {}
func (*Field) expr()       {}
func (*Index) expr()       {}
func (*NumberLit) expr()   {}
func (*UnitLit) expr()     {}
func (*StringLit) expr()   {}
func (*BoolLit) expr()     {}
func (*NullLit) expr()     {}
func (*TypedLit) expr()    {}
func (*IntervalLit) expr() {}
func (*Param) expr()       {}
func (*Paren) expr()       {}
func (*Unary) expr()       {}
func (*Binary) expr()      {}
func (*Is) expr()          {}
func (*Between) expr()     {}
func (*In) expr()          {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*Call) expr()        {}
func (*Cast) expr()        {}
func (*Extract) expr()     {}
func (*AtTimeZone) expr()  {}
func (*Case) expr()        {}
func (*ListLit) expr()     {}
func (*StructLit) expr()   {}
