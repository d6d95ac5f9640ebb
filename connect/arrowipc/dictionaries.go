package arrowipc

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// dictFields returns the fields whose codes refer to dictionary id, among those wanted.
func dictFields(fields []*field, id int64, to []*field) []*field {
	for _, f := range fields {
		if f.dict != nil && f.dict.id == id {
			to = append(to, f)
		}
		to = dictFields(f.children, id, to)
	}
	return to
}

// loadDictionaries reads those of a file that the wanted columns need.
func (r *reader) loadDictionaries() error {
	r.dicts = map[int64]arrow.Array{}
	for _, b := range r.src.dicts {
		m, err := readMessage(r.in, b.off)
		if err != nil {
			return err
		}
		if m == nil || m.kind != dictionaryMessage {
			return errors.New("the index refers to something that is not a dictionary")
		}
		if err := r.addDictionary(m, false); err != nil {
			return err
		}
	}
	return nil
}

// addDictionary reads a dictionary, or more of one, if a wanted column needs it.
// Only streams may replace one.
func (r *reader) addDictionary(m *message, replace bool) error {
	id, delta := m.header.Int64(0, 0), m.header.Bool(2)
	var wanted []*field
	for i, f := range r.src.cols {
		if r.wanted[i] {
			wanted = append(wanted, f)
		}
	}
	users := dictFields(wanted, id, nil)
	if len(users) == 0 {
		return m.buf.Err()
	}
	h, err := newBatchHead(m, m.header.Table(1))
	if err != nil {
		return err
	}
	values := *users[0] // the dictionary's values, which are not codes
	values.dict = nil
	l := &loader{batchHead: h, mem: r.scan.Alloc, dicts: r.dicts}
	defer l.close()
	if _, err := l.fetch(r.in, []*field{&values}, []bool{true}); err != nil {
		return err
	}
	raw, err := l.load(&values, -1)
	if err != nil {
		return fmt.Errorf("the dictionary of column %q: %w", values.name, err)
	}
	defer raw.release()
	if raw.n > maxElements {
		return fmt.Errorf("the dictionary of column %q has more than %d values", values.name, maxElements)
	}
	a, err := rows{raw, 0, raw.n}.array(r.scan.Alloc, false)
	if err != nil {
		return err
	}
	old := r.dicts[id]
	switch {
	case old != nil && delta:
		defer a.Release()
		defer old.Release()
		if old.Len()+a.Len() > maxElements {
			r.dicts[id] = nil
			return fmt.Errorf("the dictionary of column %q has more than %d values", values.name, maxElements)
		}
		r.dicts[id], err = vec.Concat(r.scan.Alloc, []arrow.Array{old, a})
		if err != nil {
			delete(r.dicts, id)
		}
		return err
	case old != nil && !replace:
		a.Release()
		return fmt.Errorf("the dictionary of column %q is there twice", values.name)
	case old != nil:
		old.Release()
	}
	r.dicts[id] = a
	return nil
}
