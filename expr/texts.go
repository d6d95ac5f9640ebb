package expr

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/rainsql/rainsql/expr/vec"
)

// maxText bounds what repeat, lpad and rpad may make of one row, so that a
// number in the data cannot ask for all of the memory.
const maxText = 64 << 20

var errTooLong = fmt.Errorf("the text would be longer than %d MB", maxText>>20)

func textFunctions() []*entry {
	count := map1(bytesIn, intOut, func(s []byte) int64 { return int64(utf8.RuneCount(s)) })
	size := map1(bytesIn, intOut, func(s []byte) int64 { return int64(len(s)) })
	sub2 := map2(textIn, intIn, textOut, func(s string, from int64) string { return substr(s, from, 1<<62) })
	sub3 := map3(textIn, intIn, intIn, textOut, substr)
	position := map2(textIn, textIn, intOut, func(s, what string) int64 {
		if i := strings.Index(s, what); i >= 0 {
			return int64(utf8.RuneCountInString(s[:i])) + 1
		}
		return 0
	})
	return append([]*entry{
		fn("length", "characters of a text, bytes of BYTES, elements of a list", "length('Köln')", "4").alias("len", "char_length", "character_length", "array_length").
			on("STRING -> INT", count).on("BYTES -> INT", size).on("LIST<T> -> INT", listLength),
		fn("strlen", "bytes of a text in UTF-8", "strlen('Köln')", "5").alias("octet_length", "byte_length").on("STRING -> INT", size).on("BYTES -> INT", size),
		fn("lower", "small letters", "lower('ÄBC')", "äbc").alias("lcase").on("STRING -> STRING", appendText(lower)),
		fn("upper", "capital letters", "upper('äbc')", "ÄBC").alias("ucase").on("STRING -> STRING", appendText(upper)),
		trimEntry("trim", "without blanks, or the characters of the second text, at both ends", "trim('  rain ')", "rain", strings.Trim),
		trimEntry("ltrim", "trim, at the beginning only", "ltrim('xxa', 'x')", "a", strings.TrimLeft),
		trimEntry("rtrim", "trim, at the end only", "rtrim('axx', 'x')", "a", strings.TrimRight),
		fn("substring", "from a position, 1 being the first and negative ones from the end, so many characters", "substring('rainsql', 5, 3)", "sql").alias("substr").
			on("STRING, INT -> STRING", sub2).on("STRING, INT, INT -> STRING", sub3),
		fn("left", "the first characters; if negative, all but so many at the end", "left('rainsql', 4)", "rain").on("STRING, INT -> STRING", map2(textIn, intIn, textOut, left)),
		fn("right", "the last characters; if negative, all but so many at the beginning", "right('rainsql', 3)", "sql").on("STRING, INT -> STRING", map2(textIn, intIn, textOut, right)),
		fn("lpad", "filled up at the beginning, or cut, to so many characters", "lpad('7', 3, '0')", "007").
			onFail("STRING, INT, STRING -> STRING", try3(textIn, intIn, textIn, textOut, func(s string, n int64, with string) (string, error) { return pad(s, n, with, true) })),
		fn("rpad", "filled up at the end, or cut, to so many characters", "rpad('a', 3, '.')", "a..").
			onFail("STRING, INT, STRING -> STRING", try3(textIn, intIn, textIn, textOut, func(s string, n int64, with string) (string, error) { return pad(s, n, with, false) })),
		fn("replace", "each occurrence of the second text replaced by the third", "replace('a-b-c', '-', '+')", "a+b+c").
			on("STRING, STRING, STRING -> STRING", map3(textIn, textIn, textIn, textOut, func(s, old, with string) string {
				if old == "" {
					return s
				}
				return strings.ReplaceAll(s, old, with)
			})),
		fn("translate", "each character of the second text replaced by that of the third, or dropped", "translate('12.5', '.', ',')", "12,5").
			on("STRING, STRING, STRING -> STRING", map3(textIn, textIn, textIn, textOut, translate)),
		fn("reverse", "the characters in reverse order", "reverse('abc')", "cba").on("STRING -> STRING", appendText(reverse)),
		fn("repeat", "the text so many times", "repeat('ab', 3)", "ababab").onFail("STRING, INT -> STRING", try2(textIn, intIn, textOut, repeat)),
		fn("concat", "the arguments as text one after the other, without NULLs; of lists their elements", "concat('a', NULL, 1)", "a1").
			onNulls("LIST<T>… -> LIST<T>", concatLists).onNulls("any… -> STRING", concatKernel),
		fn("concat_ws", "the arguments after the first as text, joined by it, without NULLs", "concat_ws('-', 'a', NULL, 'b')", "a-b").onNulls("STRING, any… -> STRING", concatWithKernel),
		fn("contains", "whether the second text is in the first, or the value in the list", "contains('rainsql', 'ins')", "true").on("STRING, STRING -> BOOL", map2(textIn, textIn, boolOut, strings.Contains)).on("LIST<T>, T -> BOOL", listContains),
		fn("starts_with", "whether the text begins with the second", "starts_with('rainsql', 'rain')", "true").alias("^@", "prefix").on("STRING, STRING -> BOOL", map2(textIn, textIn, boolOut, strings.HasPrefix)),
		fn("ends_with", "whether the text ends with the second", "ends_with('rainsql', 'sql')", "true").alias("suffix").on("STRING, STRING -> BOOL", map2(textIn, textIn, boolOut, strings.HasSuffix)),
		fn("strpos", "where the second text first is in the first, from 1; 0 if it is not", "strpos('rainsql', 'sql')", "5").alias("instr", "position").on("STRING, STRING -> INT", position),
		fn("split_part", "a part between separators, from 1; negative ones from the end", "split_part('a,b,c', ',', 2)", "b").
			on("STRING, STRING, INT -> STRING", map3(textIn, textIn, intIn, textOut, splitPart)),
		fn("string_split", "the parts between separators, as a list", "string_split('a,b', ',')", `["a","b"]`).alias("split", "str_split", "string_to_array").
			on("STRING, STRING -> LIST<STRING>", splitKernel),
	}, codeFunctions()...)
}

// lower goes byte by byte over ASCII and turns to Unicode at the first other byte.
func lower(dst, s []byte) []byte {
	for i, b := range s {
		if b >= utf8.RuneSelf {
			return appendMapped(dst, s[i:], unicode.ToLower)
		}
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

func upper(dst, s []byte) []byte {
	for i, b := range s {
		if b >= utf8.RuneSelf {
			return appendMapped(dst, s[i:], toUpper)
		}
		if 'a' <= b && b <= 'z' {
			b -= 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

// toUpper gives the sharp s the capital that it has in Unicode, as DuckDB does.
func toUpper(r rune) rune {
	if r == 'ß' {
		return 'ẞ'
	}
	return unicode.ToUpper(r)
}

func appendMapped(dst, s []byte, f func(rune) rune) []byte {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[0])
		} else {
			dst = utf8.AppendRune(dst, f(r))
		}
		s = s[size:]
	}
	return dst
}

// reverse keeps what is seen as one character together: a letter with its
// accents, the parts of a flag.
func reverse(dst, s []byte) []byte {
	if isASCII(s) {
		for i := len(s) - 1; i >= 0; i-- {
			dst = append(dst, s[i])
		}
		return dst
	}
	at := len(dst) + len(s)
	dst = append(dst, s...)
	for c := graphemes.FromBytes(s); c.Next(); {
		at -= len(c.Value())
		copy(dst[at:], c.Value())
	}
	return dst
}

func trimEntry(name, description, example, result string, f func(s, cutset string) string) *entry {
	return fn(name, description, example, result).
		on("STRING -> STRING", map1(textIn, textOut, func(s string) string { return f(s, " ") })).
		on("STRING, STRING -> STRING", map2(textIn, textIn, textOut, f))
}

// after is the byte at which character n of s begins, or its length.
func after(s string, n int64) int {
	if n <= 0 {
		return 0
	}
	if n >= int64(len(s)) {
		return len(s)
	}
	if isASCII(s) {
		return int(n)
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// isASCII reports that every character is one byte.
func isASCII[T string | []byte](s T) bool {
	var all byte
	for i := range len(s) {
		all |= s[i]
	}
	return all < utf8.RuneSelf
}

// runes counts characters.
func runes(s string) int64 {
	if isASCII(s) {
		return int64(len(s))
	}
	return int64(utf8.RuneCountInString(s))
}

// substr has DuckDB's rules: positions count from 1, 0 is the place before the
// first, negative ones count from the end, a negative length goes backwards.
func substr(s string, from, n int64) string {
	length := runes(s)
	if from < 0 {
		from = max(length+from, -1<<40) + 1
	}
	from--
	n = max(min(n, 1<<40), -1<<40)
	from = max(min(from, 1<<40), -1<<40)
	to := from + n
	if n < 0 {
		from, to = to, from
	}
	from, to = max(from, 0), min(to, length)
	if from >= to {
		return ""
	}
	rest := s[after(s, from):]
	return rest[:after(rest, to-from)]
}

func left(s string, n int64) string {
	if n < 0 {
		n = max(0, runes(s)+n)
	}
	return s[:after(s, n)]
}

func right(s string, n int64) string {
	length := runes(s)
	if n < 0 {
		if n < -length {
			n = -length
		}
		return s[after(s, -n):]
	}
	return s[after(s, length-min(n, length)):]
}

func pad(s string, n int64, with string, front bool) (string, error) {
	length := int64(utf8.RuneCountInString(s))
	if n <= length {
		return left(s, max(n, 0)), nil
	}
	if with == "" {
		return "", errors.New("there is no text to fill up with")
	}
	unit := int64(utf8.RuneCountInString(with))
	times := (n-length)/unit + 1
	if n > maxText || times*int64(len(with)) > maxText {
		return "", errTooLong
	}
	fill := left(strings.Repeat(with, int(times)), n-length)
	if front {
		return fill + s, nil
	}
	return s + fill, nil
}

func repeat(s string, n int64) (string, error) {
	if n <= 0 || s == "" {
		return "", nil
	}
	if n > maxText/int64(len(s)) {
		return "", errTooLong
	}
	return strings.Repeat(s, int(n)), nil
}

func translate(s, from, to string) string {
	old, with := []rune(from), []rune(to)
	return strings.Map(func(r rune) rune {
		for i, o := range old {
			if o == r {
				if i < len(with) {
					return with[i]
				}
				return -1
			}
		}
		return r
	}, s)
}

func splitPart(s, sep string, n int64) string {
	parts := splitText(s, sep)
	if n < 0 {
		n += int64(len(parts)) + 1
	}
	if n < 1 || n > int64(len(parts)) {
		return ""
	}
	return parts[n-1]
}

// splitText cuts at separators; an empty one cuts after every character.
func splitText(s, sep string) []string {
	if s == "" {
		return []string{""}
	}
	return strings.Split(s, sep)
}

func splitKernel(c *call) (arrow.Array, error) {
	s, sep := textIn(c.args[0]), textIn(c.args[1])
	null := c.anyNull()
	elems := vec.NewViewBuilder(c.mem, arrow.BinaryTypes.StringView, c.n)
	defer elems.Release()
	nulls, offs := vec.NewNulls(c.mem, c.n), make([]int32, c.n+1)
	for i := range c.n {
		if null != nil && null(i) {
			nulls.Set(i)
		} else {
			for _, p := range splitText(s(i), sep(i)) {
				elems.AppendString(p)
			}
		}
		offs[i+1] = int32(elems.Len())
	}
	list := elems.Finish()
	defer list.Release()
	return vec.NewList(c.mem, list, offs, &nulls), nil
}

func concatKernel(c *call) (arrow.Array, error) {
	return joinWith(c, nil, c.args)
}

func concatWithKernel(c *call) (arrow.Array, error) {
	return joinWith(c, &c.args[0], c.args[1:])
}

// joinWith prints the arguments of each row that are not NULL, sep between
// them. A NULL separator gives NULL.
func joinWith(c *call, sep *vector, args []vector) (arrow.Array, error) {
	reads := make([]func(int) string, len(args))
	valid := make([]vec.Validity, len(args))
	for k, a := range args {
		valid[k] = vec.ValidityOf(a.arr)
		if a.arr.DataType().ID() != arrow.NULL {
			reads[k] = textOf(a)
		}
	}
	between := func(int) string { return "" }
	var betweenValid vec.Validity
	if sep != nil {
		between, betweenValid = textIn(*sep), vec.ValidityOf(sep.arr)
	}
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	var buf []byte
	for i := range c.n {
		if sep != nil && betweenValid.Null(i&sep.mask()) {
			b.AppendNull()
			continue
		}
		buf = buf[:0]
		first := true
		for k, a := range args {
			if reads[k] == nil || valid[k].Null(i&a.mask()) {
				continue
			}
			if !first {
				buf = append(buf, between(i)...)
			}
			first = false
			buf = append(buf, reads[k](i)...)
		}
		b.Append(buf)
	}
	return b.Finish(), nil
}
