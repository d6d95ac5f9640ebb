package render

import (
	"io"
	"time"
)

// Options say how a table is shown. The zero value is that of a pipe: every
// row, every column, as wide as they are. They concern the format table only.
type Options struct {
	// Width is how many columns of text a line has room for; 0: any number.
	// Long text is cut, with … at its end, the widest columns first; where
	// that is not enough columns in the middle are left out.
	Width int
	// MaxRows is how many rows are shown, the first half and the last; 0: all.
	// A table of up to three rows more is shown whole: the mark of what is
	// left out would be as long.
	MaxRows int
	// Expanded shows a row as lines, one a column, or as many as its text is
	// long: it is wrapped rather than cut, up to wrapLines of them.
	Expanded bool
	// Color makes names bold, and types and NULL dim.
	Color bool
	// Null stands for NULL; "" is "NULL".
	Null string
	// Elapsed is asked at the end, for the line below the table; nil: no time
	// is told.
	Elapsed func() time.Duration
	// Page, if not nil, is called once as soon as a table is longer than the
	// screen of Height lines or than MaxRows. The whole table then goes to the
	// writer that it returns, cut only where text is very long; it is closed at
	// the end, and the table is written once more, shortened, as it is if there
	// is no writer (nil). An error of the writer ends the query, of which the
	// first rows are written.
	Page   func() io.WriteCloser
	Height int
	// PageWide has Page called for a table, too, of which values would be cut
	// or columns left out.
	PageWide bool
}

// gapRows is how many lines stand for the rows left out.
const gapRows = 3

// most is how many rows a table may have that is not shortened; 0: any number.
func (o *Options) most() int {
	if o.MaxRows <= 0 {
		return 0
	}
	return o.MaxRows + gapRows
}

// room is how many lines a screen has for rows; 0: any number.
func (o *Options) room() int {
	if o.Height <= 0 {
		return 0
	}
	others := 6 // rules, names, types, footer
	if o.Expanded {
		others = 1
	}
	const prompt = 1
	return max(1, o.Height-others-prompt)
}

// least returns the smaller of two bounds, of which 0 is none.
func least(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
