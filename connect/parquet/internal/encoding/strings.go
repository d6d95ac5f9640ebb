package encoding

import (
	"encoding/binary"
	"fmt"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// Span is where a value lies in the bytes that hold it.
type Span struct{ Off, Len int32 }

// maxArena bounds what front-coded values of one Read may expand to.
const maxArena = 128 << 20

// Strings decodes byte strings, of any length or of a fixed one.
type Strings struct {
	width int // of every value; 0: each has its own
	enc   meta.Encoding
	data  []byte
	pos   int // of the next value

	split, at int // of a byte stream split, as in Numbers

	lens, prefixes Delta
	scratch        []int32
	last           []byte // the value before, which the next one may begin like
}

// SetWidth says how long every value is; 0: its length comes before it.
func (p *Strings) SetWidth(width int) { p.width = width }

// Page starts on the values of a page, which must stay until the next; at most
// n of them are wanted. Codes are not for it.
func (p *Strings) Page(enc meta.Encoding, data []byte, n int) error {
	p.enc, p.data, p.pos = enc, data, 0
	switch enc {
	case meta.Plain:
		return nil
	case meta.ByteStreamSplit:
		if p.width == 0 {
			break
		}
		p.split, p.at = len(data)/p.width, 0
		return nil
	case meta.DeltaLengthByteArray:
		end, err := lengths(&p.lens, data, n)
		p.pos = end
		return err
	case meta.DeltaByteArray:
		p.last = p.last[:0]
		mid, err := lengths(&p.prefixes, data, n)
		if err != nil {
			return err
		}
		if p.prefixes.left == 0 { // nothing but NULLs: what follows does not matter, and some leave rubbish there
			p.lens = Delta{}
			return nil
		}
		end, err := lengths(&p.lens, data[mid:], n)
		p.pos = mid + end
		return err
	}
	return Unknown(enc)
}

// lengths starts on a list of lengths and returns where it ends, which only
// passing over it can tell. The list is not kept: it may be longer than memory.
func lengths(d *Delta, data []byte, n int) (int, error) {
	count, err := d.Reset(data)
	if err != nil {
		return 0, err
	}
	if count > n {
		return 0, fmt.Errorf("the page has %d lengths for %d values", count, n)
	}
	if err := SkipDelta(d, count); err != nil {
		return 0, err
	}
	end := d.End()
	_, err = d.Reset(data)
	return end, err
}

// Read finds the next values. They lie in the page's data, unless arena is not
// nil: alloc has then made it, and they lie there.
func (p *Strings) Read(dst []Span, alloc func(n int) []byte) (arena []byte, err error) {
	switch p.enc {
	case meta.DeltaLengthByteArray:
		return nil, p.byLength(dst)
	case meta.DeltaByteArray:
		return p.frontCoded(dst, alloc)
	case meta.ByteStreamSplit:
		return p.unsplit(dst, alloc)
	}
	if p.width > 0 {
		if len(dst) > (len(p.data)-p.pos)/p.width {
			return nil, ErrEnd
		}
		for i := range dst {
			dst[i] = Span{int32(p.pos), int32(p.width)}
			p.pos += p.width
		}
		return nil, nil
	}
	pos, data := p.pos, p.data
	for i := range dst {
		if len(data)-pos < 4 {
			return nil, ErrEnd
		}
		n := binary.LittleEndian.Uint32(data[pos:])
		pos += 4
		if int64(n) > int64(len(data)-pos) {
			return nil, ErrEnd
		}
		dst[i] = Span{int32(pos), int32(n)}
		pos += int(n)
	}
	p.pos = pos
	return nil, nil
}

func (p *Strings) ints(n int) []int32 {
	if cap(p.scratch) < n {
		p.scratch = make([]int32, n)
	}
	return p.scratch[:n]
}

func (p *Strings) byLength(dst []Span) error {
	lens := p.ints(len(dst))
	if err := DecodeDelta(&p.lens, lens); err != nil {
		return err
	}
	for i, n := range lens {
		if n < 0 || int(n) > len(p.data)-p.pos {
			return ErrEnd
		}
		dst[i] = Span{int32(p.pos), n}
		p.pos += int(n)
	}
	return nil
}

// frontCoded puts together values that are stored as what they share with the
// one before and the rest.
func (p *Strings) frontCoded(dst []Span, alloc func(n int) []byte) ([]byte, error) {
	both := p.ints(2 * len(dst))
	shared, rest := both[:len(dst)], both[len(dst):]
	if err := DecodeDelta(&p.prefixes, shared); err != nil {
		return nil, err
	}
	if err := DecodeDelta(&p.lens, rest); err != nil {
		return nil, err
	}
	total, before, pos := 0, len(p.last), p.pos
	for i := range dst {
		if shared[i] < 0 || int(shared[i]) > before || rest[i] < 0 || int(rest[i]) > len(p.data)-pos {
			return nil, ErrEnd
		}
		before = int(shared[i]) + int(rest[i])
		pos += int(rest[i])
		if total += before; total > maxArena {
			return nil, fmt.Errorf("values that share beginnings expand to more than %d MB", maxArena>>20)
		}
	}
	arena := alloc(total)
	at, last := 0, p.last
	for i := range dst {
		v := arena[at : at+int(shared[i])+int(rest[i])]
		copy(v, last[:shared[i]])
		copy(v[shared[i]:], p.data[p.pos:])
		p.pos += int(rest[i])
		dst[i] = Span{int32(at), int32(len(v))}
		at, last = at+len(v), v
	}
	p.last = append(p.last[:0], last...)
	return arena, nil
}

func (p *Strings) unsplit(dst []Span, alloc func(n int) []byte) ([]byte, error) {
	if len(dst) > p.split-p.at {
		return nil, ErrEnd
	}
	arena := alloc(len(dst) * p.width)
	for i := range dst {
		for b := range p.width {
			arena[i*p.width+b] = p.data[b*p.split+p.at]
		}
		p.at++
		dst[i] = Span{int32(i * p.width), int32(p.width)}
	}
	return arena, nil
}

// Skip passes over n values.
func (p *Strings) Skip(n int) error {
	switch {
	case p.enc == meta.ByteStreamSplit:
		if n > p.split-p.at {
			return ErrEnd
		}
		p.at += n
		return nil
	case p.enc == meta.Plain && p.width > 0:
		if n > (len(p.data)-p.pos)/p.width {
			return ErrEnd
		}
		p.pos += n * p.width
		return nil
	}
	var spans [256]Span
	for n > 0 {
		k := min(n, len(spans))
		if _, err := p.Read(spans[:k], func(n int) []byte { return make([]byte, n) }); err != nil {
			return err
		}
		n -= k
	}
	return nil
}
