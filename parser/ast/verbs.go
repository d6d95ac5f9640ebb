package ast

// Source is what FROM, JOIN and CREATE SOURCE read. Exactly one of Path, Sub
// and Name is set; Call belongs to a Name that is called. Of system.nodes, Name
// is all, "system.nodes", and Schema its first part; otherwise Schema is nil.
type Source struct {
	Span
	Path    *Text      `parser:"( @@"`
	Options *Options   `parser:"@@?"`
	Sub     *Pipeline  `parser:"| '(' @@ ')'"`
	Schema  *Name      `parser:"| ( (?= ( Ident | Quoted ) '.' ) @@ '.' )?"`
	Name    *Name      `parser:"@@"`
	Call    *Arguments `parser:"@@? )"`
	Follow  bool       `parser:"@FOLLOW?"`
	Event   *EventTime `parser:"@@?"`
	Alias   *Name      `parser:"( AS @@ )?"`
}

// Text is a string where a path or value stands: a literal or a $parameter.
type Text struct {
	Span
	Value Expr // *StringLit or *Param
}

// Arguments are those of a table function: positional, or name = value.
type Arguments struct {
	Span
	List []*Argument `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
}

// Argument is one argument of a table function.
type Argument struct {
	Span
	Name  *Name `parser:"( (?= ( Ident | Quoted | NULL ) ( '=' | '==' ) ) @@ ( '=' | '==' ) )?"`
	Value Expr  `parser:"@@"`
}

// EventTime is EVENT TIME c [WATERMARK d] [IDLE d] [LATE INTO sink].
type EventTime struct {
	Span
	Column    *Name `parser:"'EVENT' 'TIME' @@"`
	Watermark Expr  `parser:"( 'WATERMARK' @@ )?"`
	Idle      Expr  `parser:"( 'IDLE' @@ )?"`
	Late      *Sink `parser:"( 'LATE' INTO @@ )?"`
}

// Options is (name = value, …) behind a source, a sink or EXPLAIN.
type Options struct {
	Span
	List []*Option `parser:"'(' @@ ( ',' @@ )* ')'"`
}

// Option is one of them. Columns is set for columns = (name TYPE, …), Word for
// a bare word such as mode = append, Value for all others.
type Option struct {
	Span
	Name    *Name        `parser:"@@ '='"`
	Columns []*ColumnDef `parser:"( (?= '(' ( Ident | Quoted ) ) '(' @@ ( ',' @@ )* ')'"`
	Value   Expr         `parser:"| @@ )"`
}

// ColumnDef names a column and its type.
type ColumnDef struct {
	Span
	Name *Name     `parser:"@@"`
	Type *TypeName `parser:"@@"`
}

// Sink is where INTO and TEE INTO write: a path, or a broker's address.
type Sink struct {
	Span
	Path    *Text    `parser:"@@"`
	Options *Options `parser:"@@?"`
}

// Filter is FILTER e.
type Filter struct {
	Span
	Cond Expr `parser:"( FILTER | WHERE ) @@"`
}

// Transform is TRANSFORM items: exactly these columns.
type Transform struct {
	Span
	Distinct bool    `parser:"( TRANSFORM | SELECT ) @DISTINCT?"`
	Items    []*Item `parser:"@@ ( ',' @@ )*"`
}

// Exec is TRANSFORM USING EXEC 'program' ARGS (…) (options).
type Exec struct {
	Span
	Program *Text    `parser:"( TRANSFORM | SELECT ) USING 'EXEC' @@"`
	Args    []Expr   `parser:"( 'ARGS' '(' ( @@ ( ',' @@ )* )? ')' )?"`
	Options *Options `parser:"@@?"`
}

// Extend is EXTEND items: what is there, and these.
type Extend struct {
	Span
	Items []*Item `parser:"EXTEND @@ ( ',' @@ )*"`
}

// Item is an expression with its name, or a star.
type Item struct {
	Span
	Star  *Star `parser:"( @@"`
	Expr  Expr  `parser:"| @@"`
	Alias *Name `parser:"( AS @@ )? )"`
}

// Star is * or t.*, without some columns, with some replaced.
type Star struct {
	Span
	Table   *Name      `parser:"( (?= ( Ident | Quoted ) '.' '*' ) @@ '.' )? '*'"`
	Except  []*Name    `parser:"( (?! EXCEPT ( 'ALL' | DISTINCT )? '(' ( FROM | TRANSFORM | SELECT | '(' ) ) EXCEPT '(' @@ ( ',' @@ )* ')' )?"`
	Replace []*Replace `parser:"( 'REPLACE' '(' @@ ( ',' @@ )* ')' )?"`
}

// Replace is one e AS a of REPLACE.
type Replace struct {
	Span
	Expr Expr  `parser:"@@"`
	Name *Name `parser:"AS @@"`
}

// Set is SET a = e, ….
type Set struct {
	Span
	List []*Assign `parser:"SET @@ ( ',' @@ )*"`
}

// Assign is one a = e.
type Assign struct {
	Span
	Name *Name `parser:"@@ '='"`
	Expr Expr  `parser:"@@"`
}

// Drop is DROP a, b.
type Drop struct {
	Span
	Names []*Name `parser:"DROP @@ ( ',' @@ )*"`
}

// Rename is RENAME a AS b, ….
type Rename struct {
	Span
	List []*Renaming `parser:"RENAME @@ ( ',' @@ )*"`
}

// Renaming is one a AS b.
type Renaming struct {
	Span
	From *Name `parser:"@@ AS"`
	To   *Name `parser:"@@"`
}

// Aggregate is AGGREGATE items [BY keys] [EMIT …]. Keys alone (GROUP BY k) are allowed.
type Aggregate struct {
	Span
	Items []*Item `parser:"( AGGREGATE ( @@ ( ',' @@ )* )?"`
	Keys  []*Item `parser:"( GROUP? BY @@ ( ',' @@ )* )?"`
	Alone []*Item `parser:"| GROUP BY @@ ( ',' @@ )* )"`
	Emit  *Emit   `parser:"@@?"`
}

// Emit is EMIT ON CLOSE, EMIT ON CHANGE or EMIT EVERY d.
type Emit struct {
	Span
	On    string `parser:"EMIT ( ON @( 'CLOSE' | 'CHANGE' )"`
	Every Expr   `parser:"| 'EVERY' @@ )"`
}

// Join is [LEFT | …] JOIN source ON e | USING (k, …) [WITHIN d]. Kind is empty for plain JOIN.
type Join struct {
	Span
	Kind   string  `parser:"@( INNER | LEFT | RIGHT | FULL | SEMI | ANTI | CROSS )? 'OUTER'? JOIN"`
	Source *Source `parser:"@@"`
	On     Expr    `parser:"( ON @@"`
	Using  []*Name `parser:"| USING '(' @@ ( ',' @@ )* ')' )?"`
	Within Expr    `parser:"( WITHIN @@ )?"`
}

// Distinct is DISTINCT [ON (keys)].
type Distinct struct {
	Span
	On []Expr `parser:"DISTINCT ( ON '(' @@ ( ',' @@ )* ')' )?"`
}

// Sort is SORT keys.
type Sort struct {
	Span
	Keys []*SortKey `parser:"( SORT | ORDER BY ) @@ ( ',' @@ )*"`
}

// SortKey is e [ASC | DESC] [NULLS FIRST | LAST].
type SortKey struct {
	Span
	Expr  Expr   `parser:"@@"`
	Dir   string `parser:"@( 'ASC' | 'DESC' )?"`
	Nulls string `parser:"( 'NULLS' @( 'FIRST' | 'LAST' ) )?"`
}

// Limit is LIMIT n [OFFSET m].
type Limit struct {
	Span
	Count  Expr `parser:"LIMIT @@"`
	Offset Expr `parser:"( OFFSET @@ )?"`
}

// SetOp is UNION, INTERSECT or EXCEPT, with one or more pipelines.
type SetOp struct {
	Span
	Op     string      `parser:"@( UNION | INTERSECT | EXCEPT )"`
	Mode   string      `parser:"@( 'ALL' | DISTINCT )?"`
	Inputs []*Pipeline `parser:"'(' @@ ')' ( ',' '(' @@ ')' )*"`
}

// Unnest is UNNEST e AS x.
type Unnest struct {
	Span
	Expr  Expr  `parser:"UNNEST @@"`
	Alias *Name `parser:"( AS @@ )?"`
}

// Tee is TEE INTO sink.
type Tee struct {
	Span
	Sink *Sink `parser:"TEE INTO @@"`
}

// As is AS t.
type As struct {
	Span
	Name *Name `parser:"AS @@"`
}

// Into is INTO sink: the end of a pipeline.
type Into struct {
	Span
	Sink *Sink `parser:"INTO @@"`
}

func (*Filter) verb()    {}
func (*Transform) verb() {}
func (*Exec) verb()      {}
func (*Extend) verb()    {}
func (*Set) verb()       {}
func (*Drop) verb()      {}
func (*Rename) verb()    {}
func (*Aggregate) verb() {}
func (*Join) verb()      {}
func (*Distinct) verb()  {}
func (*Sort) verb()      {}
func (*Limit) verb()     {}
func (*SetOp) verb()     {}
func (*Unnest) verb()    {}
func (*Tee) verb()       {}
func (*As) verb()        {}
func (*Into) verb()      {}
