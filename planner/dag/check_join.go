package dag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

func (c *checker) join(s *Join, probe, build []types.Type) ([]types.Type, error) {
	switch s.Kind {
	case InnerJoin, LeftJoin, RightJoin, FullJoin, Single, SemiJoin, AntiJoin, MarkJoin:
	default:
		return nil, fmt.Errorf("unknown join %q", s.Kind)
	}
	if len(s.Probe) != len(s.Build) || len(s.NullSafe) != len(s.Probe) {
		return nil, fmt.Errorf("a join of %d keys with %d", len(s.Probe), len(s.Build))
	}
	if s.In && (s.Kind != MarkJoin || len(s.Probe) == 0 || s.NullSafe[0] || slices.Contains(s.NullSafe[1:], false)) {
		return nil, fmt.Errorf("a %s join for IN", s.Kind)
	}
	if err := sameTypes(probe, s.ProbeTypes); err != nil {
		return nil, fmt.Errorf("probe side: %w", err)
	}
	if err := sameTypes(build, s.BuildTypes); err != nil {
		return nil, fmt.Errorf("build side: %w", err)
	}
	if err := inRange(s.Probe, len(probe)); err != nil {
		return nil, err
	}
	if err := inRange(s.Build, len(build)); err != nil {
		return nil, err
	}
	for i, p := range s.Probe {
		if !probe[p].Equal(build[s.Build[i]]) {
			return nil, fmt.Errorf("a join of %s with %s", probe[p], build[s.Build[i]])
		}
	}
	both := slices.Concat(probe, build)
	if s.Residual != nil {
		if err := c.condition(s.Residual, both); err != nil {
			return nil, err
		}
	}
	switch {
	case s.Kind == MarkJoin:
		both = slices.Concat(probe, []types.Type{types.BOOL})
	case !s.Kind.Pairs():
		both = probe
	}
	if err := inRange(s.Out, len(both)); err != nil {
		return nil, err
	}
	out := make([]types.Type, len(s.Out))
	for i, at := range s.Out {
		out[i] = both[at]
	}
	return out, nil
}

func describeJoin(s *Join, probe, build []string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "%s join", s.Kind)
	for i := range s.Probe {
		op := "="
		if s.NullSafe[i] {
			op = "is"
		}
		sb.WriteString(map[bool]string{true: " on ", false: ", "}[i == 0])
		fmt.Fprintf(&sb, "probe %s %s build %s", column(probe, s.Probe[i]), op, column(build, s.Build[i]))
	}
	if s.Residual != nil {
		sb.WriteString(" where " + expr.String(s.Residual.Expr))
	}
	return sb.String()
}

// checkSpools refuses a graph that can come to a stop: where two roads lead
// from one stage to an operator that leaves one input waiting for the other,
// the stage must not be held up by the one that waits.
func (g *Graph) checkSpools() error {
	producer := map[int]int{} // of each edge
	spooled := map[int]bool{}
	for _, st := range g.Stages {
		for _, e := range st.Outputs {
			producer[e.ID], spooled[e.ID] = st.ID, e.Spool
		}
	}
	above := make([]map[int]bool, len(g.Stages)) // all stages that a stage gets rows from
	held := make([]map[int]bool, len(g.Stages))  // those that wait where it does
	roads := func(st *Stage, op int) (all, waiting map[int]bool) {
		all, waiting = map[int]bool{}, map[int]bool{}
		st.leaves(op, func(edge int) {
			from := producer[edge]
			add(all, from, above[from])
			if !spooled[edge] {
				add(waiting, from, held[from])
			}
		})
		return all, waiting
	}
	for _, st := range g.Stages {
		above[st.ID], held[st.ID] = roads(st, len(st.Ops)-1)
		for j, op := range st.Ops {
			order := op.Order()
			for i := 1; i < len(order); i++ {
				_, later := roads(st, op.Inputs[order[i]])
				for _, first := range order[:i] {
					before, _ := roads(st, op.Inputs[first])
					for id := range later {
						if before[id] {
							return fmt.Errorf("stage %d: operator %d waits for stage %d twice, without a spool", st.ID, j, id)
						}
					}
				}
			}
		}
	}
	return nil
}

func add(to map[int]bool, one int, more map[int]bool) {
	to[one] = true
	for id := range more {
		to[id] = true
	}
}

// leaves calls f for each edge that feeds an operator of the stage.
func (st *Stage) leaves(op int, f func(edge int)) {
	if r, ok := st.Ops[op].Spec.(*Receive); ok {
		f(r.Edge)
	}
	for _, in := range st.Ops[op].Inputs {
		st.leaves(in, f)
	}
}
