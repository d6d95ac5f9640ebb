package recast

import (
	"unicode/utf8"
	"unsafe"
)

// View is a value of a view array: its length, then either up to twelve bytes,
// or the first four, the number of a buffer and where in it the value lies.
type View struct {
	Size   int32
	prefix [4]byte
	Buf    int32
	Off    int32
}

const (
	// InlineMax is the longest value that lies in its view.
	InlineMax = 12
	// ViewSize is the bytes of a view.
	ViewSize = int(unsafe.Sizeof(View{}))
	// DictShare is which part of a batch's rows a dictionary may have as many
	// values as: a larger one would cost those who work on its values more than
	// it saves.
	DictShare = 2
)

// ViewOf returns the view of a value that lies at off of buffer buf.
func ViewOf(v []byte, buf, off int32) View {
	w := View{Size: int32(len(v))}
	if len(v) <= InlineMax {
		copy(w.Inline(), v)
		return w
	}
	copy(w.prefix[:], v)
	w.Buf, w.Off = buf, off
	return w
}

// Inline returns the bytes that hold a short value; they are those of the view.
func (v *View) Inline() []byte { return unsafe.Slice(&v.prefix[0], InlineMax) }

// Slice reads bytes as values, which share their memory; bytes left over are cut.
func Slice[T any](b []byte) []T {
	var t T
	n := len(b) / int(unsafe.Sizeof(t))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// IsASCII reports whether b holds nothing but ASCII, and so valid UTF-8.
func IsASCII(b []byte) bool {
	for len(b) >= 8 {
		if *(*uint64)(unsafe.Pointer(&b[0]))&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
