package frame

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// TestUTF8 compares every value of many texts, valid and not, with what it is alone.
func TestUTF8(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	scraps := []string{"a", "plain text", "é", "日本", "😀", "\x80", "\xff", "\xe6\x97", "\xf0\x9f\x98", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\uFFFD"}
	for round := range 400 {
		var b []byte
		for range 1 + r.IntN(60) {
			k := len(scraps)
			if round%2 == 0 {
				k = 5 // valid ones
			}
			b = append(b, scraps[r.IntN(k)]...)
		}
		p := &passage{bytes: b}
		for off := range b {
			for end := off + utf8.UTFMax; end <= len(b); end++ {
				if got, want := p.holds(off, end), utf8.Valid(b[off:end]); got != want {
					t.Fatalf("%q of %q: %v", b[off:end], b, got)
				}
			}
		}
	}
}
