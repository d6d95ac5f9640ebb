package logical

import (
	"math"
	"strings"

	"github.com/rainsql/rainsql/expr"
)

// Sizes estimates how many rows a plan's nodes give. The figures are rough, and
// only compared with each other: which of two tables is held in memory, which
// is joined first.
type Sizes struct {
	shared map[int]Node
	known  map[Node]float64
}

// NewSizes returns the estimates for a plan.
func NewSizes(plan *Sink) *Sizes {
	s := &Sizes{shared: map[int]Node{}, known: map[Node]float64{}}
	for _, sh := range plan.Shared {
		s.shared[sh.ID] = sh.Input
	}
	return s
}

// Rows estimates a node's rows.
func (s *Sizes) Rows(n Node) float64 {
	if n == nil {
		return 0
	}
	if r, ok := s.known[n]; ok {
		return r
	}
	r := s.estimate(n)
	s.known[n] = r
	return r
}

// How many of a filter's rows are taken to pass each of its conditions, and how
// the rows of a group or a list are counted, where nothing is known.
const (
	equalPass  = 0.1
	otherPass  = 0.4
	perGroup   = 10
	perList    = 4
	unknown    = 1_000_000
	keptByTwin = 0.5
)

func (s *Sizes) estimate(n Node) float64 {
	switch n := n.(type) {
	case *Scan:
		return scanRows(n) * passing(n.Filter)
	case *Range:
		return math.Max(0, math.Ceil((float64(n.To)-float64(n.From))/float64(n.Step)))
	case *Values:
		return float64(n.Rows)
	case *Empty:
		return 0
	case *Filter:
		return s.Rows(n.Input) * passing(n.Cond)
	case *Aggregate:
		if len(n.Keys) == 0 {
			return 1
		}
		return math.Max(1, s.Rows(n.Input)/perGroup)
	case *Distinct:
		return math.Max(1, s.Rows(n.Input)/perGroup)
	case *TopK:
		return math.Min(s.Rows(n.Input), float64(n.Count))
	case *Limit:
		if n.Count < 0 {
			return s.Rows(n.Input)
		}
		return math.Min(s.Rows(n.Input), float64(n.Count))
	case *Unnest:
		return perList * s.Rows(n.Input)
	case *SetOp:
		return s.setOp(n)
	case *Join:
		return s.join(n)
	case *SharedScan:
		return s.Rows(s.shared[n.ID])
	}
	if in := n.Inputs(); len(in) == 1 {
		return s.Rows(in[0])
	}
	return unknown
}

func (s *Sizes) setOp(n *SetOp) float64 {
	if n.Kind != UnionAll {
		return s.Rows(n.Parts[0])
	}
	var sum float64
	for _, p := range n.Parts {
		sum += s.Rows(p)
	}
	return sum
}

func (s *Sizes) join(n *Join) float64 {
	l, r := s.Rows(n.Left), s.Rows(n.Right)
	switch n.Kind {
	case SemiJoin, AntiJoin:
		return l * keptByTwin
	case MarkJoin, SingleJoin:
		return l
	}
	both := l * r * passing(n.Residual)
	if len(n.Keys) > 0 { // as if the smaller side had each key once
		both = math.Max(l, r) * math.Min(1, math.Pow(otherPass, float64(len(n.Keys)-1))) * passing(n.Residual)
		if small := math.Min(l, r); small < 1 {
			both *= small
		}
	}
	switch n.Kind {
	case LeftJoin:
		return math.Max(both, l)
	case RightJoin:
		return math.Max(both, r)
	case FullJoin:
		return math.Max(both, l+r)
	}
	return both
}

func passing(e expr.Expr) float64 {
	switch e := e.(type) {
	case nil:
		return 1
	case *expr.Logic:
		p := 1.0
		for _, a := range e.Args {
			if e.Or {
				p *= 1 - passing(a)
			} else {
				p *= passing(a)
			}
		}
		if e.Or {
			return 1 - p
		}
		return p
	case *expr.Call:
		if e.Fn == "=" {
			return equalPass
		}
	case *expr.In:
		return math.Min(otherPass, equalPass*float64(len(e.List)))
	}
	return otherPass
}

// scanRows guesses from the size of a file and the width of its rows.
func scanRows(n *Scan) float64 {
	if n.Size < 0 {
		return unknown
	}
	per := 8.0 // bytes a value
	format := n.Options.Format
	switch {
	case strings.HasPrefix(format, "json"):
		per = 20
	case format == "parquet":
		per = 1.5
	case format == "text":
		per = 80
	}
	if strings.HasSuffix(format, ".gz") || strings.HasSuffix(format, ".zst") {
		per /= 5
	}
	return float64(n.Size) / (per * float64(max(1, len(n.Schema))))
}
