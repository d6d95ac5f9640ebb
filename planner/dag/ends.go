package dag

// Targets lists the files that the graph writes, in the order of its stages.
func (g *Graph) Targets() []string {
	var list []string
	for _, st := range g.Stages {
		if s, ok := st.root().(*Sink); ok {
			list = append(list, s.Path)
		}
	}
	return list
}

// HandsOut tells whether the graph gives rows to its caller.
func (g *Graph) HandsOut() bool {
	for _, st := range g.Stages {
		if st.EndsInResult() {
			return true
		}
	}
	return false
}

// EndsInResult tells whether the rows of a stage go to the caller.
func (st *Stage) EndsInResult() bool {
	_, ok := st.root().(*Result)
	return ok
}

func (st *Stage) root() Spec { return st.Ops[len(st.Ops)-1].Spec }
