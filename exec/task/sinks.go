package task

import (
	"context"
	"errors"
	"io"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/planner/dag"
)

// sink is an operator that writes a file, or its share of one.
type sink struct {
	path string
	op   interface{ Rows() int64 }
}

// sink makes the operator of a Sink. It writes by the context of Start, which lasts longer than that of a task: what a Commit has to flush is written, too.
func (r *run) sink(ctx context.Context, st *dag.Stage, s *dag.Sink, index int) op.Operator {
	if s.Sharing == "" {
		o := operators.NewSink(s.Columns, func() (connect.Sink, error) {
			return r.rt.Opener.NewSink(ctx, s.Path, s.Schema, s.Options)
		})
		r.sinks = append(r.sinks, sink{path: s.Path, op: o})
		return o
	}
	sh := r.shared[st.ID]
	if sh == nil {
		var here []int
		for i := range st.Tasks {
			if r.part.here(st.ID, i) {
				here = append(here, i)
			}
		}
		sh = &together{turn: make(chan struct{}, 1), open: func() (connect.Shared, error) {
			return r.rt.Opener.NewShared(ctx, s.Path, s.Schema, s.Options, s.Sharing, here)
		}}
		r.shared[st.ID] = sh
	}
	o := operators.NewShare(s.Columns, func() (connect.Share, error) { return sh.task(index) })
	r.sinks = append(r.sinks, sink{path: s.Path, op: o})
	return o
}

// trial makes an operator that writes nothing, but finds in the rows what a Sink would.
func trial(s *dag.Sink) op.Operator {
	return operators.NewSink(s.Columns, func() (connect.Sink, error) {
		return formats.NewWriter(io.Discard, s.Options.Format, s.Schema, s.Options)
	})
}

// together is what the tasks of a stage write together, those that are here.
type together struct {
	open func() (connect.Shared, error)
	turn chan struct{} // holds one while it is opened, which may take a while
	all  connect.Shared
	err  error // of open
}

// task gives a task its share. The first that asks begins it all.
func (s *together) task(index int) (connect.Share, error) {
	s.turn <- struct{}{}
	if s.all == nil && s.err == nil {
		s.all, s.err = s.open()
	}
	<-s.turn
	if s.err != nil {
		return nil, s.err
	}
	return s.all.Task(index)
}

// commitShared hands over what tasks here have written together.
func (r *run) commitShared() error {
	for _, st := range r.graph.Stages {
		if s := r.shared[st.ID]; s != nil && s.all != nil {
			if err := s.all.Commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

// abortShared drops it, unless it was committed.
func (r *run) abortShared() error {
	var errs []error
	for _, s := range r.shared {
		if s.all != nil {
			errs = append(errs, s.all.Abort())
		}
	}
	return errors.Join(errs...)
}
