// Package both runs a query in both engines, compares what they give, and
// makes what differs small.
package both

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/rainsql/rainsql/difftest/gen"
	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Answer is what an engine gave: rows, or an error.
type Answer struct {
	Types  []types.Type // only rainsql tells them
	Kinds  []string     // DuckDB's names of the types
	Rows   [][]any
	Orders []any // DuckDB: the number or rank of each row
	Err    error
}

// Duck is the other engine, in memory.
type Duck struct {
	db *sql.DB
	c  *sql.Conn
}

// OpenDuck opens a database of one thread.
func OpenDuck() (*Duck, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d := &Duck{db: db, c: c}
	for _, s := range []string{"SET threads = 1", "SET TimeZone = 'UTC'", "SET memory_limit = '2GB'", "SET order_by_non_integer_literal = true"} {
		if err := d.Exec(s); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// Close closes it.
func (d *Duck) Close() error { return errors.Join(d.c.Close(), d.db.Close()) }

// Exec runs a statement.
func (d *Duck) Exec(stmt string) error {
	_, err := d.c.ExecContext(context.Background(), stmt)
	return err
}

// Load makes a table, and if path is not empty the file of its rows.
func (d *Duck) Load(t *gen.Table, write bool) error {
	if err := d.Exec(CreateSQL(t)); err != nil {
		return err
	}
	for i := 0; i < len(t.Rows); i += 500 {
		if err := d.Exec(InsertSQL(t, i, min(i+500, len(t.Rows)))); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	names := make([]string, len(t.Cols))
	for i, c := range t.Cols {
		names[i] = val.Name(c.Name)
	}
	option := map[string]string{
		"parquet": "FORMAT parquet, ROW_GROUP_SIZE 2048", "arrow": "FORMAT parquet", "csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json",
	}[t.File]
	file := t.Name + "." + t.File
	if t.File == "arrow" {
		file = t.Name + ".source.parquet"
	}
	return d.Exec(fmt.Sprintf("COPY (SELECT %s FROM %s ORDER BY rn) TO '%s' (%s)", strings.Join(names, ", "), t.Name, file, option))
}

// CreateSQL makes the table in DuckDB; rn numbers its rows.
func CreateSQL(t *gen.Table) string {
	parts := []string{"rn BIGINT"}
	for _, c := range t.Cols {
		parts = append(parts, val.Name(c.Name)+" "+val.SQLType(c.T))
	}
	return "CREATE OR REPLACE TABLE " + t.Name + " (" + strings.Join(parts, ", ") + ")"
}

// InsertSQL fills it with a range of rows.
func InsertSQL(t *gen.Table, from, to int) string {
	var rows []string
	for i, r := range t.Rows[from:to] {
		parts := []string{fmt.Sprint(from + i)}
		for j, c := range t.Cols {
			if r[j] == nil {
				parts = append(parts, "NULL")
				continue
			}
			parts = append(parts, val.SQL(r[j], c.T))
		}
		rows = append(rows, "("+strings.Join(parts, ", ")+")")
	}
	return "INSERT INTO " + t.Name + " VALUES " + strings.Join(rows, ", ")
}

// Drop removes a table.
func (d *Duck) Drop(t *gen.Table) error { return d.Exec("DROP TABLE IF EXISTS " + t.Name) }

// Query runs a query. ordered says that its last column is the rows' order.
func (d *Duck) Query(text string, ordered bool) (a Answer) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a.Err = d.c.Raw(func(conn any) error {
		stmt, err := conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer stmt.Close() //nolint:errcheck // nothing is lost
		rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, nil)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // nothing is lost
		n := len(rows.Columns())
		named := rows.(driver.RowsColumnTypeDatabaseTypeName)
		for i := range n {
			a.Kinds = append(a.Kinds, named.ColumnTypeDatabaseTypeName(i))
		}
		for {
			vals := make([]driver.Value, n)
			err := rows.Next(vals)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			row := make([]any, n)
			for i, v := range vals {
				row[i] = fromDuck(v, a.Kinds[i])
			}
			if ordered {
				a.Orders = append(a.Orders, row[n-1])
				row = row[:n-1]
			}
			a.Rows = append(a.Rows, row)
		}
		if ordered {
			a.Kinds = a.Kinds[:n-1]
		}
		return nil
	})
	return a
}

// fromDuck converts a value of the driver. kind is the name of its type, as a
// date and a timestamp look the same.
func fromDuck(v any, kind string) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case []byte:
		return val.Bytes(v)
	case *big.Int:
		return val.Dec{Unscaled: v}
	case duckdb.Decimal:
		return val.Dec{Unscaled: v.Value, Scale: int(v.Scale)}
	case duckdb.Interval:
		return val.Span{Months: v.Months, Days: v.Days, Micros: v.Micros}
	case time.Time:
		if kind == "DATE" {
			return val.Date(v.Unix() / 86400)
		}
		return val.Time(v.UnixMicro())
	case []any:
		elem := strings.TrimSuffix(kind, "[]")
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = fromDuck(x, elem)
		}
		return out
	case map[string]any:
		r := val.Row{}
		for k := range v {
			r.Names = append(r.Names, k)
		}
		slices.Sort(r.Names)
		fields := structFields(kind)
		for _, k := range r.Names {
			r.Values = append(r.Values, fromDuck(v[k], fields[k]))
		}
		return r
	}
	return fmt.Sprintf("%T %v", v, v)
}

// structFields reads STRUCT(a T, b U) for the fields' types.
func structFields(kind string) map[string]string {
	out := map[string]string{}
	inner := strings.TrimSuffix(strings.TrimPrefix(kind, "STRUCT("), ")")
	depth, from := 0, 0
	add := func(part string) {
		name, t, _ := strings.Cut(strings.TrimSpace(part), " ")
		out[strings.Trim(name, `"`)] = t
	}
	for i, c := range inner {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				add(inner[from:i])
				from = i + 1
			}
		}
	}
	add(inner[from:])
	return out
}
