package expr

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// errStopped ends a batch whose query has ended: one row of some functions
// (regular expressions over long text) may take a second.
var errStopped = errors.New("the query was stopped")

func (e *Env) stopped() bool {
	if e == nil {
		return false
	}
	select {
	case <-e.Stop:
		return true
	default:
		return false
	}
}

// errNull is returned by a kernel's function where the result is NULL.
var errNull = errors.New("NULL")

// column reads an operand of fixed width; a constant gives its row for every row.
type column[T vec.FixedWidth] struct {
	v    []T
	mask int // 0 for a constant, all ones for a column
	vec.Validity
}

func fixed[T vec.FixedWidth](v vector) column[T] {
	return column[T]{v: vec.Values[T](v.arr), mask: v.mask(), Validity: vec.ValidityOf(v.arr)}
}

func (c *column[T]) at(i int) T { return c.v[i&c.mask] }

// mask makes an index of a row one of the operand: i & mask.
func (v vector) mask() int {
	if v.konst {
		return 0
	}
	return -1
}

// in makes a reader of one kind of operand.
type in[T any] func(v vector) func(i int) T

func fixedIn[T vec.FixedWidth](v vector) func(i int) T {
	vals := vec.Values[T](v.arr)
	if v.konst {
		x := vals[0]
		return func(int) T { return x }
	}
	return func(i int) T { return vals[i] }
}

// textIn reads text in place: the string lives as long as the column.
func textIn(v vector) func(i int) string {
	r, mask := vec.Strings(v.arr), v.mask()
	return func(i int) string { return r.Str(i & mask) }
}

func bytesIn(v vector) func(i int) []byte {
	r, mask := vec.Strings(v.arr), v.mask()
	return func(i int) []byte { return r.At(i & mask) }
}

func boolIn(v vector) func(i int) bool {
	b, mask := vec.BoolsOf(v.arr), v.mask()
	return func(i int) bool { return b.At(i & mask) }
}

var (
	intIn      in[int64]                      = fixedIn[int64]
	floatIn    in[float64]                    = fixedIn[float64]
	dateIn     in[arrow.Date32]               = fixedIn[arrow.Date32]
	stampIn    in[arrow.Timestamp]            = fixedIn[arrow.Timestamp]
	intervalIn in[arrow.MonthDayNanoInterval] = fixedIn[arrow.MonthDayNanoInterval]
)

// sink takes the rows of a result in order: put or null for each.
type sink[T any] struct {
	put     func(i int, v T)
	null    func(i int)
	finish  func() arrow.Array
	release func()
}

// out makes the sink of one kind of result.
type out[T any] func(c *call) sink[T]

func fixedOut[T vec.FixedWidth](c *call) sink[T] {
	b := vec.NewFixed[T](c.mem, c.t.Arrow(), c.n)
	return sink[T]{
		put: func(i int, v T) { b.Values[i] = v },
		null: func(i int) {
			var zero T
			b.Values[i] = zero
			b.Set(i)
		},
		finish: b.Finish, release: b.Release,
	}
}

func boolOut(c *call) sink[bool] {
	b := vec.NewBools(c.mem, c.n)
	return sink[bool]{
		put: func(i int, v bool) {
			if v {
				b.SetTrue(i)
			}
		},
		null: b.Set, finish: b.Finish, release: b.Release,
	}
}

func textOut(c *call) sink[string] {
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	return sink[string]{
		put:  func(_ int, v string) { b.AppendString(v) },
		null: func(int) { b.AppendNull() }, finish: b.Finish, release: b.Release,
	}
}

func bytesOut(c *call) sink[[]byte] {
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	return sink[[]byte]{
		put:  func(_ int, v []byte) { b.Append(v) },
		null: func(int) { b.AppendNull() }, finish: b.Finish, release: b.Release,
	}
}

var (
	intOut      out[int64]                      = fixedOut[int64]
	floatOut    out[float64]                    = fixedOut[float64]
	dateOut     out[arrow.Date32]               = fixedOut[arrow.Date32]
	stampOut    out[arrow.Timestamp]            = fixedOut[arrow.Timestamp]
	intervalOut out[arrow.MonthDayNanoInterval] = fixedOut[arrow.MonthDayNanoInterval]
)

// anyNull returns a test for rows with a NULL operand, or nil where there are none.
func (c *call) anyNull() func(i int) bool {
	type operand struct {
		v    vec.Validity
		mask int
	}
	var ops []operand
	for _, a := range c.args {
		if v := vec.ValidityOf(a.arr); !v.None() {
			ops = append(ops, operand{v, a.mask()})
		}
	}
	switch len(ops) {
	case 0:
		return nil
	case 1:
		o := ops[0]
		return func(i int) bool { return o.v.Null(i & o.mask) }
	}
	return func(i int) bool {
		for _, o := range ops {
			if o.v.Null(i & o.mask) {
				return true
			}
		}
		return false
	}
}

// rows drives a kernel: f for each row without a NULL operand.
func rows[R any](c *call, s sink[R], f func(i int) (R, error)) (arrow.Array, error) {
	null := c.anyNull()
	for i := range c.n {
		if c.env.stopped() {
			s.release()
			return nil, errStopped
		}
		if null != nil && null(i) {
			s.null(i)
			continue
		}
		switch v, err := f(i); {
		case err == nil:
			s.put(i, v)
		case errors.Is(err, errNull):
			s.null(i)
		default:
			s.release()
			return nil, &RowError{Row: i, Err: err}
		}
	}
	return s.finish(), nil
}

// map1, map2 and map3 make kernels of functions that cannot fail; try1, try2
// and try3 of those that can, or give NULL by errNull. They serve what is not
// worth a loop of its own.
func map1[A, R any](a in[A], r out[R], f func(A) R) kernel {
	return func(c *call) (arrow.Array, error) {
		x := a(c.args[0])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i)), nil })
	}
}

func try1[A, R any](a in[A], r out[R], f func(A) (R, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		x := a(c.args[0])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i)) })
	}
}

func map2[A, B, R any](a in[A], b in[B], r out[R], f func(A, B) R) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y := a(c.args[0]), b(c.args[1])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i), y(i)), nil })
	}
}

func try2[A, B, R any](a in[A], b in[B], r out[R], f func(A, B) (R, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y := a(c.args[0]), b(c.args[1])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i), y(i)) })
	}
}

func map3[A, B, C, R any](a in[A], b in[B], d in[C], r out[R], f func(A, B, C) R) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y, z := a(c.args[0]), b(c.args[1]), d(c.args[2])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i), y(i), z(i)), nil })
	}
}

func try3[A, B, C, R any](a in[A], b in[B], d in[C], r out[R], f func(A, B, C) (R, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y, z := a(c.args[0]), b(c.args[1]), d(c.args[2])
		return rows(c, r(c), func(i int) (R, error) { return f(x(i), y(i), z(i)) })
	}
}

// appendText makes a kernel from text to text that writes into a buffer used again and again.
func appendText(f func(dst, s []byte) []byte) kernel {
	return func(c *call) (arrow.Array, error) {
		x := bytesIn(c.args[0])
		var buf []byte
		return rows(c, bytesOut(c), func(i int) ([]byte, error) {
			buf = f(buf[:0], x(i))
			return buf, nil
		})
	}
}
