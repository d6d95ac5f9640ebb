package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/planner/logical"
	"github.com/rainsql/rainsql/planner/optimize"
)

func nearest(word string, list []string) string { return suggest.Nearest(word, list) }

// Run runs a script. Its errors that can be found before running come together,
// as *parser.Diagnostics, and then nothing has run; otherwise it stops at the
// first statement that fails. file names the text in messages.
func (s *Session) Run(ctx context.Context, file, src string, h Handler) error {
	script, err := parser.Parse(file, src)
	f := newFiles(s.engine.store)
	f.noPrograms = s.engine.cfg.NoPrograms
	defer f.close() //nolint:errcheck // read-only files: nothing is lost
	before := s.env.Clone()
	a := analyze.New(ctx, f, &s.env, s.params, src)
	ready := s.check(a, script, err)
	if ctx.Err() != nil {
		s.env = before
		return context.Cause(ctx)
	}
	if err := together(src, err, a.Err(), f.oneResult(src, script.Statements, ready)); err != nil {
		s.env = before // nothing has run: no name of it stays
		return f.because(err)
	}
	planned := f.seen
	for i, st := range script.Statements {
		meaning := ready[i]
		f.seen = planned
		if meaning == nil {
			if err := f.forget(); err != nil {
				return err
			}
			if meaning, err = a.Bind(st); err != nil {
				return f.because(err)
			}
			if err := f.oneResult(src, []*ast.Statement{st}, []analyze.Statement{meaning}); err != nil {
				return err
			}
		}
		f.tell(h)
		s.text = strings.TrimSpace(src[st.Pos.Offset:st.EndPos.Offset])
		if err := s.statement(ctx, f, meaning, h); err != nil {
			return inStatement(script, st, err)
		}
	}
	return nil
}

// inStatement says which statement of several an error of the run is about.
func inStatement(script *ast.Script, st *ast.Statement, err error) error {
	if len(script.Statements) == 1 || errors.As(err, new(*parser.Diagnostics)) {
		return err
	}
	return fmt.Errorf("%s:%d:%d: %w", st.Pos.Filename, st.Pos.Line, st.Pos.Column, err)
}

// check binds every statement that can be bound before any has run. Errors of
// the grammar, which are in wrong, may turn out to be about names of columns.
func (s *Session) check(a *analyze.Analyzer, script *ast.Script, wrong error) []analyze.Statement {
	ready := make([]analyze.Statement, len(script.Statements))
	var diags *parser.Diagnostics
	errors.As(wrong, &diags)
	for i, st := range script.Statements {
		if ready[i], _ = a.Check(st); st.Broken && diags != nil {
			a.Respell(st, diags.List)
		}
	}
	return ready
}

// oneResult refuses statements of which a cluster could not give the results.
func (f *files) oneResult(src string, list []*ast.Statement, meanings []analyze.Statement) error {
	wrong := &parser.Diagnostics{Source: src}
	for i, st := range list {
		if !f.store.remote {
			break
		}
		if d := oneResult(st, meanings[i]); d != nil {
			wrong.List = append(wrong.List, d)
		}
	}
	return wrong.Err()
}

// because lets errors.Is find in an error of planning what the store said, such
// as that it cannot be reached.
func (f *files) because(err error) error {
	if len(f.faults) == 0 {
		return err
	}
	return &caused{err, f.faults}
}

type caused struct {
	error
	by []error
}

func (c *caused) Unwrap() []error { return append([]error{c.error}, c.by...) }

// together joins the errors of the grammar and of the meaning.
func together(src string, errs ...error) error {
	all := &parser.Diagnostics{Source: src}
	for _, err := range errs {
		var d *parser.Diagnostics
		if errors.As(err, &d) {
			all.List = append(all.List, d.List...)
		}
	}
	return all.Err()
}

// statement runs one statement: the one place where meanings become actions.
func (s *Session) statement(ctx context.Context, f *files, meaning analyze.Statement, h Handler) error {
	switch m := meaning.(type) {
	case *analyze.Query:
		if x, ok := h.(*explaining); ok {
			return s.explain(ctx, f, &analyze.Explain{Plan: m.Plan, Analyze: x.analyze, Format: x.format}, h)
		}
		return s.query(ctx, f, m.Plan, h)
	case *analyze.Explain:
		return s.explain(ctx, f, m, h)
	case *analyze.Describe:
		return s.describe(m.Schema, h)
	case *analyze.Summarize:
		return s.summarize(ctx, f, m, h)
	case *analyze.Show:
		return s.show(ctx, m.What, h)
	case *analyze.Setting:
		return s.Set(m.Name, m.Value)
	case *analyze.Let, *analyze.CreateFunction:
		return nil
	}
	return fmt.Errorf("internal: no action for %T", meaning)
}

// plan takes a query from its meaning to its stages.
func (s *Session) plan(plan *logical.Sink, trace func(string, *logical.Sink)) (*logical.Sink, *dag.Graph, error) {
	plan = optimize.Plan(plan, s.engine.cfg.DisableRules, trace)
	g, err := dag.Build(plan, dag.Config{Parallelism: s.parallelism(), SplitBytes: s.engine.cfg.SplitBytes})
	return plan, g, err
}

func (s *Session) query(ctx context.Context, f *files, plan *logical.Sink, h Handler) error {
	own := analyze.Overwritten(plan) // before the optimiser may find that a file need not be read
	plan, g, err := s.plan(plan, nil)
	if err != nil {
		return err
	}
	var out connect.Sink
	if plan.Target == nil {
		if out, err = h.Rows(g.Schema); err != nil {
			return err
		}
	}
	sum, _, err := s.execute(ctx, f, g, out, h, false)
	if err != nil {
		if out != nil {
			err = errors.Join(err, out.Abort())
		}
		return err
	}
	if out != nil {
		if err := out.Commit(); err != nil && !errors.Is(err, connect.ErrEnough) {
			return err
		}
	}
	for _, path := range own {
		h.Notice(path + " is what the query read: its rows have been replaced")
	}
	h.Done(sum)
	return nil
}

// execute runs a graph; rows of its result go to out.
func (s *Session) execute(ctx context.Context, f *files, g *dag.Graph, out connect.Sink, h Handler, measure bool) (Summary, *task.Report, error) {
	ctx, cancel := s.withTimeLimit(ctx)
	defer cancel()
	begin := time.Now()
	var here *localFile
	if s.engine.cfg.Remote {
		var err error
		if g, here, err = f.submit(ctx, g); err != nil {
			return Summary{}, nil, err
		}
	}
	mem := op.NewMemory(s.memoryLimit())
	stats := &task.Stats{}
	rt := &task.Runtime{
		Opener:     f,
		Env:        &op.Env{Alloc: s.engine.cfg.Alloc, Memory: mem, Eval: &expr.Env{Now: s.engine.cfg.Now(), Stop: ctx.Done()}},
		SplitBytes: s.engine.cfg.SplitBytes,
		Measure:    measure,
		Text:       s.text, MemoryLimit: s.memoryLimit(),
	}
	var rows int64
	limit := s.rowLimit()
	rt.Result = func(ctx context.Context, cols []arrow.Array, n int) (op.Flow, error) {
		if here != nil {
			return op.More, here.write(cols, n)
		}
		rows += int64(n)
		if limit > 0 && rows > limit {
			return op.Enough, fmt.Errorf("the query gives more than row_limit = %d rows; LIMIT them, or raise it with SET row_limit", limit)
		}
		if out == nil {
			return op.More, nil
		}
		err := out.Write(cols, n)
		if errors.Is(err, connect.ErrEnough) {
			return op.Enough, nil
		}
		return op.More, err
	}
	done := watch(h, &Progress{begin: begin, stats: stats, mem: mem})
	report, err := s.engine.cfg.Run(ctx, g, rt, stats)
	done()
	if here != nil {
		err = here.end(err)
	}
	if err != nil {
		err = errors.Join(err, f.batch.abort())
	}
	s.logFailure(err)
	if n := stats.Skipped.Load(); n > 0 {
		h.Notice(fmt.Sprintf("%s skipped (on_error = 'skip')", human.Count(n, "row")))
	}
	if n := stats.Nulled.Load(); n > 0 {
		h.Notice(fmt.Sprintf("%s with values replaced by NULL (on_error = 'null')", human.Count(n, "row")))
	}
	written := stats.Written()
	if here != nil && err == nil {
		written = append(written, task.Written{Path: here.path, Rows: here.rows})
	}
	for _, w := range written {
		rows += w.Rows
		h.Notice(fmt.Sprintf("wrote %s to %s", human.Count(w.Rows, "row"), w.Path))
	}
	sum := Summary{
		Elapsed: time.Since(begin), BytesRead: stats.Bytes.Load(), RowsRead: stats.Rows.Load(),
		RowsOut: rows, PeakMemory: mem.Peak(), Spilled: mem.Spilled(), GroupsPruned: stats.Pruned.Load(),
	}
	return sum, report, err
}

// logFailure keeps what a user need not see: the stack of a fault of this program.
func (s *Session) logFailure(err error) {
	var internal *task.InternalError
	if errors.As(err, &internal) {
		s.engine.cfg.Log.Error("internal error", zap.String("reason", internal.Reason), zap.String("stack", internal.Stack))
	}
}
