package operators

import (
	"context"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// Share writes chosen columns to what several tasks write together. Committing
// that is not its own affair.
type Share struct {
	op.Base
	columns []int
	open    func() (connect.Share, error)
	env     *op.Env
	share   connect.Share
	rows    int64
}

// NewShare returns an operator that writes columns to the share that open gives.
func NewShare(columns []int, open func() (connect.Share, error)) *Share {
	return &Share{columns: columns, open: open}
}

// Open implements op.Operator.
func (s *Share) Open(_ context.Context, env *op.Env) (err error) {
	s.env = env
	s.share, err = s.open()
	return err
}

// Push implements op.Operator.
func (s *Share) Push(_ context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	if b.Len() == 0 {
		return op.More, nil
	}
	cols, err := chosen(s.env, b, s.columns)
	if err != nil {
		return op.Enough, err
	}
	defer vec.ReleaseAll(cols)
	s.rows += int64(b.Len())
	return op.More, s.share.Write(cols, b.Len(), b.Split)
}

// EndSplit says that all rows of a split have been pushed.
func (s *Share) EndSplit(split int) error { return s.share.EndSplit(split) }

// Finish implements op.Operator.
func (s *Share) Finish(context.Context, int, op.Output) error { return s.share.End() }

// Rows is how many rows have been written.
func (s *Share) Rows() int64 { return s.rows }

// Close implements op.Operator. What was written is the affair of who has all shares.
func (*Share) Close() error { return nil }
