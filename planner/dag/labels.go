package dag

import "fmt"

// Labels are the operators and the exchanges of a graph, each on one line, with
// the names of columns where they are known in place of their positions.
type Labels struct {
	Ops   [][]string // by stage, then as in its Ops
	Edges [][]string // by stage, then as in its Outputs
}

// Label describes a graph to people. It is as Describe says, which is shorter
// and tells columns of one name apart.
func Label(g *Graph) Labels {
	l := Labels{Ops: make([][]string, len(g.Stages)), Edges: make([][]string, len(g.Stages))}
	sent := map[int][]string{} // names of the columns that an edge carries
	from := map[int]int{}      // the stage at its beginning
	for i, st := range g.Stages {
		out := make([][]string, len(st.Ops))
		for j, o := range st.Ops {
			in := make([][]string, len(o.Inputs))
			for k, input := range o.Inputs {
				in[k] = out[input]
			}
			out[j] = columnNames(o.Spec, in, sent)
			text := describe(o.Spec, in)
			if r, ok := o.Spec.(*Receive); ok {
				text = fmt.Sprintf("receive from stage %d", from[r.Edge])
			}
			l.Ops[i] = append(l.Ops[i], text)
		}
		for _, e := range st.Outputs {
			sent[e.ID], from[e.ID] = out[len(out)-1], st.ID
			l.Edges[i] = append(l.Edges[i], e.describe(sent[e.ID]))
		}
	}
	return l
}

// columnNames are the names of what an operator yields, given those of its
// inputs and of what comes over edges; "" is none. Those of a Partial aggregate
// end before its columns do.
func columnNames(s Spec, in [][]string, sent map[int][]string) []string {
	input := func(i int) []string {
		if i < len(in) {
			return in[i]
		}
		return nil
	}
	switch s := s.(type) {
	case *Scan:
		return s.Names
	case *Values:
		return make([]string, len(s.Types))
	case *Range:
		return []string{"value"}[:min(1, s.Columns)]
	case *Receive:
		return sent[s.Edge]
	case *Project:
		return s.Names
	case *Aggregate:
		if s.Mode == Partial { // states follow the keys
			return s.Names[:min(len(s.Keys), len(s.Names))]
		}
		return s.Names
	case *Exec:
		return s.Out.Names()
	case *Filter, *Distinct, *Sort, *TopK, *Limit, *Union, *SetOp, *Position, *Window, *Unnest:
		return appended(s, input(0))
	case *Join:
		return joined(s, input(0), input(1))
	}
	return nil
}

// appended are the names of what keeps the columns of its input, with those that
// it adds.
func appended(s Spec, names []string) []string {
	names = names[:len(names):len(names)]
	switch s := s.(type) {
	case *Position:
		names = append(names, "position")
	case *Window:
		for _, it := range s.Items {
			names = append(names, it.Name)
		}
	case *Unnest:
		names = append(names, s.Name)
	}
	return names
}

// joined are the names of the columns of both sides that a join yields.
func joined(j *Join, probe, build []string) []string {
	names := make([]string, len(j.Out))
	for i, c := range j.Out {
		b := c - len(j.ProbeTypes)
		switch {
		case b < 0 && c < len(probe):
			names[i] = probe[c]
		case b >= 0 && j.Kind == MarkJoin:
			names[i] = "mark"
		case b >= 0 && b < len(build):
			names[i] = build[b]
		}
	}
	return names
}

// column is the name of a column, or its position if it has none.
func column(names []string, c int) string {
	if c < len(names) && names[c] != "" {
		return names[c]
	}
	return fmt.Sprintf("#%d", c)
}
