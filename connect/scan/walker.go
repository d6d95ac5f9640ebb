// Package scan is the part of a reader that all text formats share: it cuts a
// file into splits, reads them in chunks, and makes batches of the rows that
// the format finds in them.
//
// A row belongs to the split in which it begins; its reader reads on past the
// end to finish it. Whether a split begins inside quotes, and on which line,
// follows from how many quotes and newlines the splits before it hold. Those
// counts need no parsing, so each reader takes them first and publishes them,
// before it waits for the counts of others: see Counter.
package scan

import (
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
)

// Chunk is a piece of a file to find rows in.
type Chunk struct {
	Data    []byte // column.Padding more bytes, all zero, follow it in its capacity
	Mid     bool   // the first byte may lie within a row, whose reader is another
	InQuote bool   // and within quotes
	Last    bool   // the file ends with it, so its last row needs no newline
}

// Begun is what a walker learned of a chunk as a whole.
type Begun struct {
	Start   int  // where the first row begins; -1 if none does
	High    bool // there are bytes beyond ASCII
	InQuote bool // the chunk ends inside quotes
}

// Walker finds rows and their fields in a chunk: a format's half of a reader.
// It is used by one goroutine at a time.
type Walker interface {
	// Begin starts on a chunk, which stays valid until the next Begin or Close.
	Begin(c Chunk) Begun
	// Rows locates up to max whole rows that begin before limit. more is false
	// when the chunk has no further one. On a *Fault the rows before it are valid.
	Rows(out *column.Spans, max, limit int) (more bool, err error)
	// Count passes over all whole rows that begin before limit. Rows left out
	// or padded because of their shape are added to out.
	Count(out *column.Spans, limit int) (rows int, err error)
	// At is where the next row begins: the first that was not given out.
	At() int
	// Close gives scratch memory back. Idempotent.
	Close()
}

// Fault is an error at a place in a chunk; the reader adds file and line.
type Fault struct {
	At  int
	Err connect.Error
}

// Error returns the fault's text without its place.
func (f *Fault) Error() string { return f.Err.Error() }
