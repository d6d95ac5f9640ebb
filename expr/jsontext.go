package expr

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds how deep arrays and objects nest.
const maxJSONDepth = 1000

// jsonError says where a text stops being JSON.
func jsonError(s []byte, at int) error {
	const most = 60
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return fmt.Errorf("no JSON from byte %d on: '%s…'", at+1, s[:cut])
	}
	return fmt.Errorf("no JSON from byte %d on: '%s'", at+1, s)
}

// trimJSON checks that all of s is one JSON value, as RFC 8259 has it, and
// returns it without the blanks around it.
func trimJSON(s []byte) ([]byte, error) {
	from := jsonSpace(s, 0)
	end, ok := checkJSON(s, from, 0)
	if ok {
		at := jsonSpace(s, end)
		if at == len(s) {
			return s[from:end], nil
		}
		end = at
	}
	return nil, jsonError(s, end)
}

func jsonSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// checkJSON returns the end of the value that begins at i, or where it is wrong.
func checkJSON(s []byte, i, depth int) (end int, ok bool) {
	if i >= len(s) || depth > maxJSONDepth {
		return i, false
	}
	switch c := s[i]; {
	case c == '{':
		return checkItems(s, i, depth, '}')
	case c == '[':
		return checkItems(s, i, depth, ']')
	case c == '"':
		return checkJSONString(s, i)
	case c == '-' || c-'0' <= 9:
		return checkJSONNumber(s, i)
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s[i:], []byte(word)) {
			return i + len(word), true
		}
	}
	return i, false
}

func checkItems(s []byte, i, depth int, closing byte) (int, bool) {
	i = jsonSpace(s, i+1)
	if i < len(s) && s[i] == closing {
		return i + 1, true
	}
	for {
		var ok bool
		if closing == '}' {
			if i >= len(s) || s[i] != '"' {
				return i, false
			}
			if i, ok = checkJSONString(s, i); !ok {
				return i, false
			}
			if i = jsonSpace(s, i); i >= len(s) || s[i] != ':' {
				return i, false
			}
			i = jsonSpace(s, i+1)
		}
		if i, ok = checkJSON(s, i, depth+1); !ok {
			return i, false
		}
		if i = jsonSpace(s, i); i >= len(s) {
			return i, false
		}
		switch s[i] {
		case closing:
			return i + 1, true
		case ',':
			i = jsonSpace(s, i+1)
		default:
			return i, false
		}
	}
}

func checkJSONString(s []byte, i int) (int, bool) {
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, true
		case c < ' ':
			return i, false
		case c == '\\':
			i++
			if i >= len(s) {
				return i, false
			}
			if s[i] == 'u' {
				if _, ok := hex4(s[i+1:]); !ok {
					return i, false
				}
				i += 4
			} else if bytes.IndexByte([]byte(`"\/bfnrt`), s[i]) < 0 {
				return i, false
			}
		}
	}
	return i, false
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[:4]), 16, 16)
	return rune(v), err == nil
}

func checkJSONNumber(s []byte, i int) (int, bool) {
	digits := func() bool {
		from := i
		for i < len(s) && s[i]-'0' <= 9 {
			i++
		}
		return i > from
	}
	if s[i] == '-' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '0':
		i++
	case !digits():
		return i, false
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return i, false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return i, false
		}
	}
	return i, true
}

// The functions below work on JSON that trimJSON has passed.

// skipJSON returns the end of the value that begins at i.
func skipJSON(s []byte, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '"':
			if i = skipJSONString(s, i) - 1; depth == 0 {
				return i + 1
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 { // the end of what the value stands in
				return i
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

func skipJSONString(s []byte, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(s))
}

// eachJSON calls f with the members of an object (key as it is written, with
// its quotes) or the elements of an array (key nil) until f returns false.
func eachJSON(v []byte, f func(key, value []byte) bool) {
	if len(v) == 0 || v[0] != '{' && v[0] != '[' {
		return
	}
	for i := jsonSpace(v, 1); i < len(v)-1; {
		var key []byte
		if v[0] == '{' {
			end := skipJSONString(v, i)
			key = v[i:end]
			i = jsonSpace(v, jsonSpace(v, end)+1) // past the colon
		}
		end := skipJSON(v, i)
		if !f(key, v[i:end]) {
			return
		}
		if i = jsonSpace(v, end); i < len(v) && v[i] == ',' {
			i = jsonSpace(v, i+1)
		}
	}
}

// appendJSONText appends what a JSON string says. Half a surrogate pair
// becomes U+FFFD.
func appendJSONText(dst, quoted []byte) []byte {
	s := quoted[1 : len(quoted)-1]
	for len(s) > 0 {
		at := bytes.IndexByte(s, '\\')
		if at < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:at]...)
		c := s[at+1]
		s = s[at+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s)
			s = s[4:]
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
					low, ok = hex4(s[2:])
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					s = s[6:]
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// isJSONKey reports whether a quoted key says want.
func isJSONKey(quoted []byte, want string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == want
	}
	return string(appendJSONText(nil, quoted)) == want
}

// appendMinified appends a value without the blanks between its parts.
func appendMinified(dst, v []byte) []byte {
	for i := 0; i < len(v); {
		switch c := v[i]; c {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			end := skipJSONString(v, i)
			dst = append(dst, v[i:end]...)
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// jsonTypeOf names the type of a value as DuckDB does.
func jsonTypeOf(v []byte) string {
	switch v[0] {
	case '{':
		return "OBJECT"
	case '[':
		return "ARRAY"
	case '"':
		return "VARCHAR"
	case 't', 'f':
		return "BOOLEAN"
	case 'n':
		return "NULL"
	}
	if bytes.ContainsAny(v, ".eE") {
		return "DOUBLE"
	}
	if _, err := strconv.ParseUint(string(v), 10, 64); err == nil {
		return "UBIGINT"
	}
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return "BIGINT"
	}
	return "DOUBLE"
}

// jsonEqual compares two values: objects without regard to the order of keys,
// numbers with a point or exponent as FLOATs.
func jsonEqual(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	kind := jsonTypeOf(a)
	if kind != jsonTypeOf(b) {
		return false
	}
	switch kind {
	case "VARCHAR":
		return bytes.Equal(appendJSONText(nil, a), appendJSONText(nil, b))
	case "DOUBLE":
		x, errX := strconv.ParseFloat(string(a), 64)
		y, errY := strconv.ParseFloat(string(b), 64)
		return errX == nil && errY == nil && x == y
	case "OBJECT":
		return jsonSize(a) == jsonSize(b) && jsonCovers(a, b, jsonEqual)
	case "ARRAY":
		var items [][]byte
		eachJSON(b, func(_, v []byte) bool { items = append(items, v); return true })
		i, same := 0, true
		eachJSON(a, func(_, v []byte) bool {
			same = i < len(items) && jsonEqual(v, items[i])
			i++
			return same
		})
		return same && i == len(items)
	}
	return false
}

func jsonSize(v []byte) (n int) {
	eachJSON(v, func(_, _ []byte) bool { n++; return true })
	return n
}

// jsonCovers reports that each member of small is in big: under its key in an
// object, anywhere in an array.
func jsonCovers(big, small []byte, fits func(big, small []byte) bool) bool {
	all := true
	eachJSON(small, func(key, want []byte) bool {
		found := false
		name := ""
		if key != nil {
			name = string(appendJSONText(nil, key))
		}
		eachJSON(big, func(have, v []byte) bool {
			found = (key == nil || isJSONKey(have, name)) && fits(v, want)
			return !found
		})
		all = found
		return all
	})
	return all
}

// jsonWithin reports that small is big, or a part of its members, at this level.
func jsonWithin(big, small []byte) bool {
	if jsonEqual(big, small) {
		return true
	}
	return big[0] == small[0] && (big[0] == '{' || big[0] == '[') && jsonCovers(big, small, jsonWithin)
}

// jsonContains reports that small is within big, at any level.
func jsonContains(big, small []byte) bool {
	if jsonWithin(big, small) {
		return true
	}
	found := false
	eachJSON(big, func(_, v []byte) bool {
		found = jsonContains(v, small)
		return !found
	})
	return found
}
