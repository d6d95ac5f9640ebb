package parser

import (
	"strings"

	"github.com/rainsql/rainsql/parser/ast"
)

// The settle functions finish what a grammar has captured as it was written:
// words become upper case, and the two parts of system.nodes one name. They bear
// a half-read node, which participle hands out beside an error.

func settleVerb(v ast.Verb) {
	switch v := v.(type) {
	case *ast.Join:
		if v != nil {
			v.Kind = strings.ToUpper(v.Kind)
			settleSource(v.Source)
		}
	case *ast.SetOp:
		if v != nil {
			v.Op, v.Mode = strings.ToUpper(v.Op), strings.ToUpper(v.Mode)
		}
	case *ast.Sort:
		if v != nil {
			for _, k := range v.Keys {
				k.Dir, k.Nulls = strings.ToUpper(k.Dir), strings.ToUpper(k.Nulls)
			}
		}
	case *ast.Aggregate:
		if v != nil && v.Emit != nil {
			v.Emit.On = strings.ToUpper(v.Emit.On)
		}
	}
}

func settleBody(b ast.Body) {
	switch b := b.(type) {
	case *ast.Control:
		if b != nil {
			b.Action, b.Object = strings.ToUpper(b.Action), strings.ToUpper(b.Object)
		}
	case *ast.CreateSource:
		if b != nil {
			settleSource(b.Source)
		}
	case *ast.Describe:
		if b != nil {
			settleSource(b.Source)
		}
	case *ast.Summarize:
		if b != nil {
			settleSource(b.Source)
		}
	}
}

func settleSource(s *ast.Source) {
	if s != nil && s.Schema != nil && s.Name != nil {
		s.Name.Text = s.Schema.Text + "." + s.Name.Text
		s.Name.Pos = s.Schema.Pos
	}
}
