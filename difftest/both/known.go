package both

import (
	"strings"

	"github.com/rainsql/rainsql/difftest/gen"
)

// Known is a difference that is meant to be.
type Known struct {
	Name   string
	Reason string
	is     func(q *gen.Query, d *Difference, rain, duck Answer) bool
}

// Knowns lists the differences that are meant to be. Most are translated where
// SQL is rendered and never show; these cannot be.
func Knowns() []*Known { return knowns }

var knowns = []*Known{
	{
		Name:   "DuckDB forgets the type of a NULL",
		Reason: "it folds CAST(NULL AS T) || … to an untyped NULL, and then finds no function for it",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return d.Kind == "duckdb refuses" && strings.Contains(d.Detail, `"NULL"`)
		},
	},
	{
		Name:   "DuckDB cannot flatten a subquery",
		Reason: "some joins within correlated subqueries are not implemented there",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return strings.Contains(d.Detail, "Not implemented Error: Unsupported join type for flattening correlated subquery")
		},
	},
}

func known(q *gen.Query, d *Difference, rain, duck Answer) *Known {
	for _, k := range knowns {
		if k.is(q, d, rain, duck) {
			return k
		}
	}
	return nil
}
