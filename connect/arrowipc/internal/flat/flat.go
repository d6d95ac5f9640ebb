// Package flat looks into FlatBuffers, in which Arrow keeps its metadata,
// without trusting them: every offset is checked before it is followed, and
// what does not fit reads as absent and leaves an error. Nothing is copied.
package flat

import (
	"encoding/binary"
	"errors"
)

// ErrDamaged means that an offset leads out of the buffer.
var ErrDamaged = errors.New("metadata is damaged")

// Buffer is a FlatBuffer. Its first error sticks.
type Buffer struct {
	b   []byte
	err error
}

// New returns a buffer over b.
func New(b []byte) *Buffer { return &Buffer{b: b} }

// Err is what went wrong first.
func (f *Buffer) Err() error { return f.err }

func (f *Buffer) fail() { f.err = ErrDamaged }

// has reports whether n bytes lie at pos.
func (f *Buffer) has(pos, n int) bool {
	if pos < 0 || n < 0 || pos > len(f.b) || n > len(f.b)-pos {
		f.fail()
		return false
	}
	return true
}

func (f *Buffer) u32(pos int) int {
	if !f.has(pos, 4) {
		return 0
	}
	return int(binary.LittleEndian.Uint32(f.b[pos:]))
}

// Root returns the root table.
func (f *Buffer) Root() Table { return f.table(0) }

// table follows the offset at pos.
func (f *Buffer) table(pos int) Table {
	at := pos + f.u32(pos)
	if f.err != nil || !f.has(at, 4) {
		return Table{}
	}
	vt := at - int(int32(f.u32(at)))
	if !f.has(vt, 4) {
		return Table{}
	}
	n := int(binary.LittleEndian.Uint16(f.b[vt:]))
	if n < 4 || !f.has(vt, n) {
		f.fail()
		return Table{}
	}
	return Table{f: f, pos: at, vtable: f.b[vt : vt+n]}
}

// Table is a table of fields by number. The zero Table has none.
type Table struct {
	f      *Buffer
	pos    int
	vtable []byte
}

// IsZero reports an absent table.
func (t Table) IsZero() bool { return t.f == nil }

// field returns where field id lies, if it is there and n bytes long at least.
func (t Table) field(id, n int) (int, bool) {
	at := 4 + 2*id
	if t.f == nil || at+2 > len(t.vtable) {
		return 0, false
	}
	off := int(binary.LittleEndian.Uint16(t.vtable[at:]))
	if off == 0 || !t.f.has(t.pos+off, n) {
		return 0, false
	}
	return t.pos + off, true
}

// Int8 returns a field of one byte.
func (t Table) Int8(id int, absent int8) int8 {
	if p, ok := t.field(id, 1); ok {
		return int8(t.f.b[p])
	}
	return absent
}

// Bool returns a boolean field.
func (t Table) Bool(id int) bool { return t.Int8(id, 0) != 0 }

// Int16 returns a field of two bytes.
func (t Table) Int16(id int, absent int16) int16 {
	if p, ok := t.field(id, 2); ok {
		return int16(binary.LittleEndian.Uint16(t.f.b[p:]))
	}
	return absent
}

// Int32 returns a field of four bytes.
func (t Table) Int32(id int, absent int32) int32 {
	if p, ok := t.field(id, 4); ok {
		return int32(binary.LittleEndian.Uint32(t.f.b[p:]))
	}
	return absent
}

// Int64 returns a field of eight bytes.
func (t Table) Int64(id int, absent int64) int64 {
	if p, ok := t.field(id, 8); ok {
		return int64(binary.LittleEndian.Uint64(t.f.b[p:]))
	}
	return absent
}

// Table returns a field that is a table.
func (t Table) Table(id int) Table {
	if p, ok := t.field(id, 4); ok {
		return t.f.table(p)
	}
	return Table{}
}

// String returns a field of text.
func (t Table) String(id int) string { return string(t.Vector(id, 1).raw) }

// Vector is a list of elements of one size.
type Vector struct {
	f    *Buffer
	pos  int
	raw  []byte
	size int
}

// Vector returns a field that is a list, each element of size bytes.
func (t Table) Vector(id, size int) Vector {
	p, ok := t.field(id, 4)
	if !ok {
		return Vector{}
	}
	at := p + t.f.u32(p)
	n := t.f.u32(at)
	if t.f.err != nil || n > len(t.f.b)/size || !t.f.has(at+4, n*size) {
		t.f.fail()
		return Vector{}
	}
	return Vector{f: t.f, pos: at + 4, raw: t.f.b[at+4 : at+4+n*size], size: size}
}

// Len returns the number of elements.
func (v Vector) Len() int {
	if v.size == 0 {
		return 0
	}
	return len(v.raw) / v.size
}

// Int64 returns eight bytes at an offset within element i.
func (v Vector) Int64(i, off int) int64 {
	return int64(binary.LittleEndian.Uint64(v.raw[i*v.size+off:]))
}

// Int32 returns four bytes at an offset within element i.
func (v Vector) Int32(i, off int) int32 {
	return int32(binary.LittleEndian.Uint32(v.raw[i*v.size+off:]))
}

// Table returns element i of a list of tables, whose elements have four bytes.
func (v Vector) Table(i int) Table { return v.f.table(v.pos + 4*i) }
