package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/planner/logical"
	"github.com/rainsql/rainsql/sdfs"
)

// notThere refuses to read a file of this machine where the query runs on others.
func notThere(local string) error {
	e := &connect.Error{Msg: fmt.Sprintf("%q is on this machine's disk, and the query runs on a cluster", local), Hint: "put it there first: " + putCommand(local)}
	if connect.HasPattern(local) {
		e.Hint = "put the files there first, one by one: rainsql fs put FILE NAME"
	}
	return e
}

// putCommand is how a shell is told to put a local file into the store.
func putCommand(local string) string {
	local = strings.TrimPrefix(local, "file://")
	name := path.Base(local)
	if sdfs.CheckName(name) != nil {
		name = "NAME"
	}
	return "rainsql fs put " + shellWord(local) + " " + shellWord(name)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./~-]+$`)

// shellWord quotes what a shell would not leave alone.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// localFile is the one file of this machine that a query writes whose graph runs
// elsewhere: the rows come to this process, which writes them.
type localFile struct {
	path string
	sink connect.Sink
	rows int64
}

// submit makes a graph one that others can run: it says which files to read, and
// gives the caller what goes to a file of this machine, which is opened; nil
// where there is none.
func (f *files) submit(ctx context.Context, g *dag.Graph) (*dag.Graph, *localFile, error) {
	inputs, err := f.seen.inputs(g.Scans())
	if err != nil {
		return nil, nil, err
	}
	g, sink := toCaller(g)
	g.Inputs = inputs
	if err := g.Check(); err != nil {
		return nil, nil, fmt.Errorf("internal: the plan for the cluster: %w", err)
	}
	if sink == nil {
		return g, nil, nil
	}
	out, err := f.NewSink(ctx, sink.Path, sink.Schema, sink.Options)
	if err != nil {
		return nil, nil, err
	}
	return g, &localFile{path: sink.Path, sink: out}, nil
}

// toCaller is a copy of a graph that hands the rows of its local sink to the
// caller, and that sink. Check has seen to it that there is no other result.
func toCaller(g *dag.Graph) (*dag.Graph, *dag.Sink) {
	c := *g
	for i, st := range g.Stages {
		last := len(st.Ops) - 1
		sink, ok := st.Ops[last].Spec.(*dag.Sink)
		if !ok || !connect.IsLocal(sink.Path) {
			continue
		}
		end := *st
		end.Ops = append([]dag.Op(nil), st.Ops...)
		end.Ops[last].Spec = &dag.Result{Columns: sink.Columns}
		c.Stages = append([]*dag.Stage(nil), g.Stages...)
		c.Stages[i], c.Schema = &end, sink.Schema
		return &c, sink
	}
	return &c, nil
}

// write takes rows of the graph.
func (l *localFile) write(cols []arrow.Array, rows int) error {
	l.rows += int64(rows)
	return l.sink.Write(cols, rows)
}

// end makes the file visible if the query has succeeded, and undoes it otherwise.
func (l *localFile) end(err error) error {
	if err == nil {
		err = l.sink.Commit()
	}
	if err != nil {
		err = errors.Join(err, l.sink.Abort())
	}
	return err
}

// oneResult refuses a query that has more to give to this machine than the rows
// of one result, which is all that comes back from a cluster. It returns nil where nothing is wrong.
func oneResult(st *ast.Statement, meaning analyze.Statement) *parser.Diagnostic {
	var plan *logical.Sink
	switch m := meaning.(type) {
	case *analyze.Query:
		plan = m.Plan
	case *analyze.Explain:
		plan = m.Plan
	default:
		return nil
	}
	results := 0
	if plan.Target == nil {
		results++
	}
	local := ""
	for _, t := range analyze.Targets(plan) {
		if connect.IsLocal(t.Path) {
			results++
			local = t.Path
		}
	}
	if results < 2 {
		return nil
	}
	var at ast.Node = st
	if pipe, ok := st.Body.(*ast.Pipeline); ok {
		for _, v := range pipe.Verbs {
			if tee, ok := v.(*ast.Tee); ok {
				at = tee
			}
		}
	}
	return parser.At(at, "TEE INTO a file of SDFS instead, and fetch it afterwards: rainsql fs get NAME "+shellWord(path.Base(local)),
		"a query on a cluster gives this machine one result, and this one has %d: '%s' is on its disk", results, local)
}
