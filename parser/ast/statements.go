package ast

// Let is LET name = (pipeline).
type Let struct {
	Span
	Name  *Name     `parser:"LET @@ '='"`
	Value *Pipeline `parser:"'(' @@ ')'"`
}

// CreateFunction is CREATE FUNCTION f(x TYPE, …) = e: a macro.
type CreateFunction struct {
	Span
	Name   *Name        `parser:"CREATE 'FUNCTION' @@"`
	Params []*ColumnDef `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Body   Expr         `parser:"'=' @@"`
}

// CreateSource is CREATE SOURCE name FROM source.
type CreateSource struct {
	Span
	Name   *Name   `parser:"CREATE 'SOURCE' @@"`
	Source *Source `parser:"FROM @@"`
}

// CreateJob is CREATE JOB name [FROM SAVEPOINT 's'] AS pipeline.
type CreateJob struct {
	Span
	Name      *Name     `parser:"CREATE 'JOB' @@"`
	Savepoint *Text     `parser:"( FROM 'SAVEPOINT' @@ )?"`
	Value     *Pipeline `parser:"AS @@"`
}

// Control is DROP JOB | SOURCE | FUNCTION name, PAUSE JOB name, RESUME JOB name.
type Control struct {
	Span
	Action string `parser:"( @( DROP | 'PAUSE' | 'RESUME' )"`
	Object string `parser:"@( 'JOB' | 'SOURCE' | 'FUNCTION' ) )"`
	Name   *Name  `parser:"@@"`
}

// Explain is EXPLAIN [ANALYZE] [(format = …)] pipeline.
type Explain struct {
	Span
	Analyze bool      `parser:"EXPLAIN @'ANALYZE'?"`
	Options *Options  `parser:"( (?! '(' FROM ) @@ )?"`
	Value   *Pipeline `parser:"@@"`
}

// Describe is DESCRIBE source: its columns and types.
type Describe struct {
	Span
	Source *Source `parser:"( 'DESCRIBE' | 'DESC' ) FROM? @@"`
}

// Summarize is SUMMARIZE source: statistics of each column.
type Summarize struct {
	Span
	Source *Source `parser:"'SUMMARIZE' FROM? @@"`
}

// Show is SHOW FILES | NODES | JOBS | TASKS | FUNCTIONS | SETTINGS.
type Show struct {
	Span
	What *Name `parser:"'SHOW' @@"`
}

// Setting is SET name = value, where a statement begins.
type Setting struct {
	Span
	Name  *Name `parser:"SET @@ '='"`
	Value Expr  `parser:"@@"`
}

func (*Let) body()            {}
func (*CreateFunction) body() {}
func (*CreateSource) body()   {}
func (*CreateJob) body()      {}
func (*Control) body()        {}
func (*Explain) body()        {}
func (*Describe) body()       {}
func (*Summarize) body()      {}
func (*Show) body()           {}
func (*Setting) body()        {}
