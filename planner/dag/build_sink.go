package dag

import (
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// into ends the query with what it writes.
func (b *builder) into(s *stream, plan *logical.Sink) {
	how, many := b.sharing(s, plan.Target, plan.Input)
	if !many {
		s = b.single(s)
	}
	s.add(b.sink(s, plan.Target, how, plan.Cols, plan.Schema()))
}

// tee sends the rows two ways: to a stage that writes them, and on.
func (b *builder) tee(n *logical.Tee) *stream {
	s := b.ordered(n.Input)
	if s.placed {
		s = b.single(s)
	}
	how, many := b.sharing(s, &n.Target, n.Input)
	tasks, edge := s.stage.Tasks, Edge{Kind: Forward}
	if !many && tasks > 1 {
		tasks, edge.Kind = 1, Gather
		if s.inFile {
			edge.Kind = BySplit
		}
	}
	to := b.connect(s, b.stage(tasks), edge)
	to.add(b.sink(to, &n.Target, how, n.Cols, n.Schema()))
	return b.exchange(s, s.stage.Tasks, Edge{Kind: Forward})
}

func (b *builder) sink(s *stream, t *logical.Target, how connect.Sharing, cols []logical.Column, schema types.Schema) *Sink {
	at, err := s.positions(cols)
	if err != nil {
		b.err = err
	}
	return &Sink{Path: t.Path, Options: t.Options, Columns: at, Schema: schema, Sharing: how}
}

// sharing is how a target is written, and whether by all tasks of the stream
// that has the rows of a node. One task writes what has an order that pieces
// cannot be put into, what cannot be divided, and what is little.
func (b *builder) sharing(s *stream, t *logical.Target, n logical.Node) (how connect.Sharing, many bool) {
	folder := strings.HasSuffix(t.Path, "/")
	many = s.stage.Tasks > 1 && !s.placed && !connect.IsLocal(t.Path) && (folder || t.Options.Divisible()) && (s.inFile || !b.little(n))
	switch {
	case folder:
		return connect.InParts, many
	case many && s.inFile:
		return connect.BySplit, true
	case many:
		return connect.ByTask, true
	}
	return "", false
}

// rowBytes is what a row of text is taken to have.
const rowBytes = 64

// little reports that the rows of a node are, by estimate, no more than one split.
func (b *builder) little(n logical.Node) bool {
	return b.sizes.Rows(n)*rowBytes <= float64(b.cfg.SplitBytes)
}
