package connect

import "github.com/apache/arrow-go/v18/arrow"

// Sharing is how several tasks write a file, or a folder, together.
type Sharing string

// The ways to share. "" is a file that one task writes.
const (
	BySplit Sharing = "by split" // each writes pieces of a file, which has the rows in the order of their source's splits
	ByTask  Sharing = "by task"  // each writes pieces of a file, whose rows have no order
	InParts Sharing = "in parts" // each writes a file of its own in a folder
)

// Shared is what several tasks write together, those of this process and maybe
// of others. It is safe for concurrent use. Of all tasks number 0 writes what is there once.
type Shared interface {
	// Task gives one of the tasks that are here its share; it is called once for each.
	Task(task int) (Share, error)
	// Commit, after all shares have ended, makes what was written visible, or
	// hands it to whoever does that for all processes; after it, Abort does nothing.
	Commit() error
	// Abort drops what was written, once nobody writes any more. It is idempotent.
	Abort() error
}

// Share is what one task writes of it. It is used by one goroutine at a time,
// and may wait for a disk, but not for other tasks.
type Share interface {
	// Write appends rows; it borrows the columns. With BySplit it is told of
	// which split of the source they are: those of one task only rise.
	Write(cols []arrow.Array, rows, split int) error
	// EndSplit says that there are no more rows of a split, if there were any.
	EndSplit(split int) error
	// End says that there are no more rows of this task.
	End() error
}

// Divisible reports whether a file with these options, whose format is decided,
// can be put together of pieces that are a header and rows, or rows alone.
func (o Options) Divisible() bool {
	switch o.Format {
	case "csv", "tsv", "jsonl", "text":
		return true
	}
	return false
}
