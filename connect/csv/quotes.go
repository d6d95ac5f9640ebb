package csv

import (
	"math/bits"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/scan"
)

// resolver takes the separators and newlines inside quotes out of the masks,
// and checks that every quote stands where one may: an opening one at the
// beginning of a field, a closing one at its end. A quote elsewhere would turn
// the inside out for the whole rest of the file, so it is a fault.
type resolver struct {
	*walker
	start   int  // where the first row begins; -1 while it is not known
	inQuote bool // the state at the beginning, then at the end
}

func (r *resolver) run() {
	w := r.walker
	var carry uint64
	if r.inQuote {
		carry = ^uint64(0)
	}
	// The byte before the chunk ends a field, or is another reader's concern.
	mayOpen, mustEnd := uint64(1), uint64(0)
	for b, quote := range w.m.quote {
		inside := prefixXor(quote) ^ carry
		carry = uint64(int64(inside) >> 63)
		sep, nl := w.m.sep[b]&^inside, w.m.nl[b]&^inside
		w.m.sep[b], w.m.nl[b] = sep, nl

		ends := sep | nl | quote
		closing := quote &^ inside
		bad := (quote & inside) &^ (ends<<1 | mayOpen)
		bad |= (closing<<1 | mustEnd) &^ ends
		mayOpen, mustEnd = ends>>63, closing>>63
		if r.start < 0 && nl != 0 {
			r.start = b*blockBytes + lowest(nl) + 1
		}
		if bad != 0 && w.fault == nil && r.start >= 0 {
			r.inspect(b, bad)
		}
	}
	r.inQuote = carry != 0
	if r.inQuote && w.last && w.fault == nil && r.start >= 0 {
		r.unterminated()
	}
}

// firstNewline finds the first row of a chunk without quotes.
func (r *resolver) firstNewline() {
	for b, nl := range r.m.nl {
		if nl != 0 {
			r.start = b*blockBytes + lowest(nl) + 1
			return
		}
	}
}

// inspect looks at suspicious places of a block one by one: bytes that follow
// a closing quote, and opening quotes within a field.
func (r *resolver) inspect(b int, bad uint64) {
	w := r.walker
	for ; bad != 0; bad &= bad - 1 {
		i := b*blockBytes + bits.TrailingZeros64(bad)
		switch {
		case i < r.start, i >= len(w.data):
			continue
		case w.data[i] == '\r' && (i+1 >= len(w.data) || w.data[i+1] == '\n'):
			continue
		}
		msg := "text follows a closing quote within a field"
		if w.data[i] == w.quote {
			msg = "a quote opens within a field"
		}
		w.bad = i
		w.fault = &scan.Fault{At: i, Err: connect.Error{
			Msg: msg, Hint: "double a quote inside a quoted field; quote = '' turns quoting off",
		}}
		return
	}
}

// unterminated notes that the file ends inside quotes, which opened at the
// last quote of the chunk or, if that lies farther back, before it.
func (r *resolver) unterminated() {
	w := r.walker
	at := 0
	for b := len(w.m.quote) - 1; b >= 0; b-- {
		if q := w.m.quote[b]; q != 0 {
			at = b*blockBytes + 63 - bits.LeadingZeros64(q)
			break
		}
	}
	w.bad = max(at, r.start)
	w.fault = &scan.Fault{At: w.bad, Err: connect.Error{
		Msg: "a quote that opens here is never closed", Hint: "close it; quote = '' turns quoting off",
	}}
}
