package engine

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/analyze"
)

func (s *Session) describe(schema types.Schema, h Handler) error {
	rows := make([][]string, len(schema))
	for i, f := range schema {
		rows[i] = []string{f.Name, f.Type.String()}
	}
	return s.listing(h, []string{"column_name", "column_type"}, rows)
}

func (s *Session) show(what string, h Handler) error {
	if what == "SETTINGS" {
		var rows [][]string
		for _, st := range analyze.Settings() {
			value := st.Default
			if v, ok := s.settings[st.Name]; ok {
				value = v
			}
			rows = append(rows, []string{st.Name, value, st.Description})
		}
		return s.listing(h, []string{"name", "value", "description"}, rows)
	}
	var rows [][]string
	for _, f := range expr.Functions() {
		rows = append(rows, []string{
			f.Name, f.Category, strings.Join(f.Signatures, "; "), f.Description, f.Example, f.Result, strings.Join(f.Aliases, ", "),
		})
	}
	return s.listing(h, []string{"name", "category", "signatures", "description", "example", "result", "aliases"}, rows)
}

// listing hands rows of text to the caller.
func (s *Session) listing(h Handler, names []string, rows [][]string) error {
	schema := make(types.Schema, len(names))
	cols := make([]arrow.Array, len(names))
	for i, n := range names {
		schema[i] = types.Field{Name: n, Type: types.STRING}
		b := vec.NewViewBuilder(s.engine.cfg.Alloc, types.STRING.Arrow(), len(rows))
		for _, r := range rows {
			b.AppendString(r[i])
		}
		cols[i] = b.Finish()
	}
	defer vec.ReleaseAll(cols)
	out, err := h.Rows(schema)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		if err := out.Write(cols, len(rows)); err != nil {
			return err
		}
	}
	return out.Commit()
}
