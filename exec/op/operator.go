// Package op is the contract between operators and the tasks that run them.
//
// A task pushes batches through a chain of operators on one goroutine; what an
// operator yields it pushes on to the next through an Output. Control travels in
// band: watermarks, ticks, the end of an input. A bounded and a continuous query
// differ only in whether the end arrives.
package op

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr"
)

// Flow is an operator's answer to a batch: whether it wants more.
type Flow uint8

// The answers. Enough travels upstream until it stops the sources.
const (
	More Flow = iota
	Enough
)

// Time is event time in microseconds since 1970, UTC.
type Time int64

// Operator is one step of a task. All calls come from the task's goroutine, in
// the order Open, then any of Push, Watermark and Tick, Finish once for each
// input, Close. No call follows an error but Close.
type Operator interface {
	// Open readies the operator. env outlives it.
	Open(ctx context.Context, env *Env) error
	// Push takes a batch of an input. The batch is borrowed: Retain to keep it.
	// After Enough the input brings no more, but Finish still comes.
	Push(ctx context.Context, input int, b *Batch, out Output) (Flow, error)
	// Watermark says that no row before t is to come.
	Watermark(ctx context.Context, t Time, out Output) error
	// Tick passes processing time: for EMIT EVERY, idleness, flushing.
	Tick(ctx context.Context, now time.Time, out Output) error
	// Finish says that an input has ended. After the last one the operator
	// pushes what it holds back; the task then finishes what follows.
	Finish(ctx context.Context, input int, out Output) error
	// Close frees everything. It is idempotent, and safe before Open.
	Close() error
}

// Output takes what an operator yields. The batch is borrowed by the callee:
// whoever made it releases it after Push returns.
type Output interface {
	Push(ctx context.Context, b *Batch) (Flow, error)
}

// Env is what a task gives its operators. It is shared by them and read only.
type Env struct {
	Alloc  memory.Allocator
	Memory *Memory   // the query's budget on this node
	Eval   *expr.Env // what expressions see of the query: its time
}

// Base gives an operator the calls it has no use for.
type Base struct{}

// Watermark implements Operator.
func (Base) Watermark(context.Context, Time, Output) error { return nil }

// Tick implements Operator.
func (Base) Tick(context.Context, time.Time, Output) error { return nil }

// Committer is an operator whose effect becomes visible only when the whole
// query has succeeded. Commit comes after the last Finish and before Close; a
// Close without it undoes everything.
type Committer interface {
	Commit() error
}
