package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/vec"
)

func errSlot(slot int, what string) error { return fmt.Errorf("dictionary %d: %s", slot, what) }

// views reads a column of views and checks that every one is as the engine
// relies on, NULL or not: within its buffer, beginning as it says, short ones
// padded with zeros.
func (s *section) views(b *pending) error {
	named, err := s.number(maxTexts)
	if err != nil {
		return err
	}
	if named > len(s.describe) {
		return errDescription
	}
	refs := make([]*passage, named)
	b.bufs = append(append(make([]*memory.Buffer, 0, 2+named), b.bufs...), nil) // the views come behind
	for i := range refs {
		b.bufs = append(b.bufs, nil)
		r, err := s.number(len(s.texts))
		if err != nil {
			return err
		}
		if r > 0 {
			refs[i] = &s.texts[r-1]
			b.bufs[2+i] = refs[i].buf
			b.bufs[2+i].Retain()
		}
	}
	heads, err := s.take(b.n * recast.ViewSize)
	if err != nil {
		return err
	}
	b.bufs[1] = heads
	return checkViews(recast.Slice[head16](heads.Bytes()), refs, b.c.utf8)
}

func checkViews(heads []head16, refs []*passage, utf bool) error {
	for i := range heads {
		h := &heads[i]
		size := h.size()
		if size <= recast.InlineMax {
			if h[0]>>32>>(8*min(size, 4)) != 0 || h[1]>>(8*(max(size, 4)-4)) != 0 {
				return fmt.Errorf("row %d: a short text is not padded", i)
			}
			if utf && (h[0]>>32<<32|h[1])&highBits != 0 {
				var v [16]byte
				binary.LittleEndian.PutUint64(v[:], h[0])
				binary.LittleEndian.PutUint64(v[8:], h[1])
				if !utf8.Valid(v[4 : 4+size]) {
					return errUTF8(i)
				}
			}
			continue
		}
		b := h.buf()
		if uint64(b) >= uint64(len(refs)) || refs[b] == nil {
			return fmt.Errorf("row %d: it refers to a buffer that is not there", i)
		}
		t, off := refs[b], uint64(h.off())
		end := off + uint64(size)
		if end > uint64(len(t.bytes)) {
			return fmt.Errorf("row %d: it refers to bytes that are not there", i)
		}
		if binary.LittleEndian.Uint32(t.bytes[off:]) != h.prefix() {
			return fmt.Errorf("row %d: it begins otherwise than it says", i)
		}
		if utf && !t.holds(int(off), int(end)) {
			return errUTF8(i)
		}
	}
	return nil
}

func errUTF8(row int) error { return fmt.Errorf("row %d: it is not valid UTF-8", row) }

// checkCodes looks for codes beyond a dictionary of n values. Under NULL there may be any.
func checkCodes(b *pending, n uint32) error {
	codes := recast.Slice[uint32](b.bufs[1].Bytes())
	if b.nulls == 0 {
		if len(codes) > 0 && greatest(codes) >= n {
			return errors.New("a code is beyond its dictionary")
		}
		return nil
	}
	null := vec.Bitmap(b.bufs[0].Bytes())
	for i, c := range codes {
		if c >= n && null.Valid(i) {
			return fmt.Errorf("row %d: its code is beyond its dictionary", i)
		}
	}
	return nil
}

// greatest keeps several maxima, so that none waits for the one before.
func greatest(codes []uint32) uint32 {
	var a, b, c, d uint32
	for ; len(codes) >= 4; codes = codes[4:] {
		a, b, c, d = max(a, codes[0]), max(b, codes[1]), max(c, codes[2]), max(d, codes[3])
	}
	for _, x := range codes {
		a = max(a, x)
	}
	return max(a, b, c, d)
}
