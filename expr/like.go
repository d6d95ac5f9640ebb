package expr

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// likeMatcher is a compiled LIKE pattern. Matching is linear but for a pattern
// with many %, where it is at worst the length of the text times that of the
// pattern; there is no recursion.
type likeMatcher struct {
	kind  likeKind
	lit   []byte   // of the simple kinds
	parts [][]byte // of likeParts
	items []likeItem
	fold  bool
}

type likeKind uint8

const (
	likeExact    likeKind = iota // abc
	likePrefix                   // abc%
	likeSuffix                   // %abc
	likeContains                 // %abc%
	likeParts                    // abc%def%ghi: literals between %
	likeGeneral
)

// likeItem is one step of a general pattern: any text, any one character, or this one.
type likeItem struct {
	any, one bool
	r        rune
}

// compileLike reads a pattern. escape is the character that takes the meaning
// from the one after it, or negative for none.
func compileLike(pattern string, escape rune, fold bool) *likeMatcher {
	m := &likeMatcher{fold: fold}
	simple, percents := true, 0
	var lit []byte
	starts := []int{0} // of the literals between %, in lit
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		raw := pattern[i : i+size]
		i += size
		if r == escape && i < len(pattern) {
			r, size = utf8.DecodeRuneInString(pattern[i:])
			raw = pattern[i : i+size]
			i += size
		} else if r == '%' {
			if n := len(m.items); n == 0 || !m.items[n-1].any {
				m.items = append(m.items, likeItem{any: true})
				starts = append(starts, len(lit))
				percents++
			}
			continue
		} else if r == '_' {
			simple = false
			m.items = append(m.items, likeItem{one: true})
			continue
		}
		if r == utf8.RuneError && size == 1 {
			r = 0x110000 + rune(raw[0]) // a byte that is no UTF-8 matches itself
		} else if fold {
			r = foldRune(r)
		}
		lit = append(lit, raw...)
		m.items = append(m.items, likeItem{r: r})
	}
	m.kind = likeGeneral
	if !simple || fold {
		return m
	}
	n := len(m.items)
	switch {
	case percents == 0:
		m.kind = likeExact
	case percents == 1 && m.items[n-1].any:
		m.kind = likePrefix
	case percents == 1 && m.items[0].any:
		m.kind = likeSuffix
	case percents == 2 && m.items[0].any && m.items[n-1].any:
		m.kind = likeContains
	default:
		m.kind = likeParts
		for i, from := range starts {
			to := len(lit)
			if i+1 < len(starts) {
				to = starts[i+1]
			}
			m.parts = append(m.parts, lit[from:to])
		}
	}
	m.lit = lit
	return m
}

// foldRune is the least character that is r but for its case.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}

// match reports whether all of s is like the pattern.
func (m *likeMatcher) match(s []byte) bool {
	switch m.kind {
	case likeExact:
		return bytes.Equal(s, m.lit)
	case likePrefix:
		return bytes.HasPrefix(s, m.lit)
	case likeSuffix:
		return bytes.HasSuffix(s, m.lit)
	case likeContains:
		return bytes.Contains(s, m.lit)
	case likeParts:
		return m.inParts(s)
	}
	return m.general(s)
}

// inParts finds the literals one after the other, the first and the last at the ends.
func (m *likeMatcher) inParts(s []byte) bool {
	first, last := m.parts[0], m.parts[len(m.parts)-1]
	if len(s) < len(first)+len(last) || !bytes.HasPrefix(s, first) || !bytes.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, p := range m.parts[1 : len(m.parts)-1] {
		i := bytes.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// general walks text and pattern once; on a mismatch it goes back to the last %
// only, and lets it take one character more.
func (m *likeMatcher) general(s []byte) bool {
	i, p := 0, 0
	backText, backItem := -1, -1
	for i < len(s) || p < len(m.items) {
		if p < len(m.items) {
			it := m.items[p]
			if it.any {
				if p == len(m.items)-1 {
					return true
				}
				backText, backItem = i, p
				p++
				continue
			}
			if i < len(s) {
				r, size := m.next(s[i:])
				if it.one || it.r == r {
					i, p = i+size, p+1
					continue
				}
			}
		}
		if backItem < 0 || backText >= len(s) {
			return false
		}
		_, size := m.next(s[backText:])
		backText += size
		i, p = backText, backItem+1
	}
	return true
}

func (m *likeMatcher) next(s []byte) (rune, int) {
	r, size := rune(s[0]), 1
	if r >= utf8.RuneSelf {
		if r, size = utf8.DecodeRune(s); r == utf8.RuneError && size == 1 {
			return 0x110000 + rune(s[0]), 1
		}
	}
	if m.fold {
		r = foldRune(r)
	}
	return r, size
}

var errEscape = errors.New("ESCAPE takes one character")

func likeEntry(name, description, example, result string, fold bool) *entry {
	return fn(name, description, example, result).
		on("STRING, STRING -> BOOL", likeKernel(fold)).
		onFail("STRING, STRING, STRING -> BOOL", likeKernel(fold))
}

// likeKernel compiles a pattern when it differs from that of the row before. A
// third argument is the escape character.
func likeKernel(fold bool) kernel {
	return func(c *call) (arrow.Array, error) {
		if len(c.args) == 2 && c.args[1].konst && !c.args[0].konst {
			return likeConstant(c, fold)
		}
		r, pattern, mask := vec.Strings(c.args[0].arr), textIn(c.args[1]), c.args[0].mask()
		escape := func(int) string { return "" }
		if len(c.args) > 2 {
			escape = textIn(c.args[2])
		}
		return rows(c, boolOut(c), func(i int) (bool, error) {
			p, e := pattern(i), escape(i)
			if m := c.memo; m.like == nil || m.pattern != p || m.options != e {
				esc := rune(-1)
				if e != "" {
					var size int
					if esc, size = utf8.DecodeRuneInString(e); size != len(e) {
						return false, errEscape
					}
				}
				m.pattern, m.options = strings.Clone(p), strings.Clone(e)
				m.like = compileLike(m.pattern, esc, fold)
			}
			return c.memo.like.match(r.At(i & mask)), nil
		})
	}
}

// likeConstant is the usual case: a column and one pattern. That of the batch
// before may have been another: a CASE gives a constant where all rows take one
// branch.
func likeConstant(c *call, fold bool) (arrow.Array, error) {
	if p, m := textIn(c.args[1])(0), c.memo; m.like == nil || m.pattern != p || m.options != "" {
		m.pattern, m.options = strings.Clone(p), ""
		m.like = compileLike(m.pattern, -1, fold)
	}
	m, r := c.memo.like, vec.Strings(c.args[0].arr)
	b := vec.NewBools(c.mem, c.n)
	c.nullsOf(&b.Nulls)
	bits := b.Bits()
	for i := range c.n {
		if r.Valid(i) && m.match(r.At(i)) {
			bits[i>>3] |= 1 << (i & 7)
		}
	}
	return b.Finish(), nil
}
