package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// Sink writes chosen columns to a file. Nothing is visible before Commit.
type Sink struct {
	op.Base
	columns []int
	open    func() (connect.Sink, error)
	env     *op.Env
	sink    connect.Sink
	rows    int64
}

// NewSink returns an operator that writes columns to the sink that open makes.
func NewSink(columns []int, open func() (connect.Sink, error)) *Sink {
	return &Sink{columns: columns, open: open}
}

// Open implements op.Operator.
func (s *Sink) Open(_ context.Context, env *op.Env) (err error) {
	s.env = env
	s.sink, err = s.open()
	return err
}

// Push implements op.Operator.
func (s *Sink) Push(_ context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	cols, err := chosen(s.env, b, s.columns)
	if err != nil {
		return op.Enough, err
	}
	defer vec.ReleaseAll(cols)
	s.rows += int64(b.Len())
	return op.More, s.sink.Write(cols, b.Len())
}

// chosen returns columns of b, dense; the caller releases them.
func chosen(env *op.Env, b *op.Batch, columns []int) ([]arrow.Array, error) {
	cols := make([]arrow.Array, 0, len(columns))
	for _, c := range columns {
		a := b.Cols[c]
		if b.Sel == nil {
			a.Retain()
		} else {
			var err error
			if a, err = vec.Take(env.Alloc, a, b.Sel); err != nil {
				vec.ReleaseAll(cols)
				return nil, err
			}
		}
		cols = append(cols, a)
	}
	return cols, nil
}

// Finish implements op.Operator.
func (s *Sink) Finish(context.Context, int, op.Output) error { return nil }

// Commit implements op.Committer.
func (s *Sink) Commit() error { return s.sink.Commit() }

// Rows is how many rows have been written.
func (s *Sink) Rows() int64 { return s.rows }

// Close implements op.Operator.
func (s *Sink) Close() error {
	if s.sink == nil {
		return nil
	}
	err := s.sink.Abort() // after a Commit it does nothing
	s.sink = nil
	return err
}
