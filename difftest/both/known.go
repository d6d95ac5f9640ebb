package both

import (
	"strings"

	"github.com/rainsql/rainsql/difftest/gen"
	"github.com/rainsql/rainsql/planner/optimize"
)

// Known is a difference that is meant to be.
type Known struct {
	Name   string
	Reason string
	is     func(q *gen.Query, d *Difference, rain, duck Answer) bool
}

// breaks is the difference after which a database of DuckDB's may be lost.
const breaks = "DuckDB breaks"

// Knowns lists the differences that are meant to be. Most are translated where
// SQL is rendered and never show; these cannot be.
func Knowns() []*Known { return knowns }

var knowns = []*Known{
	{
		Name:   "DuckDB forgets the type of a NULL",
		Reason: "it folds CAST(NULL AS T) || … to an untyped NULL, and then finds no function for it",
		is: func(q *gen.Query, d *Difference, _, _ Answer) bool {
			if d.Kind == "duckdb refuses" && (strings.Contains(d.Detail, "Cannot mix values of type") || strings.Contains(d.Detail, "Cannot concatenate lists of types")) && strings.Contains(q.SQL(), "CAST(NULL AS") {
				return true
			}
			return (d.Kind == "duckdb refuses" || strings.Contains(d.Detail, "Unimplemented type for cast")) && strings.Contains(d.Detail, `"NULL"`)
		},
	},
	{
		Name:   "DuckDB cannot flatten a subquery",
		Reason: "some joins within correlated subqueries are not implemented there",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return strings.Contains(d.Detail, "Not implemented Error: Unsupported join type for flattening correlated subquery")
		},
	},
	{
		Name:   "DuckDB has no BETWEEN of lists",
		Reason: "it compares them with < and > all the same",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return strings.Contains(d.Detail, "Invalid type for BETWEEN")
		},
	},
	{
		Name:   "the spread of infinite values",
		Reason: "is NaN, of one value too, where DuckDB gives 0, or fails",
		is: func(q *gen.Query, d *Difference, _, _ Answer) bool {
			if d.Kind == "missing error" && (strings.Contains(d.Detail, "VAR") || strings.Contains(d.Detail, "STDDEV") || strings.Contains(d.Detail, "CO")) && strings.Contains(d.Detail, "is out of range!") {
				return true
			}
			text := q.RQL()
			return d.Kind == "value" && strings.Contains(d.Detail, "NaN") &&
				(strings.Contains(text, "stddev_") || strings.Contains(text, "var_") || strings.Contains(text, "covar_") || strings.Contains(text, "corr("))
		},
	},
	{
		Name:   breaks,
		Reason: "an assertion of its own fails; or a subquery comes to stand in a comprehension, as which a function is written for it",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return d.Kind == "missing error" && (strings.Contains(d.Detail, "INTERNAL Error") || strings.Contains(d.Detail, "FATAL Error")) || strings.Contains(d.Detail, "subqueries in lambda expressions")
		},
	},
	{
		Name:   "DECIMAL has room",
		Reason: "DuckDB computes with the digits of its operands' types, and fails where they do not do; a result is DECIMAL of up to 38 digits here",
		is: func(_ *gen.Query, d *Difference, _, _ Answer) bool {
			return d.Kind == "missing error" && strings.Contains(d.Detail, "Overflow in") && strings.Contains(d.Detail, "of DECIMAL(18)")
		},
	},
	{
		Name:   "an error that the optimiser removes",
		Reason: "it may leave out what nothing reads; without that rule the query fails here too",
		is: func(q *gen.Query, d *Difference, _, _ Answer) bool {
			if d.Kind != "missing error" {
				return false
			}
			for _, r := range optimize.Rules() {
				if Rain(Setup{Parallelism: 1, Off: r.Name}, q.RQL()).Err != nil {
					return true
				}
			}
			return false
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
