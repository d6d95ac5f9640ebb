// Package thrift reads and writes Thrift's compact protocol, in which Parquet
// keeps its footer and page headers. It works on bytes in memory and trusts
// none of them: what a list or string declares is compared with the bytes that
// are left before anything is done about it.
package thrift

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Type is how a value is encoded.
type Type byte

// The types of the compact protocol. As fields, booleans carry their value in the type.
const (
	Stop   Type = 0
	True   Type = 1
	False  Type = 2
	I8     Type = 3
	I16    Type = 4
	I32    Type = 5
	I64    Type = 6
	Double Type = 7
	Binary Type = 8
	List   Type = 9
	Set    Type = 10
	Map    Type = 11
	Struct Type = 12
	UUID   Type = 13
)

// ErrShort means that the bytes end within a value: more of them may help.
var ErrShort = errors.New("metadata is cut off")

// maxDepth bounds nesting, which the format itself keeps below ten.
const maxDepth = 32

// Reader takes values off a slice. The first error sticks: every later call
// returns zero values, so that callers look at Err once, in the end. What it
// returns may point into the slice.
type Reader struct {
	b     []byte
	pos   int
	depth int
	err   error
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is what went wrong first.
func (r *Reader) Err() error { return r.err }

// Pos is how many bytes have been taken.
func (r *Reader) Pos() int { return r.pos }

// Fail makes err the reader's error unless it has one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *Reader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.pos >= len(r.b) {
		r.err = ErrShort
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *Reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b[r.pos:])
	switch {
	case n == 0:
		r.err = ErrShort
		return 0
	case n < 0:
		r.err = errors.New("metadata holds a number of more than 64 bits")
		return 0
	}
	r.pos += n
	return v
}

func (r *Reader) zigzag() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Int reads an integer of the given type; any other type is an error.
func (r *Reader) Int(t Type) int64 {
	switch t {
	case I8:
		return int64(int8(r.byte()))
	case I16, I32, I64:
		return r.zigzag()
	}
	r.mismatch(t, "a number")
	return 0
}

// Int32 is Int where only 32 bits are allowed.
func (r *Reader) Int32(t Type) int32 {
	v := r.Int(t)
	if v != int64(int32(v)) {
		r.Fail(fmt.Errorf("metadata holds %d where 32 bits are the most", v))
	}
	return int32(v)
}

// Bool reads a boolean field, whose value is its type.
func (r *Reader) Bool(t Type) bool {
	if t != True && t != False {
		r.mismatch(t, "a boolean")
	}
	return t == True
}

// Bytes reads a string; it shares the reader's memory.
func (r *Reader) Bytes(t Type) []byte {
	if t != Binary {
		r.mismatch(t, "a string")
		return nil
	}
	n := r.uvarint()
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.b)-r.pos) {
		r.err = ErrShort
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos : r.pos]
}

// Fields calls f with each field of a struct; f reads or skips its value.
func (r *Reader) Fields(t Type, f func(id int16, t Type)) {
	if t != Struct {
		r.mismatch(t, "a structure")
		return
	}
	if !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	var id int16
	for {
		h := r.byte()
		if r.err != nil || Type(h&15) == Stop {
			return
		}
		if delta := int16(h >> 4); delta != 0 {
			id += delta
		} else {
			id = int16(r.zigzag())
		}
		f(id, Type(h&15))
		if r.err != nil {
			return
		}
	}
}

// Elements calls f for each element of a list, which f reads or skips.
func (r *Reader) Elements(t Type, f func(t Type)) {
	if t != List && t != Set {
		r.mismatch(t, "a list")
		return
	}
	elem, n := r.ListHeader()
	if !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	for range n {
		f(elem)
		if r.err != nil {
			return
		}
	}
}

// ListHeader reads the head of a list. There are at least n bytes after it.
func (r *Reader) ListHeader() (elem Type, n int) {
	h := r.byte()
	size := uint64(h >> 4)
	if size == 15 {
		size = r.uvarint()
	}
	if r.err == nil && size > uint64(len(r.b)-r.pos) { // an element has a byte at least
		r.err = ErrShort
	}
	if r.err != nil {
		return 0, 0
	}
	return Type(h & 15), int(size)
}

// Raw skips a value and returns its bytes.
func (r *Reader) Raw(t Type) []byte {
	from := r.pos
	r.Skip(t)
	return r.b[from:r.pos:r.pos]
}

// Skip passes over the value of a field.
func (r *Reader) Skip(t Type) {
	switch t {
	case True, False:
	case I8, I16, I32, I64:
		r.Int(t)
	case Double:
		r.jump(8)
	case UUID:
		r.jump(16)
	case Binary:
		r.Bytes(t)
	case List, Set:
		r.Elements(t, r.skipElement)
	case Map:
		r.skipMap()
	case Struct:
		r.Fields(t, func(_ int16, t Type) { r.Skip(t) })
	default:
		r.mismatch(t, "a known type")
	}
}

// skipElement differs from Skip in that booleans have a byte of their own.
func (r *Reader) skipElement(t Type) {
	if t == True || t == False {
		r.byte()
		return
	}
	r.Skip(t)
}

func (r *Reader) skipMap() {
	n := r.uvarint()
	if n == 0 || !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	kv := r.byte()
	if n > uint64(len(r.b)-r.pos) {
		r.Fail(ErrShort)
	}
	for ; n > 0 && r.err == nil; n-- {
		r.skipElement(Type(kv >> 4))
		r.skipElement(Type(kv & 15))
	}
}

func (r *Reader) jump(n int) {
	if r.err == nil && n > len(r.b)-r.pos {
		r.err = ErrShort
	}
	if r.err == nil {
		r.pos += n
	}
}

func (r *Reader) enter() bool {
	if r.err == nil && r.depth >= maxDepth {
		r.err = fmt.Errorf("metadata is nested deeper than %d", maxDepth)
	}
	if r.err == nil {
		r.depth++
	}
	return r.err == nil
}

func (r *Reader) mismatch(t Type, want string) {
	r.Fail(fmt.Errorf("metadata holds type %d where %s belongs", t, want))
}
