package expr

import (
	"fmt"

	"github.com/rainsql/rainsql/expr/types"
)

// MarshalAgg writes an aggregate call as JSON, its expressions as MarshalExpr does.
func MarshalAgg(c *AggCall) ([]byte, error) {
	w := &wireWriter{}
	w.raw(`{"agg":`)
	w.str(c.Fn)
	w.raw(`,"args":`)
	w.list(c.Args)
	if c.Distinct {
		w.raw(`,"distinct":true`)
	}
	if c.Filter != nil {
		w.raw(`,"filter":`)
		w.expr(c.Filter)
	}
	for i, k := range c.OrderBy {
		w.raw(map[bool]string{true: `,"order":[`, false: ","}[i == 0])
		w.raw(`{"key":`)
		w.expr(k.Expr)
		if k.Desc {
			w.raw(`,"desc":true`)
		}
		if k.NullsFirst {
			w.raw(`,"nulls_first":true`)
		}
		w.raw("}")
		if i == len(c.OrderBy)-1 {
			w.raw("]")
		}
	}
	w.typed(c.T)
	return w.b, w.err
}

// UnmarshalAgg reads what MarshalAgg writes, as strictly as UnmarshalExpr.
func UnmarshalAgg(data []byte) (*AggCall, error) {
	v, err := decodeJSON(data)
	if err != nil {
		return nil, err
	}
	o, err := readObject(v)
	if err != nil {
		return nil, err
	}
	if err := o.only("agg", "args", "distinct", "filter", "order", "t"); err != nil {
		return nil, err
	}
	name, ok := o["agg"].(string)
	if !ok {
		return nil, fmt.Errorf("an aggregate's name is missing")
	}
	args, err := readExprs(o["args"], 0)
	if err != nil {
		return nil, err
	}
	distinct, err := o.flag("distinct")
	if err != nil {
		return nil, err
	}
	var filter Expr
	if x, ok := o["filter"]; ok {
		if filter, err = readExpr(x, 0); err != nil {
			return nil, err
		}
	}
	keys, err := readSortKeys(o["order"])
	if err != nil {
		return nil, err
	}
	t, err := o.typeField()
	if err != nil {
		return nil, err
	}
	c, err := NewAgg(name, args, distinct, filter, keys)
	if err != nil {
		return nil, err
	}
	return c, c.unchanged(name, args, filter, t)
}

// unchanged reports, as an error, a call that lacked conversions.
func (c *AggCall) unchanged(name string, args []Expr, filter Expr, t types.Type) error {
	if c.Fn != name || !c.T.Equal(t) || c.Filter != filter {
		return fmt.Errorf("%s does not give %s here", name, t)
	}
	for i, a := range c.Args {
		if a != args[i] {
			return fmt.Errorf("argument %d of %s lacks a conversion to %s", i+1, name, a.Type())
		}
	}
	return nil
}

func readSortKeys(v any) ([]SortKey, error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("expected a list of sort keys")
	}
	keys := make([]SortKey, len(list))
	for i, x := range list {
		o, err := readObject(x)
		if err == nil {
			err = o.only("key", "desc", "nulls_first")
		}
		if err == nil {
			keys[i].Expr, err = readExpr(o["key"], 0)
		}
		if err == nil {
			keys[i].Desc, err = o.flag("desc")
		}
		if err == nil {
			keys[i].NullsFirst, err = o.flag("nulls_first")
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}
