package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// jsonFunctions read and write JSON, which is a STRING: it has no type of its own.
func jsonFunctions() []*entry {
	return []*entry{
		fn("json_extract", "the value at a path, as JSON: $.a.b[0], a pointer /a/b/0, a key or an index; with .* or [*] in it all such values as a list", `json_extract('{"a": [1, {"b": "x"}]}', '$.a[1]')`, `{"b":"x"}`).alias("json_extract_path").
			onFail("STRING, STRING -> STRING", extractJSON(appendMinified, false)).typing(pathType).checking(checkPath).
			onFail("STRING, INT -> STRING", extractJSON(appendMinified, false)),
		fn("json_extract_string", "json_extract, of which texts come without quotes and null as NULL", `json_extract_string('{"a": "x"}', '$.a')`, "x").alias("json_extract_path_text").
			onFail("STRING, STRING -> STRING", extractJSON(appendJSONPlain, true)).typing(pathType).checking(checkPath).
			onFail("STRING, INT -> STRING", extractJSON(appendJSONPlain, true)),
		fn("json_value", "json_extract of what is neither an object nor an array", `json_value('{"a": [1]}', '$.a[0]')`, "1").
			onFail("STRING, STRING -> STRING", jsonAt(textOut, func(v []byte) (string, error) {
				if v == nil || v[0] == '{' || v[0] == '[' || v[0] == 'n' { // null
					return "", errNull
				}
				return string(v), nil
			})).checking(checkOnePath),
		fn("json_exists", "whether there is something at the path", `json_exists('{"a": null}', '$.a')`, "true").
			onFail("STRING, STRING -> BOOL", jsonAt(boolOut, func(v []byte) (bool, error) { return v != nil, nil })).checking(checkOnePath),
		fn("json_valid", "whether the text is JSON", "json_valid('[1, 2]')", "true").
			on("STRING -> BOOL", map1(bytesIn, boolOut, func(s []byte) bool {
				_, err := trimJSON(s)
				return err == nil
			})),
		fn("json", "the JSON without blanks between its parts", "json('[1, 2]')", "[1,2]").alias("json_minify").
			onFail("STRING -> STRING", jsonAt(bytesOut, func(v []byte) ([]byte, error) { return appendMinified(nil, v), nil })),
		onPath(fn("json_type", "OBJECT, ARRAY, VARCHAR, BIGINT, UBIGINT, DOUBLE, BOOLEAN or NULL", "json_type('[1, 2]')", "ARRAY"), "STRING", jsonAt(textOut, func(v []byte) (string, error) {
			if v == nil {
				return "", errNull
			}
			return jsonTypeOf(v), nil
		})),
		onPath(fn("json_array_length", "how many elements an array has; 0 of all else", "json_array_length('[1, 2]')", "2"), "INT", jsonAt(intOut, func(v []byte) (int64, error) {
			switch {
			case v == nil:
				return 0, errNull
			case v[0] != '[':
				return 0, nil
			}
			return int64(jsonSize(v)), nil
		})),
		onPath(fn("json_keys", "the keys of an object, as a list; empty of all else", `json_keys('{"b": 1, "a": 2}')`, `["b","a"]`), "LIST<STRING>", jsonKeys),
		fn("json_contains", "whether the second JSON is in the first at any level: equal, or a part of the elements or members", `json_contains('{"a": [1, 2]}', '{"a": [2]}')`, "true").
			onFail("STRING, STRING -> BOOL", try2(bytesIn, bytesIn, boolOut, func(big, small []byte) (bool, error) {
				b, err := trimJSON(big)
				if err != nil {
					return false, err
				}
				s, err := trimJSON(small)
				return err == nil && jsonContains(b, s), err
			})),
		fn("to_json", "any value as JSON", "to_json({a: 1, b: ['x', NULL]})", `{"a":1,"b":["x",null]}`).alias("json_quote", "array_to_json", "row_to_json").
			on("any -> STRING", writeJSON),
		fn("json_object", "a JSON object of keys and values in turn", "json_object('a', 1, 'b', 'x')", `{"a":1,"b":"x"}`).
			onNulls("any… -> STRING", writeObject).failing().typing(objectType).onNulls(" -> STRING", writeObject),
		fn("json_array", "a JSON array of the arguments", "json_array(1, 'x', NULL)", `[1,"x",null]`).
			onNulls("any… -> STRING", writeArray).onNulls(" -> STRING", writeArray),
	}
}

// onPath adds the overloads of a function of JSON, and of what a path leads to in it.
func onPath(e *entry, result string, run kernel) *entry {
	return e.onFail("STRING -> "+result, run).onFail("STRING, STRING -> "+result, run).checking(checkOnePath)
}

// pathType is a list where a constant path has a wildcard.
func pathType(args []Expr) (types.Type, error) {
	if s, ok := constantText(args[1]); ok {
		if p, err := parseJSONPath(s); err == nil && p.many {
			return types.ListOf(types.STRING), nil
		}
	}
	return types.STRING, nil
}

func checkPath(args []Expr) (int, error) {
	if s, ok := constantText(args[1]); ok {
		_, err := parseJSONPath(s)
		return 1, err
	}
	return 0, nil
}

func checkOnePath(args []Expr) (int, error) {
	if len(args) < 2 {
		return 0, nil
	}
	if s, ok := constantText(args[1]); ok {
		p, err := parseJSONPath(s)
		if err == nil && p.many {
			err = errWildcard
		}
		return 1, err
	}
	return 0, nil
}

var errWildcard = errors.New("a path with a wildcard leads to several values, and stands here only as a constant of json_extract and json_extract_string")

// path is the path of a row, kept for the next. A missing argument leads to the
// whole value.
func (c *call) path() func(i int) (*jsonPath, error) {
	switch {
	case len(c.args) < 2:
		return func(int) (*jsonPath, error) { return &jsonPath{}, nil }
	case c.args[1].arr.DataType().ID() == arrow.INT64:
		at := intIn(c.args[1])
		p := &jsonPath{steps: []jsonStep{{kind: stepIndex}}}
		return func(i int) (*jsonPath, error) {
			p.steps[0].index = at(i)
			return p, nil
		}
	}
	texts := textIn(c.args[1])
	return func(i int) (*jsonPath, error) {
		s := texts(i)
		if c.memo.path == nil || c.memo.pattern != s {
			p, err := parseJSONPath(s)
			if err != nil {
				return nil, err
			}
			if p.many && c.t.Kind != types.List {
				return nil, errWildcard
			}
			c.memo.path, c.memo.pattern = &p, strings.Clone(s)
		}
		return c.memo.path, nil
	}
}

// jsonAt makes a kernel of a function of the value that the path leads to, or nil.
func jsonAt[R any](r out[R], f func(v []byte) (R, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		docs, path := bytesIn(c.args[0]), c.path()
		return rows(c, r(c), func(i int) (R, error) {
			var none R
			p, err := path(i)
			if err != nil {
				return none, err
			}
			doc, err := trimJSON(docs(i))
			if err != nil {
				return none, err
			}
			return f(p.first(doc))
		})
	}
}

// appendJSONPlain is the text that a string says, and other values as JSON.
func appendJSONPlain(dst, v []byte) []byte {
	if v[0] == '"' {
		return appendJSONText(dst, v)
	}
	return appendMinified(dst, v)
}

// extractJSON makes the kernel of json_extract; with plain, null is NULL.
func extractJSON(form func(dst, v []byte) []byte, plain bool) kernel {
	return func(c *call) (arrow.Array, error) {
		docs, path := bytesIn(c.args[0]), c.path()
		find := func(i int) (*jsonPath, []byte, error) {
			p, err := path(i)
			if err != nil {
				return nil, nil, err
			}
			doc, err := trimJSON(docs(i))
			return p, doc, err
		}
		var buf []byte
		if c.t.Kind == types.List {
			return textLists(c, func(b *vec.ViewBuilder, i int) error {
				p, doc, err := find(i)
				if err != nil {
					return err
				}
				p.find(doc, func(v []byte) bool {
					if plain && v[0] == 'n' {
						b.AppendNull()
					} else {
						buf = form(buf[:0], v)
						b.Append(buf)
					}
					return true
				})
				return nil
			})
		}
		return rows(c, bytesOut(c), func(i int) ([]byte, error) {
			p, doc, err := find(i)
			if err != nil {
				return nil, err
			}
			v := p.first(doc)
			if v == nil || plain && v[0] == 'n' {
				return nil, errNull
			}
			buf = form(buf[:0], v)
			return buf, nil
		})
	}
}

// writeJSON prints each value.
func writeJSON(c *call) (arrow.Array, error) {
	a, mask := c.args[0].arr, c.args[0].mask()
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		buf = text.AppendJSON(buf[:0], a, i&mask)
		return buf, nil
	})
}

func objectType(args []Expr) (types.Type, error) {
	if len(args)%2 != 0 {
		return types.Type{}, errors.New("json_object takes keys and values in turn")
	}
	for i := 0; i < len(args); i += 2 {
		if t := args[i].Type(); t.Kind != types.String {
			return t, fmt.Errorf("a key of json_object is a STRING, not %s", t)
		}
	}
	return types.STRING, nil
}

func writeObject(c *call) (arrow.Array, error) {
	var buf []byte
	out := bytesOut(c)
	for i := range c.n {
		buf = append(buf[:0], '{')
		for k := 0; k+1 < len(c.args); k += 2 {
			key, value := c.args[k], c.args[k+1]
			if key.arr.IsNull(i & key.mask()) {
				out.release()
				return nil, &RowError{Row: i, Err: errors.New("a key of json_object is NULL")}
			}
			if k > 0 {
				buf = append(buf, ',')
			}
			buf = append(text.AppendJSON(buf, key.arr, i&key.mask()), ':')
			buf = text.AppendJSON(buf, value.arr, i&value.mask())
		}
		out.put(i, append(buf, '}'))
	}
	return out.finish(), nil
}

func writeArray(c *call) (arrow.Array, error) {
	var buf []byte
	out := bytesOut(c)
	for i := range c.n {
		buf = append(buf[:0], '[')
		for k, a := range c.args {
			if k > 0 {
				buf = append(buf, ',')
			}
			buf = text.AppendJSON(buf, a.arr, i&a.mask())
		}
		out.put(i, append(buf, ']'))
	}
	return out.finish(), nil
}

// textLists makes a list of texts a row: f appends those of row i.
func textLists(c *call, f func(b *vec.ViewBuilder, i int) error) (arrow.Array, error) {
	b := vec.NewViewBuilder(c.mem, arrow.BinaryTypes.StringView, c.n)
	defer b.Release()
	nulls, offs, null := vec.NewNulls(c.mem, c.n), make([]int32, 1, c.n+1), c.anyNull()
	defer nulls.Release()
	for i := range c.n {
		if c.env.stopped() {
			return nil, errStopped
		}
		err := errNull
		if null == nil || !null(i) {
			err = f(b, i)
		}
		if errors.Is(err, errNull) {
			nulls.Set(i)
		} else if err != nil {
			return nil, &RowError{Row: i, Err: err}
		}
		offs = append(offs, int32(b.Len()))
	}
	elems := b.Finish()
	defer elems.Release()
	return vec.NewList(c.mem, elems, offs, &nulls), nil
}

func jsonKeys(c *call) (arrow.Array, error) {
	docs, path := bytesIn(c.args[0]), c.path()
	return textLists(c, func(b *vec.ViewBuilder, i int) error {
		p, err := path(i)
		if err != nil {
			return err
		}
		doc, err := trimJSON(docs(i))
		if err != nil {
			return err
		}
		v := p.first(doc)
		if v == nil {
			return errNull
		}
		eachJSON(v, func(key, _ []byte) bool {
			if key != nil {
				b.Append(appendJSONText(nil, key))
			}
			return true
		})
		return nil
	})
}
