package operators

import (
	"context"
	"errors"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// Exec sends rows through an external program, one process for the task, and
// yields what that writes as it comes.
type Exec struct {
	op.Base
	spec    *dag.Exec
	start   connect.StartProgram
	env     *op.Env
	process connect.Process
}

// NewExec returns the operator that spec describes; start starts programs.
func NewExec(spec *dag.Exec, start connect.StartProgram) *Exec {
	return &Exec{spec: spec, start: start}
}

// Open implements op.Operator.
func (e *Exec) Open(ctx context.Context, env *op.Env) (err error) {
	e.env = env
	e.process, err = e.start(ctx, &e.spec.Program, env.Alloc)
	return err
}

// enough ends what a process emits once no one wants it any more.
type enough struct{}

func (enough) Error() string { return "no more rows are wanted" }

func emitTo(ctx context.Context, out op.Output) func(*connect.Batch) error {
	return func(b *connect.Batch) error {
		flow, err := out.Push(ctx, &op.Batch{Cols: b.Columns, Rows: b.Rows, Split: -1})
		if err == nil && flow == op.Enough {
			return enough{}
		}
		return err
	}
}

// Push implements op.Operator.
func (e *Exec) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	cols, err := chosen(e.env, b, e.spec.Columns)
	if err != nil {
		return op.Enough, err
	}
	defer vec.ReleaseAll(cols)
	more, err := e.process.Push(ctx, cols, b.Len(), emitTo(ctx, out))
	switch {
	case errors.Is(err, enough{}):
		return op.Enough, e.stop()
	case err != nil || !more:
		return op.Enough, err
	}
	return op.More, nil
}

// stop ends a program whose rows no one wants any more.
func (e *Exec) stop() error {
	err := e.process.Close()
	e.process = nil
	return err
}

// Finish implements op.Operator.
func (e *Exec) Finish(ctx context.Context, _ int, out op.Output) error {
	if e.process == nil {
		return nil
	}
	if err := e.process.Finish(ctx, emitTo(ctx, out)); err != nil && !errors.Is(err, enough{}) {
		return err
	}
	return e.stop()
}

// Close implements op.Operator.
func (e *Exec) Close() error {
	if e.process == nil {
		return nil
	}
	return e.stop()
}
