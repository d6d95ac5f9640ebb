package engine

import (
	"context"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/sdfs"
)

func (s *Session) describe(schema types.Schema, h Handler) error {
	table := listing.Texts("column_name", "column_type")
	for _, f := range schema {
		table.Add(f.Name, f.Type.String())
	}
	return list(h, table)
}

func (s *Session) show(ctx context.Context, what string, h Handler) error {
	switch what {
	case "SETTINGS":
		table := listing.Texts("name", "value", "description")
		for _, st := range analyze.Settings() {
			value := st.Default
			if v, ok := s.settings[st.Name]; ok {
				value = v
			}
			table.Add(st.Name, value, st.Description)
		}
		return list(h, table)
	case "FILES":
		found, err := s.engine.Files(ctx, "")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		return list(h, FileListing(found))
	}
	table := listing.Texts("name", "category", "signatures", "description", "example", "result", "aliases")
	for _, f := range expr.Functions() {
		table.Add(f.Name, f.Category, strings.Join(f.Signatures, "; "), f.Description, f.Example, f.Result, strings.Join(f.Aliases, ", "))
	}
	return list(h, table)
}

// FileListing is what SHOW FILES gives.
func FileListing(files []sdfs.Info) listing.Table {
	var l listing.Table
	l.Column("name", types.STRING)
	l.Column("bytes", types.INT)
	l.Column("blocks", types.INT)
	l.Column("created", types.TIMESTAMP)
	l.Column("modified", types.TIMESTAMP)
	for _, f := range files {
		l.Add(f.Name, f.Size, f.Blocks, f.Created, f.Modified)
	}
	return l
}

// list hands a listing to the caller.
func list(h Handler, l listing.Table) error {
	out, err := h.Rows(l.Schema)
	if err != nil {
		return err
	}
	return l.WriteTo(out)
}
