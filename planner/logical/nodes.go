package logical

// Columns implements Node.
func (n *Scan) Columns() []Column {
	out := make([]Column, len(n.Out))
	for i, c := range n.Out {
		out[i] = c.Column
	}
	return out
}

// Columns implements Node.
func (n *Range) Columns() []Column { return n.Out }

// Columns implements Node.
func (n *Values) Columns() []Column { return nil }

// Columns implements Node.
func (n *Empty) Columns() []Column { return n.Out }

// Columns implements Node.
func (n *Filter) Columns() []Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Project) Columns() []Column { return itemColumns(n.Items) }

// Columns implements Node.
func (n *Aggregate) Columns() []Column {
	out := itemColumns(n.Keys)
	for _, a := range n.Aggs {
		out = append(out, a.Column)
	}
	return out
}

// Columns implements Node.
func (n *Distinct) Columns() []Column {
	if n.Ordered {
		return n.Input.Columns()
	}
	return n.On
}

// Columns implements Node.
func (n *Sort) Columns() []Column { return n.Input.Columns() }

// Columns implements Node.
func (n *TopK) Columns() []Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Limit) Columns() []Column { return n.Input.Columns() }

// Columns implements Node.
func (n *SetOp) Columns() []Column { return n.Out }

// Columns implements Node.
func (n *Tee) Columns() []Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Sink) Columns() []Column { return n.Cols }

func itemColumns(items []Item) []Column {
	out := make([]Column, len(items))
	for i, it := range items {
		out[i] = it.Column
	}
	return out
}

// Inputs implements Node.
func (n *Scan) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Range) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Values) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Empty) Inputs() []Node { return nil }

// Inputs implements Node.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Distinct) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *TopK) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Limit) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *SetOp) Inputs() []Node { return n.Parts }

// Inputs implements Node.
func (n *Tee) Inputs() []Node { return []Node{n.Input} }

// Inputs implements Node.
func (n *Sink) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *Scan) With([]Node) Node { return n }

// With implements Node.
func (n *Range) With([]Node) Node { return n }

// With implements Node.
func (n *Values) With([]Node) Node { return n }

// With implements Node.
func (n *Empty) With([]Node) Node { return n }

// With implements Node.
func (n *Filter) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Project) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Aggregate) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Distinct) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Sort) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *TopK) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Limit) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *SetOp) With(in []Node) Node { c := *n; c.Parts = in; return &c }

// With implements Node.
func (n *Tee) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// With implements Node.
func (n *Sink) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// Transform rebuilds a plan bottom up: f gets each node with its inputs already
// rebuilt and returns what stands in its place.
func Transform(n Node, f func(Node) Node) Node {
	old := n.Inputs()
	if len(old) > 0 {
		inputs := make([]Node, len(old))
		changed := false
		for i, in := range old {
			inputs[i] = Transform(in, f)
			changed = changed || inputs[i] != in
		}
		if changed {
			n = n.With(inputs)
		}
	}
	return f(n)
}

// Walk calls f for every node, a node before its inputs.
func Walk(n Node, f func(Node)) {
	f(n)
	for _, in := range n.Inputs() {
		Walk(in, f)
	}
}
