package json

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxDepth = 1000

// syntaxError is a place where text is not JSON.
type syntaxError struct {
	at  int // the byte in the row, from 0
	msg string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("not valid JSON: %s at byte %d of the row", e.msg, e.at+1)
}

// token says what a value is by its first byte: { [ " t f n, or 0 for a number.
type token struct {
	start, end int
	kind       byte
	escaped    bool // a string with escapes
}

// The kinds of token; the others are their own first byte.
const number = 0

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// scanValue finds the value that begins at i, and checks it down to the last byte.
func scanValue(b []byte, i, depth int) (token, *syntaxError) {
	if i >= len(b) {
		return token{}, &syntaxError{i, "a value is missing"}
	}
	t := token{start: i, kind: b[i]}
	var err *syntaxError
	switch b[i] {
	case '"':
		t.end, t.escaped, err = scanString(b, i)
	case '{':
		t.end, err = scanObject(b, i, depth, nil)
	case '[':
		t.end, err = scanArray(b, i, depth, nil)
	case 't':
		t.end, err = scanWord(b, i, "true")
	case 'f':
		t.end, err = scanWord(b, i, "false")
	case 'n':
		t.end, err = scanWord(b, i, "null")
	default:
		t.kind = number
		t.end, err = scanNumber(b, i)
	}
	return t, err
}

func scanWord(b []byte, i int, word string) (int, *syntaxError) {
	if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
		return i + len(word), nil
	}
	return 0, &syntaxError{i, "expected a value"}
}

// scanNumber finds the end of a number: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func scanNumber(b []byte, i int) (int, *syntaxError) {
	start := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i >= len(b) || b[i]-'0' > 9 {
		return 0, &syntaxError{start, "expected a value"}
	}
	if b[i] == '0' {
		i++
	} else {
		i = digits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		from := i + 1
		if i = digits(b, from); i == from {
			return 0, &syntaxError{i, "a number lacks digits after its point"}
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		if i = digits(b, from); i == from {
			return 0, &syntaxError{i, "a number lacks digits in its exponent"}
		}
	}
	return i, nil
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// scanString finds the end of the string whose quote is at i, and whether it
// holds escapes, which are checked.
func scanString(b []byte, i int) (end int, escaped bool, err *syntaxError) {
	start := i
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped, nil
		case c < ' ':
			return 0, false, &syntaxError{i, "a control character in a string must be escaped"}
		case c == '\\':
			escaped = true
			n := escapeLen(b[i:])
			if n == 0 {
				return 0, false, &syntaxError{i, "unknown escape in a string"}
			}
			i += n - 1
		}
	}
	return 0, false, &syntaxError{start, "a string is not closed"}
}

// escapeLen returns the length of the escape at the head of b, 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends to dst what the inside of a string stands for. Its escapes
// have been checked. Half of a surrogate pair becomes U+FFFD.
func unescape(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		if src[i] != '\\' {
			dst = append(dst, src[i])
			i++
			continue
		}
		c := src[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(src[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if i+1 < len(src) && src[i] == '\\' && src[i+1] == 'u' {
					low, ok = hex4(src[i+2:])
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// scanObject checks the object that begins at i and calls each, if not nil,
// with every key (its string token) and value.
func scanObject(b []byte, i, depth int, each func(key, value token)) (end int, err *syntaxError) {
	if depth >= maxDepth {
		return 0, &syntaxError{i, fmt.Sprintf("nesting deeper than %d", maxDepth)}
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return 0, &syntaxError{i, "expected a key in double quotes"}
		}
		key := token{start: i, kind: '"'}
		if key.end, key.escaped, err = scanString(b, i); err != nil {
			return 0, err
		}
		i = skipSpace(b, key.end)
		if i >= len(b) || b[i] != ':' {
			return 0, &syntaxError{i, "expected : after a key"}
		}
		value, err := scanValue(b, skipSpace(b, i+1), depth+1)
		if err != nil {
			return 0, err
		}
		if each != nil {
			each(key, value)
		}
		i = skipSpace(b, value.end)
		switch {
		case i < len(b) && b[i] == '}':
			return i + 1, nil
		case i >= len(b) || b[i] != ',':
			return 0, &syntaxError{i, "expected , or } in an object"}
		}
		i = skipSpace(b, i+1)
	}
}

// scanArray checks the array that begins at i and calls each, if not nil, with
// every element.
func scanArray(b []byte, i, depth int, each func(value token)) (end int, err *syntaxError) {
	if depth >= maxDepth {
		return 0, &syntaxError{i, fmt.Sprintf("nesting deeper than %d", maxDepth)}
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		value, err := scanValue(b, i, depth+1)
		if err != nil {
			return 0, err
		}
		if each != nil {
			each(value)
		}
		i = skipSpace(b, value.end)
		switch {
		case i < len(b) && b[i] == ']':
			return i + 1, nil
		case i >= len(b) || b[i] != ',':
			return 0, &syntaxError{i, "expected , or ] in an array"}
		}
		i = skipSpace(b, i+1)
	}
}

// scanRow checks a row, which is one object and nothing else, and calls each
// with its keys and values.
func scanRow(b []byte, each func(key, value token)) *syntaxError {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return &syntaxError{i, "a row must be one object"}
	}
	end, err := scanObject(b, i, 0, each)
	if err != nil {
		return err
	}
	if i = skipSpace(b, end); i < len(b) {
		return &syntaxError{i, "there is more after the object"}
	}
	return nil
}

// text returns what a token stands for: a string without quotes and escapes,
// anything else as it is written.
func (t token) text(b []byte) []byte {
	switch {
	case t.kind != '"':
		return b[t.start:t.end]
	case t.escaped:
		return unescape(nil, b[t.start+1:t.end-1])
	}
	return b[t.start+1 : t.end-1]
}
