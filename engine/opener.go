package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// Opener opens what a graph of others names, for a process that runs a part of
// it. It reads the files of the graph's Inputs, as they were when it was
// planned, writes files of the store, and touches nothing else: not the disk of
// its machine, nor, unless they are allowed, programs. It implements task.Opener.
type Opener struct {
	store    *store
	seen     *versions
	batch    batch
	programs bool
}

// NewOpener returns an opener for a graph that passes Check, over a store that stays the caller's.
func NewOpener(files *sdfs.Store, g *dag.Graph, programs bool) *Opener {
	return &Opener{store: &store{given: files, remote: true}, seen: versionsOf(g), programs: programs}
}

// OpenSource implements task.Opener. A file that is not the one any more for
// which the graph was made is an error that matches ErrChanged. The end of ctx
// ends what waits for bytes of the source.
func (o *Opener) OpenSource(ctx context.Context, path string, options connect.Options) (connect.Source, error) {
	p, err := o.place(ctx, path)
	if err != nil {
		return nil, err
	}
	if names, _ := o.seen.behind(path); len(names) == 0 {
		return nil, &connect.Error{File: path, Msg: "the query's plan does not say which files that is"}
	}
	_, src, err := openSource(ctx, p, path, options)
	return src, err
}

// NewSink implements task.Opener.
func (o *Opener) NewSink(ctx context.Context, path string, schema types.Schema, options connect.Options) (connect.Sink, error) {
	p, err := o.place(ctx, path)
	if err != nil {
		return nil, err
	}
	return newSink(p, path, schema, options)
}

func (o *Opener) place(ctx context.Context, path string) (place, error) {
	if connect.IsLocal(path) {
		return nil, &connect.Error{File: path, Msg: "is on the disk of a machine, which a query of a cluster does not touch", Hint: "name a file of SDFS"}
	}
	if err := inStore(path, o.store); err != nil {
		return nil, err
	}
	return storePlace{ctx: ctx, store: o.store, batch: &o.batch, seen: o.seen, life: ctx}, nil
}

// StartProgram implements task.Opener.
func (o *Opener) StartProgram(ctx context.Context, p *connect.Program, mem memory.Allocator) (connect.Process, error) {
	return startProgram(ctx, p, mem, o.programs)
}

// Commit implements task.Opener. It makes nothing visible: what the sinks wrote
// waits for the other parts of the query, and for the caller, who takes it by Writers.
func (o *Opener) Commit(context.Context) error { return nil }

// Writers hands over the files whose sinks have committed, in that order. They
// are the caller's from then on, to commit or to abort.
func (o *Opener) Writers() []*sdfs.Writer { return o.batch.take() }

// Abort gives up the files whose sinks have committed and that Writers has not
// handed over. It may come at any time, and more than once.
func (o *Opener) Abort() error { return o.batch.abort() }
