package json

import (
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/expr/types"
)

// deepestType is how far nested values become LIST and STRUCT; what lies
// deeper is kept as its JSON text.
const deepestType = 64

// shape gathers what the values of a key look like, over the sample.
type shape struct {
	scalar infer.Guess
	list   *shape // of the elements, if there were arrays
	object *fields
}

// fields are the keys of objects in the order in which they were first seen.
type fields struct {
	names  []string
	shapes []*shape
	index  map[string]int
}

func newFields() *fields { return &fields{index: map[string]int{}} }

// of returns the shape of a key.
func (f *fields) of(name []byte) *shape {
	i, ok := f.index[string(name)]
	if !ok {
		i = len(f.names)
		f.index[string(name)] = i
		f.names = append(f.names, string(name))
		f.shapes = append(f.shapes, &shape{})
	}
	return f.shapes[i]
}

// schema returns the keys with their types.
func (f *fields) schema() types.Schema {
	s := make(types.Schema, len(f.names))
	for i, n := range f.names {
		s[i] = types.Field{Name: n, Type: f.shapes[i].typ()}
	}
	return s
}

// add notes a value, a token of b that has been checked.
func (s *shape) add(b []byte, t token, depth int) {
	switch t.kind {
	case 'n':
	case '"':
		s.scalar.AddTemporal(t.text(b))
	case '{', '[':
		if depth >= deepestType {
			s.scalar.AddString()
			return
		}
		if t.kind == '[' {
			if s.list == nil {
				s.list = &shape{}
			}
			_, _ = scanArray(b, t.start, 0, func(v token) { s.list.add(b, v, depth+1) })
			return
		}
		if s.object == nil {
			s.object = newFields()
		}
		_, _ = scanObject(b, t.start, 0, func(k, v token) { s.object.of(k.text(b)).add(b, v, depth+1) })
	default:
		s.scalar.Add(t.text(b))
	}
}

// typ returns the narrowest type for all values seen. A mixture of scalars,
// arrays and objects, and objects without any key, stay JSON text.
func (s *shape) typ() types.Type {
	switch {
	case s.list != nil && s.object == nil && !s.scalar.Seen():
		return types.ListOf(s.list.typ())
	case s.object != nil && s.list == nil && !s.scalar.Seen() && len(s.object.names) > 0:
		return types.StructOf(s.object.schema()...)
	case s.list != nil || s.object != nil:
		return types.STRING
	}
	return s.scalar.Type()
}
