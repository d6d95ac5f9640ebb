package frame

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/vec"
)

// How many dictionaries, and bytes of them, each end remembers. Which are
// forgotten the encoder decides, and says.
const (
	maxDictionaries   = 64
	maxDictionaryMass = 64 << 20
)

// told is what an encoder knows the other end to remember.
type told struct {
	all   []*teller
	mass  int64
	frame int64 // the number of the frame that is being made
}

// teller is a dictionary that the encoder has met. It holds the values, so that
// no other can come to lie where they are.
type teller struct {
	values arrow.Array
	slot   int // its number, at both ends
	told   bool
	rows   int // that could have been codes of it, until it was told
	mass   int64
	frame  int64 // that last had it
}

// find returns the dictionary of d, or nil if its rows should rather travel as
// views: until they are as many as the dictionary has values, so that it costs
// no more than twice what the better of both would have.
func (t *told) find(p *preparation, d *array.Dictionary) *teller {
	values := d.Dictionary()
	if d.Len() == 0 || values.Len() == 0 || nullsOf(values) > 0 {
		return nil
	}
	k := t.lookup(values)
	if k == nil {
		k = t.meet(p, values)
	}
	if k == nil {
		return nil
	}
	k.frame = t.frame
	if k.rows = min(k.rows+d.Len(), values.Len()); !k.told && k.rows < values.Len() {
		return nil
	}
	return k
}

func (t *told) lookup(values arrow.Array) *teller {
	for _, k := range t.all {
		if vec.SameValues(k.values, values) {
			return k
		}
	}
	return nil
}

// meet makes room for a dictionary that is new. It returns nil if there is none:
// the dictionaries of the frame at hand must stay.
func (t *told) meet(p *preparation, values arrow.Array) *teller {
	// No more than this many bytes of it can travel.
	mass := vec.Bytes(values) + int64(values.Len())*16 + int64(len(values.Data().Buffers()))*8 + 64
	if mass > maxDictionaryMass || values.Len() > MaxRows {
		return nil
	}
	for len(t.all) >= maxDictionaries || t.mass+mass > maxDictionaryMass {
		oldest := -1
		for i, k := range t.all {
			if k.frame != t.frame && (oldest < 0 || k.frame < t.all[oldest].frame) {
				oldest = i
			}
		}
		if oldest < 0 {
			return nil
		}
		k := t.all[oldest]
		if k.told {
			p.forget = append(p.forget, k.slot)
		}
		t.mass -= k.mass
		k.values.Release()
		t.all = append(t.all[:oldest], t.all[oldest+1:]...)
	}
	values.Retain()
	k := &teller{values: values, slot: t.free(), mass: mass}
	t.all, t.mass = append(t.all, k), t.mass+mass
	return k
}

// free returns a slot that no dictionary has.
func (t *told) free() int {
	var taken [maxDictionaries]bool
	for _, k := range t.all {
		taken[k.slot] = true
	}
	slot := 0
	for taken[slot] {
		slot++
	}
	return slot
}

func (t *told) release() {
	for _, k := range t.all {
		k.values.Release()
	}
	*t = told{frame: t.frame}
}

// heard is what a decoder remembers: by slot, values that own their memory.
type heard struct {
	slots [maxDictionaries]struct {
		values *array.Data
		of     *column // whose type the values have
		mass   int64
	}
	mass int64
}

func (h *heard) forget(slot int) bool {
	s := &h.slots[slot]
	if s.values == nil {
		return false
	}
	s.values.Release()
	h.mass -= s.mass
	s.values, s.of, s.mass = nil, nil, 0
	return true
}

func (h *heard) release() {
	for i := range h.slots {
		h.forget(i)
	}
}
