// Package tree draws trees as text, such as the plans of EXPLAIN.
package tree

// Walk visits a tree, a node before its inputs, with what stands before the
// node's text on its line: nothing for the root, then branches.
//
//	join
//	├─ scan 'a.csv'
//	└─ filter x > 1
//	   └─ scan 'b.csv'
func Walk[N any](root N, inputs func(N) []N, visit func(before string, n N)) {
	visit("", root)
	walk("", root, inputs, visit)
}

func walk[N any](before string, n N, inputs func(N) []N, visit func(string, N)) {
	list := inputs(n)
	for i, in := range list {
		branch, below := "├─ ", "│  "
		if i == len(list)-1 {
			branch, below = "└─ ", "   "
		}
		visit(before+branch, in)
		walk(before+below, in, inputs, visit)
	}
}
