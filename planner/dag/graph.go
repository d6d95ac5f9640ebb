// Package dag is the plan of a query as stages of tasks: what runs where, and
// how rows move between. It is plain data that survives a round trip through
// its wire form (Encode, Decode); executors know this package and nothing else
// of the planner.
//
// A stage is a small tree of operators that runs without moving rows between
// tasks, in as many tasks as its parallelism. Columns are positions in an
// operator's input. Stages meet at edges, each an exchange of a certain kind.
package dag

import (
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// Graph is a query. Stages are in an order in which producers come before consumers.
type Graph struct {
	Stages []*Stage     `json:"stages"`
	Schema types.Schema `json:"schema"`           // of the rows handed to the caller; none where a sink takes them
	Inputs []Input      `json:"inputs,omitempty"` // what the names of its scans stand for; none where whoever runs it looks for itself
}

// Stage is a tree of operators, run by Tasks tasks at once.
type Stage struct {
	ID      int    `json:"id"` // its position in Graph.Stages
	Tasks   int    `json:"tasks"`
	Ops     []Op   `json:"ops"`               // inputs before what reads them; the last is the root
	Outputs []Edge `json:"outputs,omitempty"` // where the root's rows go; none for Sink and Result
}

// Op is an operator and the operators of its stage that feed it, in order.
type Op struct {
	Spec   Spec
	Inputs []int
}

// Order lists the inputs of an operator that reads one after another, a build
// side before the rows that probe it; nil where it takes them as they come.
func (o Op) Order() []int {
	switch s := o.Spec.(type) {
	case *Join, *SetOp:
		return []int{1, 0}
	case *Union:
		if s.InOrder {
			return upTo(len(o.Inputs))
		}
	}
	return nil
}

// Kind is how an edge moves rows.
type Kind string

// The exchanges.
const (
	Forward   Kind = "forward"         // task i to task i
	Hash      Kind = "hash"            // by the hash of the key columns
	Broadcast Kind = "broadcast"       // every row to every task
	Gather    Kind = "gather"          // all to one task, in any order
	BySplit   Kind = "gather by split" // all to one task, in the order of the source's splits
	Merge     Kind = "ordered merge"   // sorted streams to one task, merged
	Rebalance Kind = "rebalance"       // batches in turn to every task
)

// Edge is an exchange between two stages.
type Edge struct {
	ID   int       `json:"id"` // unique in the graph; a Receive names it
	To   int       `json:"to"` // the consuming stage
	Kind Kind      `json:"kind"`
	Keys []int     `json:"keys,omitempty"` // Hash
	Sort []SortKey `json:"sort,omitempty"` // Merge
	// Spool, of Forward, keeps what the consumer has not come to yet, on disk
	// if it is much, so that the producer never waits for it.
	Spool bool `json:"spool,omitempty"`
}

// SortKey orders by a column.
type SortKey struct {
	Column     int  `json:"column"`
	Desc       bool `json:"desc,omitempty"`
	NullsFirst bool `json:"nulls_first,omitempty"`
}

// Spec says what an operator does. The set is closed: the types of this file.
type Spec interface{ spec() }

// Scan reads the splits of a source, handed out to its tasks on demand. Filter,
// over the columns read, is applied at once.
type Scan struct {
	Path    string           `json:"path"`
	Options connect.Options  `json:"options"`
	Stored  types.Schema     `json:"stored"` // what the source held when it was planned
	Columns []connect.Column `json:"columns"`
	Names   []string         `json:"names"`
	Filter  *Expr            `json:"filter,omitempty"`
}

// Range yields From, From+Step, … before To; Columns is 1, or 0 where only rows count.
type Range struct {
	From    int64 `json:"from"`
	To      int64 `json:"to"`
	Step    int64 `json:"step"`
	Columns int   `json:"columns"`
}

// Values yields Rows rows without columns, or no rows of the given types.
type Values struct {
	Rows  int64        `json:"rows"`
	Types []types.Type `json:"types,omitempty"`
}

// Receive yields what arrives over an edge.
type Receive struct {
	Edge  int          `json:"edge"`
	Types []types.Type `json:"types"`
}

// Filter keeps rows for which Cond is true.
type Filter struct {
	Cond Expr `json:"cond"`
}

// Project computes its columns.
type Project struct {
	Exprs []Expr   `json:"exprs"`
	Names []string `json:"names"`
}

// Mode is which half of an aggregation an Aggregate does.
type Mode string

// The modes. Partial yields keys and states; Final reads them.
const (
	Whole   Mode = "whole"
	Partial Mode = "partial"
	Final   Mode = "final"
)

// Aggregate groups rows. In Final mode the first len(Keys) input columns are
// the keys and the rest the states, aggregate by aggregate; Keys are then
// references to them.
type Aggregate struct {
	Mode  Mode     `json:"mode"`
	Keys  []Expr   `json:"keys"`
	Aggs  []Agg    `json:"aggs"`
	Names []string `json:"names"` // of keys, then aggregates
}

// Distinct keeps the first row of those that agree in the key columns.
type Distinct struct {
	Keys []int `json:"keys"`
}

// Position appends an INT column that orders rows as their source does: split,
// then row within it.
type Position struct{}

// Sort orders all rows, stably.
type Sort struct {
	Keys []SortKey `json:"keys"`
}

// TopK yields the first Count rows in order of Keys, stably.
type TopK struct {
	Keys  []SortKey `json:"keys"`
	Count int64     `json:"count"`
}

// Limit passes Count rows after Offset; Count < 0 passes all.
type Limit struct {
	Count  int64 `json:"count"`
	Offset int64 `json:"offset"`
}

// Union passes the rows of all its inputs on; InOrder one input after another.
type Union struct {
	InOrder bool `json:"in_order,omitempty"`
}

// SetOp is INTERSECT or EXCEPT of two inputs: Except true, All counting duplicates.
type SetOp struct {
	Except bool `json:"except,omitempty"`
	All    bool `json:"all,omitempty"`
}

// JoinKind is which rows a Join yields, of its inputs probe and build.
type JoinKind string

// The joins. Inner to Single yield the columns of both; LeftJoin and Single
// keep probe rows without partner, RightJoin those of the build side.
const (
	InnerJoin JoinKind = "inner"
	LeftJoin  JoinKind = "left"
	RightJoin JoinKind = "right"
	FullJoin  JoinKind = "full"
	Single    JoinKind = "single" // LeftJoin; a second partner is an error
	SemiJoin  JoinKind = "semi"
	AntiJoin  JoinKind = "anti"
	MarkJoin  JoinKind = "mark" // every probe row, and whether it has a partner
)

// Join joins its first input, the probe side, with its second, the build side,
// which it reads first and holds. Partners agree in the key columns (NULL with
// NULL where NullSafe) and satisfy Residual, over the columns of both. In says
// that the first key is that of x IN (…), so that a mark may be NULL.
type Join struct {
	Kind       JoinKind     `json:"kind"`
	Probe      []int        `json:"probe"`
	Build      []int        `json:"build"`
	NullSafe   []bool       `json:"null_safe"`
	Residual   *Expr        `json:"residual,omitempty"`
	In         bool         `json:"in,omitempty"`
	ProbeTypes []types.Type `json:"probe_types"` // of all columns
	BuildTypes []types.Type `json:"build_types"`
	Out        []int        `json:"out"` // positions among the probe's columns, then the build's or the mark
}

// Pairs reports that rows of both sides are put together.
func (k JoinKind) Pairs() bool { return k != SemiJoin && k != AntiJoin && k != MarkJoin }

// KeepsProbe reports that probe rows without partner are yielded with NULLs.
func (k JoinKind) KeepsProbe() bool { return k == LeftJoin || k == FullJoin || k == Single }

// KeepsBuild reports that build rows without partner are yielded with NULLs.
func (k JoinKind) KeepsBuild() bool { return k == RightJoin || k == FullJoin }

// Exec sends the columns Columns through an external program, one process a task.
type Exec struct {
	connect.Program
	Columns []int `json:"columns"`
}

// Unnest appends the elements of List, a row for each.
type Unnest struct {
	List Expr   `json:"list"`
	Name string `json:"name"`
}

// Sink writes the columns Columns to a file, all or nothing, under the names of
// Schema. Sharing is how its tasks do that together, where it may have several;
// with InParts Path is a folder, which ends with a slash.
type Sink struct {
	Path    string          `json:"path"`
	Options connect.Options `json:"options"`
	Columns []int           `json:"columns"`
	Schema  types.Schema    `json:"schema"`
	Sharing connect.Sharing `json:"sharing,omitempty"`
}

// Result hands the columns Columns to the caller.
type Result struct {
	Columns []int `json:"columns"`
}

func (*Scan) spec()      {}
func (*Range) spec()     {}
func (*Values) spec()    {}
func (*Receive) spec()   {}
func (*Filter) spec()    {}
func (*Project) spec()   {}
func (*Aggregate) spec() {}
func (*Distinct) spec()  {}
func (*Position) spec()  {}
func (*Sort) spec()      {}
func (*TopK) spec()      {}
func (*Limit) spec()     {}
func (*Union) spec()     {}
func (*SetOp) spec()     {}
func (*Join) spec()      {}
func (*Unnest) spec()    {}
func (*Exec) spec()      {}
func (*Sink) spec()      {}
func (*Result) spec()    {}

// Expr is an expression in its wire form's clothes; Column.ID is a position.
type Expr struct{ expr.Expr }

// Agg is an aggregate call in its wire form's clothes.
type Agg struct{ *expr.AggCall }
