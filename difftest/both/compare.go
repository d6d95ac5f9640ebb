package both

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/gen"
	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Difference is how two answers differ.
type Difference struct {
	Kind   string // value, count, order, type, error (of rainsql alone), missing error, leak
	Detail string
}

// class tells differences of one cause from those of others, roughly: an error
// goes by its words.
func (d *Difference) class() string {
	if d == nil {
		return ""
	}
	if strings.Contains(d.Kind, "error") || d.Kind == "type" {
		return d.Kind + ": " + classOf(d.Detail)
	}
	return d.Kind
}

var variable = regexp.MustCompile(`'[^']*'|"[^"]*"|\./[^ ]*|[0-9][^ ]*|x[0-9]+`)

func classOf(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	return variable.ReplaceAllString(line, "…")
}

// Compare holds rainsql's answer against DuckDB's. It returns nil where they
// agree; skip says that the answers tell nothing (neither engine runs it).
func Compare(shape gen.Shape, rain, duck Answer) (d *Difference, skip bool) {
	if rain.Err != nil || duck.Err != nil {
		return compareErrors(rain.Err, duck.Err)
	}
	if len(rain.Types) != len(shape.Cols) || len(duck.Kinds) != len(shape.Cols) {
		return &Difference{"type", fmt.Sprintf("%d columns, DuckDB %d, expected %d", len(rain.Types), len(duck.Kinds), len(shape.Cols))}, false
	}
	for i, c := range shape.Cols {
		if !sameType(rain.Types[i], c.T) {
			return &Difference{"type", fmt.Sprintf("column %s is %s, expected %s (DuckDB: %s)", c.Name, rain.Types[i], c.T, duck.Kinds[i])}, false
		}
	}
	if len(rain.Rows) != len(duck.Rows) {
		return &Difference{"count", fmt.Sprintf("%d rows, DuckDB %d", len(rain.Rows), len(duck.Rows))}, false
	}
	if shape.Order == gen.NoOrder {
		if i, j := compareBags(shape, rain.Rows, duck.Rows); i != nil || j != nil {
			return &Difference{"value", fmt.Sprintf("rainsql: %s\nDuckDB:  %s", val.ShowRow(i), val.ShowRow(j))}, false
		}
		return nil, false
	}
	for from := 0; from < len(duck.Rows); {
		to := from + 1
		for to < len(duck.Rows) && val.Order(duck.Orders[to], duck.Orders[from]) == 0 {
			to++
		}
		if i, j := compareBags(shape, rain.Rows[from:to], duck.Rows[from:to]); i != nil || j != nil {
			kind := "order"
			if a, b := compareBags(shape, rain.Rows, duck.Rows); a != nil || b != nil {
				kind = "value"
			}
			return &Difference{kind, fmt.Sprintf("row %d:\nrainsql: %s\nDuckDB:  %s", from, val.ShowRow(i), val.ShowRow(j))}, false
		}
		from = to
	}
	return nil, false
}

func compareErrors(rain, duck error) (*Difference, bool) {
	if rain != nil && strings.HasPrefix(rain.Error(), "leak:") {
		return &Difference{"leak", rain.Error()}, false
	}
	if rain != nil && (strings.Contains(rain.Error(), "internal") || strings.Contains(rain.Error(), "deadline")) {
		return &Difference{"internal error", rain.Error()}, false
	}
	switch {
	case rain != nil && duck != nil:
		return nil, !failedRunning(rain, duck)
	case rain != nil:
		return &Difference{"error", rain.Error()}, false
	}
	if strings.Contains(duck.Error(), "Binder Error") || strings.Contains(duck.Error(), "Parser Error") || strings.Contains(duck.Error(), "Catalog Error") {
		return &Difference{"duckdb refuses", duck.Error()}, false
	}
	return &Difference{"missing error", duck.Error()}, false
}

// failedRunning reports that both failed at what rows hold, not at the text.
func failedRunning(rain, duck error) bool {
	return !strings.Contains(rain.Error(), "not supported yet") && !strings.Contains(duck.Error(), "Binder Error") &&
		!strings.Contains(duck.Error(), "Parser Error") && !strings.Contains(duck.Error(), "Catalog Error")
}

// sameType compares types; of a DECIMAL only the scale counts, as each engine
// has its own idea of how many digits a result may need.
func sameType(a, b types.Type) bool {
	switch {
	case a.Kind != b.Kind:
		return false
	case a.Kind == types.Decimal:
		return a.Scale == b.Scale
	case a.Kind == types.List:
		return sameType(*a.Elem, *b.Elem) || a.Elem.Kind == types.Null
	case a.Kind == types.Struct:
		return slices.EqualFunc(a.Fields, b.Fields, func(f, g types.Field) bool { return sameType(f.Type, g.Type) })
	}
	return true
}

// compareBags compares rows in any order, and returns the first that differ.
func compareBags(shape gen.Shape, a, b [][]any) (x, y []any) {
	if len(a) > 1 {
		a, b = slices.Clone(a), slices.Clone(b)
		// inexact columns last: they may differ in their last digits
		var order []int
		for _, inexact := range []bool{false, true} {
			for j, c := range shape.Cols {
				if c.Inexact == inexact {
					order = append(order, j)
				}
			}
		}
		by := func(r, s []any) int {
			for _, j := range order {
				if c := val.Order(r[j], s[j]); c != 0 {
					return c
				}
			}
			return 0
		}
		slices.SortFunc(a, by)
		slices.SortFunc(b, by)
	}
	for i := range a {
		if !equalRows(shape, a[i], b[i]) {
			if k := slices.IndexFunc(b[i:min(len(b), i+50)], func(r []any) bool { return equalRows(shape, a[i], r) }); k > 0 && shape.Cols != nil {
				b[i], b[i+k] = b[i+k], b[i]
				continue
			}
			return a[i], b[i]
		}
	}
	return nil, nil
}

func equalRows(shape gen.Shape, a, b []any) bool {
	for j, c := range shape.Cols {
		if !val.Equal(a[j], b[j], c.Inexact, c.Loose) {
			return false
		}
	}
	return true
}
