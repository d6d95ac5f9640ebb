package gen

import (
	"fmt"
	"math/rand/v2"

	"github.com/rainsql/rainsql/expr/types"
)

// Gen makes random tables and queries; the same seed makes the same ones. It
// is used by one goroutine at a time.
type Gen struct {
	rng        *rand.Rand
	features   map[string]bool // what may be used; see Features
	tables     []*Table
	ids        int
	lets       []*Let
	depth      int                    // of pipelines within pipelines
	subqueries bool                   // may be used in the expression being made
	next       func(*Gen, Shape) Step // the verb to make next, if it has been decided
	without    map[string]bool        // functions not to use
}

// New returns a generator that uses the features named.
func New(seed1, seed2 uint64, features map[string]bool) *Gen {
	return &Gen{rng: rand.New(rand.NewPCG(seed1, seed2)), features: features}
}

// Without keeps functions out of queries; names are those of the function table.
func (g *Gen) Without(names map[string]bool) { g.without = names }

// Use makes queries read these tables.
func (g *Gen) Use(tables []*Table) { g.tables = tables }

func (g *Gen) nextID() int {
	g.ids++
	return g.ids
}

func (g *Gen) n(n int) int           { return g.rng.IntN(n) }
func (g *Gen) chance(p float64) bool { return g.rng.Float64() < p }

func pick[T any](g *Gen, list []T) T { return list[g.n(len(list))] }

// some takes n different elements, or all.
func some[T any](g *Gen, list []T, n int) []T {
	out := make([]T, 0, n)
	for _, i := range g.rng.Perm(len(list))[:min(n, len(list))] {
		out = append(out, list[i])
	}
	return out
}

// fresh makes a new column for an expression.
func (g *Gen) fresh(e *Expr) *Col {
	id := g.nextID()
	name := fmt.Sprintf("c%d", id)
	if g.chance(0.05) {
		name = fmt.Sprintf("%s %d", pick(g, []string{"größe", "a b", "Sum", "x\"y", "select"}), id)
	}
	c := &Col{ID: id, Name: name, T: e.T, Null: e.Null, Max: e.Max, Tame: e.Tame, Inexact: e.Inexact, Loose: e.Loose}
	// DuckDB compares intervals of mixed sign part by part, against its documentation
	c.Inexact = c.Inexact || e.T.Kind == types.Interval && e.Op != opColumn && e.Op != opLiteral
	return c
}
