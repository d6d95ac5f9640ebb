package frame

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/vec"
)

// head16 is a view as two numbers: length and prefix, then the number of a
// buffer and where in it the text begins; or a length and up to twelve bytes.
type head16 [2]uint64

func (h *head16) size() uint32   { return uint32(h[0]) }
func (h *head16) prefix() uint32 { return uint32(h[0] >> 32) }
func (h *head16) buf() uint32    { return uint32(h[1]) }
func (h *head16) off() uint32    { return uint32(h[1] >> 32) }

func (h *head16) point(buf, off int) { h[1] = uint64(uint32(buf)) | uint64(uint32(off))<<32 }

// texts is the bytes that the views of a frame refer to, or those of a
// dictionary. A chunk of a file that several columns refer to is sent once; one
// of which they use less than half is not sent, but what they use of it: what
// travels is at most twice what is needed, and 1 KB for each buffer.
type texts struct {
	f     *Frame
	all   []source
	at    map[*byte]int // in all, by where the memory begins
	views []viewed
	sent  [][]byte
}

// source is memory that views refer to.
type source struct {
	bytes  []byte
	lo, hi int // what is referred to lies between
	need   int // how much that is, repetitions one after the other counted once
	number int // of the text it is sent as, from 1; 0: it is gathered
}

// viewed is a column of views.
type viewed struct {
	to    *part
	heads []head16
	from  []int32 // for each of its buffers the source, or -1
	named int     // buffers that are referred to
	valid vec.Validity
	dirty bool // there are views under NULL that are not empty
}

func newTexts(f *Frame) *texts { return &texts{f: f} }

// add looks at a column of views.
func (t *texts) add(to *part, a arrow.Array) {
	v := viewed{to: to, valid: vec.ValidityOf(a)}
	d := a.Data()
	to.values = values(d, recast.ViewSize)
	v.heads = recast.Slice[head16](to.values)
	bufs := d.Buffers()[2:]
	v.from = make([]int32, len(bufs))
	for i := range v.from {
		v.from[i] = -1
	}
	null := to.nulls > 0
	var s *source
	var before head16
	last := uint32(math.MaxUint32)
	for i := range v.heads {
		h := &v.heads[i]
		if null && v.valid.Null(i) {
			v.dirty = v.dirty || *h != head16{}
			continue
		}
		size := int(h.size())
		if size <= recast.InlineMax || *h == before {
			continue
		}
		before = *h
		if b := h.buf(); b != last {
			if v.from[b] < 0 {
				v.from[b] = t.source(bufs[b].Bytes())
				v.named++
			}
			s, last = &t.all[v.from[b]], b
		}
		off := int(h.off())
		s.lo, s.hi, s.need = min(s.lo, off), max(s.hi, off+size), s.need+size
	}
	t.views = append(t.views, v)
}

func (t *texts) source(b []byte) int32 {
	at := unsafe.SliceData(b)
	if i, ok := t.at[at]; ok {
		if len(b) > len(t.all[i].bytes) {
			t.all[i].bytes = b
		}
		return int32(i)
	}
	if t.at == nil {
		t.at = map[*byte]int{}
	}
	t.at[at] = len(t.all)
	t.all = append(t.all, source{bytes: b, lo: math.MaxInt})
	return int32(len(t.all) - 1)
}

// settle decides what is sent of each source, and makes the views refer to that.
func (t *texts) settle() error {
	whole := len(t.all) < maxTexts
	gather := 0
	for i := range t.all {
		s := &t.all[i]
		switch {
		case whole && (s.hi <= 2*s.need || s.hi <= smallPiece):
			s.lo = 0 // so that views need not change
		case whole && s.hi-s.lo <= 2*s.need:
		default:
			gather += s.need
			continue
		}
		t.sent = append(t.sent, s.bytes[s.lo:s.hi])
		s.number = len(t.sent)
	}
	if gather > MaxBytes {
		return fmt.Errorf("a batch of %d bytes of text is too large to be sent", gather)
	}
	gathered := t.f.scratch(gather)
	if gather > 0 {
		t.sent = append(t.sent, gathered)
	}
	used := 0
	for i := range t.views {
		used = t.views[i].settle(t, gathered, used)
	}
	if gather > 0 {
		t.sent[len(t.sent)-1] = gathered[:used] // what lies behind is not ours to show
	}
	return nil
}

// settle makes the views of a column refer to what is sent. Where they need not
// change they are sent as they are. It returns how much of gathered is in use.
func (v *viewed) settle(t *texts, gathered []byte, used int) int {
	same := !v.dirty && len(v.from) <= 8+2*v.named && len(v.from) <= maxTexts
	for _, i := range v.from {
		same = same && (i < 0 || t.all[i].number > 0 && t.all[i].lo == 0)
	}
	if same {
		v.to.refs = make([]int, len(v.from))
		for b, i := range v.from {
			if i >= 0 {
				v.to.refs[b] = t.all[i].number
			}
		}
		return used
	}
	v.to.values = t.f.scratch(len(v.heads) * recast.ViewSize)
	heads := recast.Slice[head16](v.to.values)
	buf := make([]int32, len(t.sent)) // of each text, from 1
	refer := func(text int) int {
		if buf[text-1] == 0 {
			v.to.refs = append(v.to.refs, text)
			buf[text-1] = int32(len(v.to.refs))
		}
		return int(buf[text-1]) - 1
	}
	null := v.to.nulls > 0
	var was, became head16 // the last that was gathered: joins repeat rows
	for i := range v.heads {
		h := v.heads[i]
		switch {
		case null && v.valid.Null(i):
			h = head16{}
		case h.size() > recast.InlineMax:
			s := &t.all[v.from[h.buf()]]
			switch {
			case s.number > 0:
				h.point(refer(s.number), int(h.off())-s.lo)
			case h == was:
				h = became
			default:
				was = h
				n := copy(gathered[used:], s.bytes[h.off():][:h.size()])
				h.point(refer(len(t.sent)), used)
				used += n
				became = h
			}
		}
		heads[i] = h
	}
	return used
}
