// Package connect is where rows enter and leave: the file formats and the
// places that hold them. A source turns bytes into Arrow batches split by
// split, a sink turns batches into bytes; neither knows of queries.
//
// Opening a source reads just enough to know its columns. What is expensive
// (reading, parsing) happens in readers, one per split, which run concurrently.
package connect

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// Pseudo names a column that every row has without the file storing it.
type Pseudo string

// The pseudo-columns, produced only where a scan asks for them.
const (
	PseudoFile   Pseudo = "_file"   // STRING: the path the row came from, as the query names it
	PseudoLine   Pseudo = "_line"   // INT: the number of the line the row starts on, from 1, header included
	PseudoOffset Pseudo = "_offset" // INT: the byte the row starts at, from 0
)

// Pseudos lists the pseudo-columns with their types, in a fixed order.
func Pseudos() types.Schema {
	return types.Schema{
		{Name: string(PseudoFile), Type: types.STRING},
		{Name: string(PseudoLine), Type: types.INT},
		{Name: string(PseudoOffset), Type: types.INT},
	}
}

// Source is a set of files read as one table. It is safe for concurrent use.
type Source interface {
	// Schema is the stored columns in file order, pseudo-columns not among them.
	Schema() types.Schema
	// Size is the total of bytes to read, or -1 where it cannot be known.
	Size() int64
	// Splits cuts the source into ranges of about target bytes (0: the
	// format's own choice), in file order: the rows of split i come before
	// those of split i+1. Splits of one source are opened in order, though not
	// one after another: a reader may wait for what an earlier split learns
	// (the quotes open at its end), never for one that was not opened yet.
	Splits(target int64) ([]Split, error)
	// Open starts to read one split. ctx bounds the whole life of the reader.
	Open(ctx context.Context, s Split, scan Scan) (Reader, error)
	// Close frees what the source holds; its readers are closed by then.
	Close() error
}

// Split is a range of one file that a single reader reads. It is plain data.
type Split struct {
	Ordinal int    // position among the splits of the source
	File    string // as the query names it
	Offset  int64  // first byte
	Length  int64  // bytes; -1 to the end, where the size is not known
	Packed  int64  // size of the compressed file of which this is all; 0: it is not compressed, or its size is not known
	First   int    // position of the first split of the same file
}

// Column asks a scan for one column: a stored one by its position in
// Source.Schema, or a pseudo-column (Index is then -1).
type Column struct {
	Index  int    `json:"index"`
	Pseudo Pseudo `json:"pseudo,omitempty"`
}

// Scan says what to read. Columns may be empty: batches then only count rows.
type Scan struct {
	Columns   []Column
	Where     []Condition      // what the rows that matter fulfil; others may be left out
	BatchRows int              // most rows a batch; 0: the default, 8192
	Alloc     memory.Allocator // whence the columns' buffers come
	Counts    Counts           // where readers of other processes tell what their splits hold; nil: all are read in this one
}

// Reader yields the rows of one split. It is used by one goroutine at a time.
type Reader interface {
	// Next returns the next batch, which the caller releases, or io.EOF. Its
	// strings may point into the reader's chunk, which lives as long as they do.
	Next() (*Batch, error)
	// Stats reports what has been read so far.
	Stats() Stats
	// Close frees the reader. It is idempotent, and batches outlive it.
	Close() error
}

// Batch is the rows of one Next, column by column as Scan.Columns asked.
type Batch struct {
	Columns []arrow.Array
	Rows    int
	Origin  Origin // finds a row again, for errors; nil where it makes no sense
}

// Release gives the columns back.
func (b *Batch) Release() {
	for _, c := range b.Columns {
		c.Release()
	}
	b.Columns = nil
}

// Origin says where in the files a row of a batch came from. Locate may read
// the file again: it is for error messages. Safe for concurrent use.
type Origin interface {
	Locate(row int) (file string, line int64)
}

// Stats counts what a reader did.
type Stats struct {
	Bytes   int64 // taken from the file
	Rows    int64 // given out
	Skipped int64 // rows left out by on_error = 'skip'
	Nulled  int64 // rows in which on_error = 'null' replaced a value
	Pruned  int64 // row groups passed over because no row of them fulfils Scan.Where
	Packed  int64 // of Split.Packed, bytes that have been unpacked or are about to be
}

// ErrEnough is what a sink's Write returns, wrapped or not, when it wants no
// more rows: the query ends well, and Commit follows.
var ErrEnough = errors.New("no more rows are wanted")

// Sink receives the rows of a table and makes a file of them, all or nothing.
// It is used by one goroutine at a time.
type Sink interface {
	// Write appends rows; it borrows the columns. Strings may be views or dictionaries.
	Write(cols []arrow.Array, rows int) error
	// Commit makes all that was written visible at once, durably; after it, Abort does nothing.
	Commit() error
	// Abort drops what was written and leaves whatever was there before. Idempotent.
	Abort() error
	// Bytes is how much has been written so far.
	Bytes() int64
}
