package tree

import (
	"strings"
	"testing"
)

type node struct {
	name string
	in   []node
}

func TestWalk(t *testing.T) {
	root := node{"union", []node{
		{"join", []node{{"a", nil}, {"sort", []node{{"b", nil}}}}},
		{"limit", []node{{"c", nil}}},
	}}
	var sb strings.Builder
	Walk(root, func(n node) []node { return n.in }, func(before string, n node) { sb.WriteString(before + n.name + "\n") })
	const want = `union
├─ join
│  ├─ a
│  └─ sort
│     └─ b
└─ limit
   └─ c
`
	if sb.String() != want {
		t.Errorf("%s\nwant\n%s", sb.String(), want)
	}
}
