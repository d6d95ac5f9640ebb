package engine

import (
	"context"
	"strings"

	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/logical"
)

// explain shows a query at each hop: as bound, as optimised, as stages. With
// ANALYZE it runs the query, writing nothing but what INTO and TEE write, and
// shows what each operator of the stages did.
func (s *Session) explain(ctx context.Context, f *files, m *analyze.Explain, h Handler) error {
	bound := logical.String(m.Plan)
	var rules []string
	plan, g, err := s.plan(m.Plan, func(rule string, _ *logical.Sink) { rules = append(rules, rule) })
	if err != nil {
		return err
	}
	var report *task.Report
	var sum Summary
	if m.Analyze {
		if sum, report, err = s.execute(ctx, f, g, nil, h, true); err != nil {
			return err
		}
	}
	var text string
	show := h.Text
	switch m.Format {
	case "json":
		if text, err = planJSON(g, report, sum); err != nil {
			return err
		}
	case "dot":
		text = dot(g, report)
	default:
		optimised := "-- optimised plan"
		if len(rules) > 0 {
			optimised += " (" + strings.Join(rules, ", ") + ")"
		}
		optimised += "\n" + logical.String(plan) + "\n"
		if m.Analyze {
			text = optimised + analysis(g, report, sum)
		} else {
			text = "-- logical plan\n" + bound + "\n" + optimised + "-- stages\n" + g.String()
		}
		show = func(text string) error { return showPlan(h, text) }
	}
	if err := show(text); err != nil {
		return err
	}
	if m.Analyze {
		h.Done(sum)
	}
	return nil
}

// PlanHandler is a Handler that shows plans for people in another way than text
// for programs: plan by plan, whose lines are long and may be cut.
type PlanHandler interface {
	Handler
	Plan(text string) error
}

func showPlan(h Handler, text string) error {
	if p, ok := h.(PlanHandler); ok {
		return p.Plan(text)
	}
	return h.Text(text)
}

// ExplainScript explains every query of a script; its other statements run.
func (s *Session) ExplainScript(ctx context.Context, file, src string, analyze bool, format string, h Handler) error {
	return s.Run(ctx, file, src, &explaining{Handler: h, analyze: analyze, format: format})
}

// explaining is a handler whose session explains queries instead of running them.
type explaining struct {
	Handler
	analyze bool
	format  string
}

// Watch implements Watcher.
func (x *explaining) Watch(p *Progress) (done func()) { return watch(x.Handler, p) }

// Plan implements PlanHandler.
func (x *explaining) Plan(text string) error { return showPlan(x.Handler, text) }
