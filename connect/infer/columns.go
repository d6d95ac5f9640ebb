package infer

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
)

// Override gives columns the types that the option columns names. It goes by
// name, exactly or else in another case, and need not name all.
func Override(schema types.Schema, given types.Schema) error {
	named := map[int]bool{}
	for _, g := range given {
		i, ok, ambiguous := schema.Index(g.Name)
		switch {
		case !ok:
			return &connect.Error{
				Msg:  fmt.Sprintf("columns = (…) names %q, which is not there", g.Name),
				Hint: connect.Suggest(g.Name, schema.Names()),
			}
		case ambiguous:
			return &connect.Error{Msg: fmt.Sprintf("columns = (…) names %q, which fits several columns", g.Name), Hint: "write the name as the file has it"}
		case named[i]:
			return &connect.Error{Msg: fmt.Sprintf("columns = (…) names %q twice", g.Name)}
		}
		named[i] = true
		schema[i].Type = g.Type
	}
	return nil
}

// Names makes the names of a header usable: an empty one becomes column0 by
// its position, and one that is there already gets _1, _2 and so on.
func Names(header []string) []string {
	out := slices.Clone(header)
	taken := make(map[string]bool, len(out))
	for _, n := range out {
		taken[n] = true
	}
	given := make(map[string]bool, len(out))
	for i, original := range header {
		stem := original
		if stem == "" {
			stem = "column" + strconv.Itoa(i)
		}
		name := stem
		for k := 1; given[name] || name != original && taken[name]; k++ {
			name = stem + "_" + strconv.Itoa(k)
		}
		given[name], out[i] = true, name
	}
	return out
}
