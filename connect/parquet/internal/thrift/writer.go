package thrift

import "encoding/binary"

// Writer appends values to Buf. Fields are written in ascending order of their
// numbers. It cannot fail.
type Writer struct {
	Buf  []byte
	last []int16 // the last field written, of each open struct
}

// Begin opens a struct: the top-level one, or an element of a list.
func (w *Writer) Begin() { w.last = append(w.last, 0) }

// End closes the struct opened last.
func (w *Writer) End() {
	w.Buf = append(w.Buf, byte(Stop))
	w.last = w.last[:len(w.last)-1]
}

func (w *Writer) field(id int16, t Type) {
	last := &w.last[len(w.last)-1]
	if d := id - *last; d > 0 && d < 16 {
		w.Buf = append(w.Buf, byte(d)<<4|byte(t))
	} else {
		w.Buf = append(w.Buf, byte(t))
		w.zigzag(int64(id))
	}
	*last = id
}

func (w *Writer) zigzag(v int64) {
	w.Buf = binary.AppendUvarint(w.Buf, uint64(v<<1)^uint64(v>>63))
}

// I32 writes a field of 32 bits.
func (w *Writer) I32(id int16, v int32) {
	w.field(id, I32)
	w.zigzag(int64(v))
}

// I64 writes a field of 64 bits.
func (w *Writer) I64(id int16, v int64) {
	w.field(id, I64)
	w.zigzag(v)
}

// I8 writes a field of 8 bits.
func (w *Writer) I8(id int16, v int8) {
	w.field(id, I8)
	w.Buf = append(w.Buf, byte(v))
}

// Bool writes a boolean field.
func (w *Writer) Bool(id int16, v bool) {
	if v {
		w.field(id, True)
		return
	}
	w.field(id, False)
}

// Bytes writes a string field.
func (w *Writer) Bytes(id int16, v []byte) {
	w.field(id, Binary)
	w.Element(v)
}

// Element writes a string as an element of a list.
func (w *Writer) Element(v []byte) {
	w.Buf = binary.AppendUvarint(w.Buf, uint64(len(v)))
	w.Buf = append(w.Buf, v...)
}

// Int writes an integer as an element of a list.
func (w *Writer) Int(v int64) { w.zigzag(v) }

// Struct opens a field that is a struct; End closes it.
func (w *Writer) Struct(id int16) {
	w.field(id, Struct)
	w.Begin()
}

// List begins a field that is a list of n elements, which follow.
func (w *Writer) List(id int16, elem Type, n int) {
	w.field(id, List)
	if n < 15 {
		w.Buf = append(w.Buf, byte(n)<<4|byte(elem))
		return
	}
	w.Buf = append(w.Buf, 0xf0|byte(elem))
	w.Buf = binary.AppendUvarint(w.Buf, uint64(n))
}

// I16 writes a field of 16 bits.
func (w *Writer) I16(id int16, v int16) {
	w.field(id, I16)
	w.zigzag(int64(v))
}
