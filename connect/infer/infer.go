// Package infer guesses the type of a column from its text, the same way for
// every format: by the narrowest type that all values of a sample read as.
package infer

import (
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// SampleRows is how many rows of a file are looked at.
const SampleRows = 20480

// Guess gathers what the values of one column look like. The zero Guess has
// seen none.
type Guess struct{ seen look }

// look is a set of what values looked like.
type look uint8

const (
	isBool look = 1 << iota
	isInt
	isFloat
	isDate
	isTimestamp
	isString
)

// Seen reports whether there was a value that is not NULL.
func (g *Guess) Seen() bool { return g.seen != 0 }

// Add notes a value, not NULL.
func (g *Guess) Add(b []byte) {
	if g.seen&isString == 0 {
		g.seen |= of(b)
	}
}

// AddString notes a value that is a STRING whatever it looks like.
func (g *Guess) AddString() { g.seen |= isString }

// AddTemporal notes a value in quotes of a format whose numbers and booleans
// have none: it is a DATE or TIMESTAMP if it looks like one, else a STRING.
func (g *Guess) AddTemporal(b []byte) {
	if g.seen&isString != 0 {
		return
	}
	if l := of(b); l&(isDate|isTimestamp) != 0 {
		g.seen |= l
		return
	}
	g.seen |= isString
}

// of tells what one value looks like.
func of(b []byte) look {
	if len(b) == 0 {
		return isString
	}
	switch c := b[0]; {
	case c-'0' <= 9, c == '-', c == '+', c == '.':
		if len(b) >= 10 && b[4] == '-' {
			if _, ok := text.ParseDate(b); ok {
				return isDate
			}
			if _, ok := text.ParseTimestamp(b); ok {
				return isTimestamp
			}
		}
		if needlessZero(b) {
			return isString
		}
		if _, ok := text.ParseInt(b); ok {
			return isInt
		}
		if _, ok := text.ParseFloat(b); ok {
			return isFloat
		}
	case c|0x20 == 't', c|0x20 == 'f':
		if _, ok := text.ParseBool(b); ok {
			return isBool
		}
	case c|0x20 == 'i', c|0x20 == 'n':
		if _, ok := text.ParseFloat(b); ok {
			return isFloat
		}
	}
	return isString
}

// needlessZero reports a number such as 007 or 00.5, which loses its zeros if
// it is read as one: it is a code.
func needlessZero(b []byte) bool {
	if b[0] == '-' || b[0] == '+' {
		b = b[1:]
	}
	return len(b) > 1 && b[0] == '0' && b[1]-'0' <= 9
}

// Type returns the narrowest type for all values seen; STRING if there were none.
func (g *Guess) Type() types.Type {
	switch g.seen {
	case isBool:
		return types.BOOL
	case isInt:
		return types.INT
	case isFloat, isInt | isFloat:
		return types.FLOAT
	case isDate:
		return types.DATE
	case isTimestamp, isDate | isTimestamp:
		return types.TIMESTAMP
	}
	return types.STRING
}
