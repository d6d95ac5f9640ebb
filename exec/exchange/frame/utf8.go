package frame

import (
	"math/bits"
	"unicode/utf8"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
)

// utf8State is what is known of a text as a whole.
type utf8State uint8

const (
	unseen utf8State = iota
	ascii
	valid
	mixed // there are faults, maybe only between the values that are referred to
)

const highBits = 0x8080808080808080

// isASCII looks at 32 bytes at a time, as texts are long.
func isASCII(b []byte) bool {
	w := recast.Slice[[4]uint64](b)
	for i := range w {
		if (w[i][0]|w[i][1]|w[i][2]|w[i][3])&highBits != 0 {
			return false
		}
	}
	return recast.IsASCII(b[len(w)*32:])
}

func (t *passage) look() utf8State {
	if t.state == unseen {
		switch {
		case isASCII(t.bytes):
			t.state = ascii
		case utf8.Valid(t.bytes):
			t.state = valid
		default:
			t.state, t.faults = mixed, findFaults(t.bytes)
		}
	}
	return t.state
}

// holds reports whether a value of more than three bytes is valid UTF-8. The
// text was looked at once, and only the value's ends are looked at again: a peer
// that refers to the same text over and over has to be no burden.
func (t *passage) holds(off, end int) bool {
	if t.look() == ascii {
		return true
	}
	if !utf8.RuneStart(t.bytes[off]) {
		return false
	}
	last := end - 1 // where the last rune begins
	for last > end-utf8.UTFMax && !utf8.RuneStart(t.bytes[last]) {
		last--
	}
	return utf8.Valid(t.bytes[last:end]) && (t.state == valid || t.faults.before(last) == t.faults.before(off))
}

// faults is where a text is not UTF-8: a bit for each byte, and how many there
// are before each group of eight words. Every byte that can begin a rune is one
// at which the search arrives, however it began, so that what it finds between
// two of them is what is wrong with the bytes between.
type faults struct {
	words []uint64
	sums  []uint32
}

func findFaults(b []byte) *faults {
	f := &faults{words: make([]uint64, len(b)/64+1)}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			f.words[i/64] |= 1 << (i % 64)
		}
		i += size
	}
	sum := 0
	for i, w := range f.words {
		if i%8 == 0 {
			f.sums = append(f.sums, uint32(sum))
		}
		sum += bits.OnesCount64(w)
	}
	return f
}

// before counts the faults before byte i.
func (f *faults) before(i int) int {
	w := i / 64
	n := int(f.sums[w/8])
	for _, x := range f.words[w/8*8 : w] {
		n += bits.OnesCount64(x)
	}
	return n + bits.OnesCount64(f.words[w]&(1<<(i%64)-1))
}
