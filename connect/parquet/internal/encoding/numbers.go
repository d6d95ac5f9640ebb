package encoding

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// ErrCode means that a value stands for none of its dictionary.
var ErrCode = errors.New("a code is beyond the end of the dictionary")

// Fixed is a Go type with the memory of a stored number.
type Fixed interface {
	int32 | int64 | float32 | float64
}

// Numbers decodes the values of pages that are stored as T.
type Numbers[T Fixed] struct {
	dict  []T
	enc   meta.Encoding
	plain []byte // what is left; or all, split
	codes Hybrid
	delta Delta
	split int // values in all, of a byte stream split
	at    int // values returned of them
	idx   []int32
}

func size[T any]() int {
	var t T
	return int(unsafe.Sizeof(t))
}

// Dictionary takes n plain values as the dictionary; data is copied.
func (p *Numbers[T]) Dictionary(data []byte, n int) error {
	if n < 0 || n > len(data)/size[T]() {
		return ErrEnd
	}
	p.dict = make([]T, n)
	copyPlain(p.dict, data)
	return nil
}

// copyPlain fills dst from little-endian bytes, the order of this machine.
func copyPlain[T any](dst []T, data []byte) {
	if len(dst) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*size[T]()), data)
	}
}

// Page starts on the values of a page, which must stay until the next.
func (p *Numbers[T]) Page(enc meta.Encoding, data []byte) error {
	p.enc, p.plain = enc, data
	switch enc {
	case meta.Plain:
		return nil
	case meta.PlainDictionary, meta.RLEDictionary:
		return Codes(&p.codes, data, p.dict != nil)
	case meta.DeltaBinaryPacked:
		var t T
		switch any(t).(type) {
		case int32, int64:
			_, err := p.delta.Reset(data)
			return err
		}
	case meta.ByteStreamSplit:
		p.split, p.at = len(data)/size[T](), 0
		return nil
	}
	return Unknown(enc)
}

// Codes starts on the codes of a page: a byte with their width, then runs.
func Codes(h *Hybrid, data []byte, hasDict bool) error {
	if !hasDict {
		return errors.New("the page refers to a dictionary that is not there")
	}
	if len(data) == 0 { // a page of NULLs
		return h.Reset(data, 0)
	}
	return h.Reset(data[1:], int(data[0]))
}

// Unknown is the error for an encoding that the type of a column does not have.
func Unknown(enc meta.Encoding) error {
	return fmt.Errorf("the page has encoding %d, which is not known for this type", enc)
}

// Read fills dst with the next values.
func (p *Numbers[T]) Read(dst []T) error {
	switch p.enc {
	case meta.PlainDictionary, meta.RLEDictionary:
		return p.gather(dst)
	case meta.DeltaBinaryPacked:
		switch dst := any(dst).(type) {
		case []int32:
			return DecodeDelta(&p.delta, dst)
		case []int64:
			return DecodeDelta(&p.delta, dst)
		}
	case meta.ByteStreamSplit:
		if len(dst) > p.split-p.at {
			return ErrEnd
		}
		join(dst, p.plain, p.split, p.at)
		p.at += len(dst)
		return nil
	}
	n := len(dst) * size[T]()
	if n > len(p.plain) {
		return ErrEnd
	}
	copyPlain(dst, p.plain[:n])
	p.plain = p.plain[n:]
	return nil
}

func (p *Numbers[T]) gather(dst []T) error {
	for len(dst) > 0 {
		code, n, err := p.codes.Run()
		if err != nil {
			return err
		}
		if n > 0 {
			if int64(code) >= int64(len(p.dict)) {
				return ErrCode
			}
			n = min(n, len(dst))
			v := p.dict[code]
			for i := range dst[:n] {
				dst[i] = v
			}
			if err := p.codes.Skip(n); err != nil {
				return err
			}
			dst = dst[n:]
			continue
		}
		n = min(p.codes.group, len(dst))
		if cap(p.idx) < n {
			p.idx = make([]int32, max(n, 1024))
		}
		idx := p.idx[:n]
		if err := Decode(&p.codes, idx); err != nil {
			return err
		}
		dict := p.dict
		for i, c := range idx {
			if uint(c) >= uint(len(dict)) {
				return ErrCode
			}
			dst[i] = dict[c]
		}
		dst = dst[n:]
	}
	return nil
}

// join puts together values whose bytes lie apart: all first bytes, then all second ones.
func join[T any](dst []T, data []byte, n, at int) {
	w := size[T]()
	for i := range dst {
		var v [8]byte
		for b := range w {
			v[b] = data[b*n+at+i]
		}
		dst[i] = *(*T)(unsafe.Pointer(&v))
	}
}

// Skip passes over n values.
func (p *Numbers[T]) Skip(n int) error {
	switch p.enc {
	case meta.PlainDictionary, meta.RLEDictionary:
		return p.codes.Skip(n)
	case meta.DeltaBinaryPacked:
		return SkipDelta(&p.delta, n)
	case meta.ByteStreamSplit:
		if n > p.split-p.at {
			return ErrEnd
		}
		p.at += n
		return nil
	}
	if n > len(p.plain)/size[T]() {
		return ErrEnd
	}
	p.plain = p.plain[n*size[T]():]
	return nil
}

// Bools decodes BOOLEAN pages to bytes of 0 and 1.
type Bools struct {
	rle  bool
	runs Hybrid
	bits []byte
	at   int
}

// Page starts on the values of a page.
func (p *Bools) Page(enc meta.Encoding, data []byte) error {
	switch enc {
	case meta.Plain:
		*p = Bools{bits: data}
		return nil
	case meta.RLE:
		if len(data) == 0 { // a page of NULLs
			*p = Bools{}
			return nil
		}
		if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
			return ErrEnd
		}
		p.rle = true
		return p.runs.Reset(data[4:4+binary.LittleEndian.Uint32(data)], 1)
	}
	return Unknown(enc)
}

// Read fills dst.
func (p *Bools) Read(dst []uint8) error {
	if p.rle {
		return Decode(&p.runs, dst)
	}
	if len(dst) > len(p.bits)*8-p.at {
		return ErrEnd
	}
	for i := range dst {
		dst[i] = p.bits[p.at>>3] >> (p.at & 7) & 1
		p.at++
	}
	return nil
}

// Skip passes over n values.
func (p *Bools) Skip(n int) error {
	if p.rle {
		return p.runs.Skip(n)
	}
	if n > len(p.bits)*8-p.at {
		return ErrEnd
	}
	p.at += n
	return nil
}
