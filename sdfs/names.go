package sdfs

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// MaxName is the most bytes of a file's name.
const MaxName = namespace.MaxName

// CheckName says what is wrong with a file's name, as an ErrName, or nil.
func CheckName(name string) error { return namespace.CheckName(name) }

// Match tells whether a name fits a pattern: '*' stands for any run of characters but '/', '?' for
// one character but '/', [a-z] and [^a-z] for one of (or not of) a set but '/', '**' for any run of
// characters; "**/" for nothing too. '\' takes the meaning from the character behind it. The whole name must
// fit. A pattern that makes no sense is an error, whatever the name.
func Match(pattern, name string) (bool, error) {
	g, err := parseGlob(pattern)
	if err != nil {
		return false, err
	}
	return g.match(name), nil
}

// glob is a pattern in parts, each of which takes up some of the name.
type glob []globPart

type globPart struct {
	kind  byte // 'c' a character, '?', '*', 'd' for "**", 'D' for "**/", '[' a set
	char  rune
	not   bool
	pairs []rune // from, to, from, to…
}

func parseGlob(pattern string) (glob, error) {
	bad := func(why string) error { return fmt.Errorf("pattern %q: %s", pattern, why) }
	if !utf8.ValidString(pattern) {
		return nil, bad("it is not UTF-8")
	}
	var g glob
	for rest := pattern; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		partStart := len(rest) == len(pattern) || pattern[len(pattern)-len(rest)-1] == '/'
		switch {
		case strings.HasPrefix(rest, "**/") && partStart:
			g, rest = append(g, globPart{kind: 'D'}), rest[3:]
		case strings.HasPrefix(rest, "**"):
			g, rest = append(g, globPart{kind: 'd'}), strings.TrimLeft(rest, "*")
		case r == '*' || r == '?':
			g, rest = append(g, globPart{kind: byte(r)}), rest[1:]
		case r == '[':
			set, left, why := parseSet(rest[1:])
			if why != "" {
				return nil, bad(why)
			}
			g, rest = append(g, set), left
		case r == '\\' && len(rest) == 1:
			return nil, bad(`it ends with '\', which takes the meaning from the next character`)
		default:
			if r == '\\' {
				rest = rest[1:]
				r, size = utf8.DecodeRuneInString(rest)
			}
			g, rest = append(g, globPart{kind: 'c', char: r}), rest[size:]
		}
	}
	return g, nil
}

// parseSet reads a set whose '[' was read, and gives what is left and what is wrong.
func parseSet(rest string) (set globPart, left, why string) {
	set.kind = '['
	if rest != "" && (rest[0] == '^' || rest[0] == '!') {
		set.not, rest = true, rest[1:]
	}
	next := func() (rune, bool) {
		rest = strings.TrimPrefix(rest, `\`)
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		return r, size > 0
	}
	for first := true; first || !strings.HasPrefix(rest, "]"); first = false {
		from, ok := next()
		if !ok {
			return set, "", "a '[' without its ']'"
		}
		to := from
		if len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
			rest = rest[1:]
			if to, ok = next(); !ok {
				return set, "", "a '[' without its ']'"
			}
		}
		if to < from {
			return set, "", fmt.Sprintf("the range %c-%c is empty; swap its ends", from, to)
		}
		set.pairs = append(set.pairs, from, to)
	}
	return set, rest[1:], ""
}

func (p globPart) takes(r rune) bool {
	switch p.kind {
	case 'c':
		return r == p.char
	case 'd':
		return true
	case 'D':
		return true
	}
	if r == '/' {
		return false
	}
	if p.kind != '[' {
		return true
	}
	for i := 0; i < len(p.pairs); i += 2 {
		if p.pairs[i] <= r && r <= p.pairs[i+1] {
			return !p.not
		}
	}
	return p.not
}

// match follows all ways through the pattern at once, so that it takes time in proportion to pattern
// times name, whatever they are.
func (g glob) match(name string) bool {
	at := make([]bool, len(g)+1)  // the parts that may come next
	was := make([]bool, len(g)+1) // the same before this character
	at[0] = true
	g.skip(at, true)
	for _, r := range name {
		at, was = was, at
		clear(at)
		for i, on := range was[:len(g)] {
			if !on || !g[i].takes(r) {
				continue
			}
			if many := g[i].kind == '*' || g[i].kind == 'd' || g[i].kind == 'D'; many {
				at[i] = true
			} else {
				at[i+1] = true
			}
		}
		g.skip(at, r == '/')
	}
	return at[len(g)]
}

// skip adds what may come next because a part may stand for nothing (more). A "**/" ends at a
// part's start only.
func (g glob) skip(at []bool, partStart bool) {
	for i := range g {
		k := g[i].kind
		if at[i] && (k == '*' || k == 'd' || k == 'D' && partStart) {
			at[i+1] = true
		}
	}
}

// prefix is what every name that fits begins with.
func (g glob) prefix() string {
	var b strings.Builder
	for _, p := range g {
		if p.kind != 'c' {
			break
		}
		b.WriteRune(p.char)
	}
	return b.String()
}
