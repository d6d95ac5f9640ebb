package json

import "bytes"

// framer finds where the values of a file begin and end, without looking into
// them. It is used by one goroutine at a time, front to back.
type framer interface {
	// next finds the first value at or after pos, which may be blank space. last
	// says that the file ends with data. Values that begin at limit or behind
	// it belong to another split.
	next(data []byte, pos, limit int, last bool) (frame, *syntaxError)
}

// frame is the place of a value in a chunk.
type frame struct {
	start, end int  // of the value
	next       int  // where to look for the one after it
	whole      bool // false if the chunk holds no further value, or not all of it
}

// lineFramer finds the lines of a jsonl file, each of which is a value or blank.
type lineFramer struct{}

func (lineFramer) next(data []byte, pos, limit int, last bool) (frame, *syntaxError) {
	if pos >= limit {
		return frame{next: pos}, nil
	}
	n := bytes.IndexByte(data[pos:], '\n')
	switch {
	case n >= 0:
		return frame{start: pos, end: pos + n, next: pos + n + 1, whole: true}, nil
	case last && pos < len(data):
		return frame{start: pos, end: len(data), next: len(data), whole: true}, nil
	}
	return frame{next: pos}, nil
}

// valueFramer finds the values of a json file: the elements of the array that
// it is, or values one behind the other. Such a file is a single split: where
// a value begins follows from all that is before it.
type valueFramer struct{ state documentState }

type documentState uint8

const (
	atBeginning documentState = iota // before the first byte that counts
	inSequence                       // values stand one behind the other
	beforeFirst                      // behind the [ of an array
	beforeValue                      // behind a comma
	behindValue                      // of an array: a comma or ] comes
	behindArray                      // nothing may follow
)

func (f *valueFramer) next(data []byte, pos, _ int, last bool) (frame, *syntaxError) {
	for {
		pos = skipSpace(data, pos)
		if pos == len(data) {
			if last && f.state != inSequence && f.state != behindArray && f.state != atBeginning {
				return frame{next: pos}, &syntaxError{pos, "the array is not closed"}
			}
			return frame{next: pos}, nil
		}
		c := data[pos]
		switch {
		case f.state == atBeginning && c == '[':
			f.state = beforeFirst
		case f.state == atBeginning:
			f.state = inSequence
			continue
		case f.state == behindArray:
			return frame{next: pos}, &syntaxError{pos, "there is more after the array"}
		case f.state == beforeFirst && c == ']', f.state == behindValue && c == ']':
			f.state = behindArray
		case f.state == behindValue && c == ',':
			f.state = beforeValue
		case f.state == behindValue:
			return frame{next: pos}, &syntaxError{pos, "expected , or ] in an array"}
		default:
			return f.value(data, pos, last)
		}
		pos++
	}
}

func (f *valueFramer) value(data []byte, pos int, last bool) (frame, *syntaxError) {
	end, ok := extent(data, pos)
	if !ok && !last {
		return frame{next: pos}, nil
	}
	if f.state != inSequence {
		f.state = behindValue
	}
	return frame{start: pos, end: end, next: end, whole: true}, nil
}

// extent returns where the value that begins at i ends, going by brackets and
// quotes alone. ok is false if data ends before it surely does.
func extent(data []byte, i int) (end int, ok bool) {
	if c := data[i]; c != '{' && c != '[' && c != '"' {
		n := bytes.IndexAny(data[i+1:], ",]}{[\" \t\r\n")
		if n < 0 {
			return len(data), false
		}
		return i + 1 + n, true
	}
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			n := closingQuote(data[i+1:])
			if n < 0 {
				return len(data), false
			}
			i += 1 + n
			if depth == 0 {
				return i + 1, true
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1, true
			}
		}
	}
	return len(data), false
}

// closingQuote returns where the first quote is that no backslash escapes, or -1.
func closingQuote(b []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		escapes := 0
		for at-escapes > 0 && b[at-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
		at++
	}
}
