package expr

import (
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// Env is what expressions see of the world beside their input.
type Env struct {
	Now  time.Time       // when the query began: now(), current_date
	Stop <-chan struct{} // closed when the query is to end; nil: never
}

// Input is a batch of rows: Cols[i] is what Column{ID: i} refers to. The
// evaluator borrows it.
type Input struct {
	Cols []arrow.Array
	Rows int
}

// RowError is a failure on one row: overflow, a bad cast, a division by zero.
// Row counts in the input's columns.
type RowError struct {
	Row int
	Err error
}

// Error is the failure without the row, whose number means little to a user.
func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the failure.
func (e *RowError) Unwrap() error { return e.Err }

// Evaluator runs one expression over batches. It is used by one goroutine at a
// time; several evaluators of one expression may run at once.
type Evaluator struct {
	root node
	mem  memory.Allocator
	env  *Env
}

// NewEvaluator prepares e: constant patterns are compiled, constants laid out.
// Memory of results comes from mem. env may be nil, which means an Env that
// begins now. A constant argument that is wrong for every row (a bad regular
// expression) is an error.
func NewEvaluator(e Expr, mem memory.Allocator, env *Env) (*Evaluator, error) {
	if env == nil {
		env = &Env{Now: time.Now()}
	}
	ev := &Evaluator{mem: mem, env: env}
	root, err := ev.compile(e)
	if err != nil {
		return nil, err
	}
	ev.root = root
	return ev, nil
}

// Eval computes the expression for the rows that sel names, ascending positions
// in in, or for all if sel is nil. The result has as many rows, in that order,
// and belongs to the caller. A bare column without sel is shared, not copied.
// A failure on a row is a *RowError.
func (ev *Evaluator) Eval(in Input, sel []int32) (arrow.Array, error) {
	f := ev.frame(in, sel)
	defer f.release()
	v, err := ev.root.eval(f)
	if err != nil {
		return nil, err
	}
	return v.expand(f)
}

// Filter appends to dst the rows, of those that sel names (nil: all), for which
// the BOOL expression is true; false and NULL are left out.
func (ev *Evaluator) Filter(in Input, sel []int32, dst []int32) ([]int32, error) {
	f := ev.frame(in, sel)
	defer f.release()
	from := len(dst)
	dst, err := filter(ev.root, f, dst)
	if err != nil {
		return dst[:from], err
	}
	if sel != nil {
		for i, p := range dst[from:] {
			dst[from+i] = sel[p]
		}
	}
	return dst, nil
}

// Close frees the constants that the evaluator holds. It is idempotent; the
// evaluator must not be used afterwards.
func (ev *Evaluator) Close() {
	if ev.root != nil {
		ev.root.close()
		ev.root = nil
	}
}

// node is a compiled expression.
type node interface {
	// eval computes the rows of f; the vector is the caller's to release.
	eval(f *frame) (vector, error)
	close()
}

// filterNode is a condition that finds its true rows without making a column.
// It appends positions in f, ascending.
type filterNode interface {
	node
	filter(f *frame, dst []int32) ([]int32, error)
}

// vector is an operand: a column with a row for each row of its frame, or one
// row that stands for all of them.
type vector struct {
	arr   arrow.Array
	konst bool
}

func (v vector) release() { v.arr.Release() }

// expand turns v into a column of f.n rows, taking v over.
func (v vector) expand(f *frame) (arrow.Array, error) {
	if !v.konst || f.n == 1 {
		return v.arr, nil
	}
	defer v.release()
	return vec.Take(f.ev.mem, v.arr, make([]int32, f.n))
}

// frame is the rows that are being computed: all of the input, those of a
// selection, or in a branch of CASE those that reach it.
type frame struct {
	ev       *Evaluator
	in       Input
	sel      []int32 // position in the input of each row; nil: the same
	n        int
	gathered []arrow.Array // columns under sel, as they are first asked for
}

func (ev *Evaluator) frame(in Input, sel []int32) *frame {
	f := &frame{ev: ev, in: in, sel: sel, n: in.Rows}
	if sel != nil {
		f.n = len(sel)
	}
	return f
}

// sub is the frame of the rows at positions at, which it keeps.
func (f *frame) sub(at []int32) *frame {
	if f.sel != nil {
		sel := make([]int32, len(at))
		for i, p := range at {
			sel[i] = f.sel[p]
		}
		at = sel
	}
	return &frame{ev: f.ev, in: f.in, sel: at, n: len(at)}
}

func (f *frame) release() {
	vec.ReleaseAll(f.gathered)
	f.gathered = nil
}

// row is the position in the input of row i.
func (f *frame) row(i int) int {
	if f.sel == nil {
		return i
	}
	return int(f.sel[i])
}

// fail turns the row of a kernel's error into a row of the input.
func (f *frame) fail(err error, konst bool) error {
	var r *RowError
	if !errors.As(err, &r) {
		return err
	}
	row := 0
	if !konst || f.sel != nil && f.n > 0 {
		row = f.row(r.Row)
	}
	return &RowError{Row: row, Err: r.Err}
}

// check makes sure that the input has the column that c reads, of its type.
func (f *frame) check(c *columnNode) error {
	if c.id < 0 || c.id >= len(f.in.Cols) {
		return fmt.Errorf("the expression reads column %d of a batch of %d", c.id, len(f.in.Cols))
	}
	if a := f.in.Cols[c.id]; a.Len() != f.in.Rows || !holds(a.DataType(), c.t) {
		return fmt.Errorf("the expression reads column %d as %s, and it is %d rows of Arrow %s", c.id, c.t, a.Len(), a.DataType())
	}
	return nil
}

// column is the input's column id, which check has seen, under the frame's selection.
func (f *frame) column(id int) (arrow.Array, error) {
	if f.sel == nil {
		f.in.Cols[id].Retain()
		return f.in.Cols[id], nil
	}
	if f.gathered == nil {
		f.gathered = make([]arrow.Array, len(f.in.Cols))
	}
	if f.gathered[id] == nil {
		a, err := vec.Take(f.ev.mem, f.in.Cols[id], f.sel)
		if err != nil {
			return nil, err
		}
		f.gathered[id] = a
	}
	f.gathered[id].Retain()
	return f.gathered[id], nil
}
