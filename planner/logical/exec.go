package logical

import "github.com/rainsql/rainsql/connect"

// Exec sends the columns Cols of its input through an external program, and
// yields what that writes. How many rows come of how many is the program's affair.
type Exec struct {
	Input   Node
	Program connect.Program
	Cols    []Column
	Out     []Column
}

// Columns implements Node.
func (n *Exec) Columns() []Column { return n.Out }

// Inputs implements Node.
func (n *Exec) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *Exec) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }
