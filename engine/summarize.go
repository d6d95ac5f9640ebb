package engine

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/planner/analyze"
)

// summarize runs the plan of a SUMMARIZE and turns its one row into a row for
// each column, named as DuckDB names them.
func (s *Session) summarize(ctx context.Context, f *files, m *analyze.Summarize, h Handler) error {
	_, g, err := s.plan(m.Plan, nil)
	if err != nil {
		return err
	}
	one := &oneRow{}
	sum, _, err := s.execute(ctx, f, g, one, h, false)
	if err != nil {
		return err
	}
	statistics := analyze.Statistics()
	table := listing.Texts("column_name", "column_type")
	for _, name := range []string{"min", "max", "approx_unique", "avg", "std", "q25", "q50", "q75", "count", "null_percentage"} {
		t := types.STRING
		switch name {
		case "approx_unique", "count":
			t = types.INT
		case "null_percentage":
			t = types.FLOAT
		}
		table.Column(name, t)
	}
	rows := one.values[0].(string)
	for i, c := range m.Schema {
		of := map[string]any{}
		for k, name := range statistics {
			of[name] = one.values[1+i*len(statistics)+k]
		}
		nulls, err := nullPercentage(rows, of["count"])
		if err != nil {
			return err
		}
		of["count"], of["null_percentage"] = rows, nulls
		row := []any{c.Name, c.Type.String()}
		for _, col := range table.Schema[2:] {
			row = append(row, of[col.Name])
		}
		table.Add(row...)
	}
	if err := list(h, table); err != nil {
		return err
	}
	h.Done(sum)
	return nil
}

func nullPercentage(rows string, valid any) (any, error) {
	all, err := strconv.ParseInt(rows, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("internal: %w", err)
	}
	there, err := strconv.ParseInt(fmt.Sprint(valid), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("internal: %w", err)
	}
	if all == 0 {
		return nil, nil
	}
	return strconv.FormatFloat(math.Round(float64(all-there)*10000/float64(all))/100, 'f', -1, 64), nil
}

// oneRow keeps the row of a result that has one, as text. It implements
// connect.Sink.
type oneRow struct{ values []any }

func (o *oneRow) Write(cols []arrow.Array, rows int) error {
	if rows != 1 || o.values != nil {
		return fmt.Errorf("internal: more than one row")
	}
	for _, c := range cols {
		if c.IsNull(0) {
			o.values = append(o.values, nil)
		} else {
			o.values = append(o.values, string(text.AppendValue(nil, c, 0)))
		}
	}
	return nil
}

func (*oneRow) Commit() error { return nil }
func (*oneRow) Abort() error  { return nil }
func (*oneRow) Bytes() int64  { return 0 }
