package engine

import (
	"bytes"
	"context"
	"maps"

	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/planner/analyze"
)

// bind finds out what is known at the place: what the statements before it
// define, and the columns of the pipeline so far.
func (c *completer) bind(ctx context.Context) {
	c.env = c.Session.env
	if !c.wants(complete.Columns | complete.Sources | complete.Macros) {
		return
	}
	c.env = c.Session.env.Clone()
	f := newFiles(c.engine.store)
	defer f.close() //nolint:errcheck // read-only files: nothing is lost
	known := &peeking{files: f, seen: &c.seen, now: c.engine.cfg.Now}
	c.define(ctx, known)
	pipes := c.pipelines()
	if len(pipes) == 0 || !c.wants(complete.Columns) {
		return
	}
	c.names = analyze.New(ctx, known, &c.env, c.assumed(), c.text).Names(pipes)
}

// assumed are the values of the parameters, with one for those that have none:
// a query is typed before it is known what it is run with.
func (c *completer) assumed() map[string]string {
	params := maps.Clone(c.params)
	if params == nil {
		params = map[string]string{}
	}
	for _, name := range c.want.Params {
		if _, ok := params[name]; !ok {
			params[name] = "1"
		}
	}
	return params
}

// define runs through the statements before the one at the place, for the names
// that they define.
func (c *completer) define(ctx context.Context, known analyze.Catalog) {
	before := c.text[:c.want.Statement]
	script, _ := parser.Parse("", before)
	a := analyze.New(ctx, known, &c.env, c.assumed(), before)
	for _, st := range script.Statements {
		if st.Broken {
			continue
		}
		switch st.Body.(type) {
		case *ast.Let, *ast.CreateFunction, *ast.Control:
			a.Check(st)
		}
	}
}

// pipelines reads the pipelines that are open at the place, as far as columns
// come from them: the last, and those around it that it sees.
func (c *completer) pipelines() []*ast.Pipeline {
	var pipes []*ast.Pipeline
	for i := len(c.want.Pipelines) - 1; i >= 0; i-- {
		p := c.want.Pipelines[i]
		pipes = append([]*ast.Pipeline{c.pipeline(p)}, pipes...)
		if !p.Sees {
			break
		}
	}
	return pipes
}

// pipeline reads what of a pipeline is whole. Its nodes have their places in the whole text.
func (c *completer) pipeline(p complete.Pipeline) *ast.Pipeline {
	none := &ast.Pipeline{}
	if p.From >= p.To {
		return none
	}
	pipe := read(c.only(p, func(keep func(from, to int)) { keep(p.From, p.To) }))
	if pipe == nil {
		// Something in it is wrong: leave out each verb that cannot be read by itself.
		pipe = read(c.only(p, func(keep func(from, to int)) {
			for i, from := range p.Starts {
				to := p.To
				if i+1 < len(p.Starts) {
					to = p.Starts[i+1]
				}
				piece := c.text[min(from, to):to]
				if i > 0 {
					piece = "FROM range(1)\n" + piece
				}
				if read(piece) != nil {
					keep(from, to)
				}
			}
		}))
	}
	if pipe == nil {
		return none
	}
	if p.Join {
		both(pipe)
	}
	return pipe
}

// both makes the last verb, a JOIN without its condition, one that gives the
// columns of both sides.
func both(pipe *ast.Pipeline) {
	if n := len(pipe.Verbs); n > 0 {
		if j, ok := pipe.Verbs[n-1].(*ast.Join); ok {
			j.Kind, j.On, j.Using = "CROSS", nil, nil
		}
	}
}

// only is the text with blanks in place of all that is not kept of a pipeline.
func (c *completer) only(p complete.Pipeline, keep func(func(from, to int))) string {
	blank := bytes.Repeat([]byte{' '}, len(c.text))
	keep(func(from, to int) {
		if from < to {
			copy(blank[from:to], c.text[from:to])
		}
	})
	if p.Close && p.To < len(blank) {
		blank[p.To] = ')'
	}
	return string(blank)
}

// read parses a pipeline, or returns nil.
func read(text string) *ast.Pipeline {
	script, err := parser.Parse("", text)
	if err != nil || len(script.Statements) != 1 {
		return nil
	}
	pipe, _ := script.Statements[0].Body.(*ast.Pipeline)
	return pipe
}
