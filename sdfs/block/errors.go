package block

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// CorruptError says that stored bytes are not those that were written, or that the disk cannot read them. Nothing of the
// chunk is given out.
type CorruptError struct {
	File   string // in the store; empty where it is not known
	Block  namespace.BlockID
	Chunk  int    // of the block, from 0; -1: not in one chunk
	Path   string // on disk; empty where the block is nowhere
	Offset int64  // in the disk file, in bytes
	Reason string
	Err    error // what the disk said, where it could not read them; nil where it gave others
}

// Unwrap gives what the disk said.
func (e *CorruptError) Unwrap() error { return e.Err }

// Reasons of a CorruptError that several places give.
const (
	notHere     = "the block is in no disk file"
	fileMissing = "its disk file is missing"
)

func (e *CorruptError) Error() string {
	var b strings.Builder
	if e.File != "" {
		fmt.Fprintf(&b, "%q is damaged: ", e.File)
	}
	if e.Block != (namespace.BlockID{}) {
		fmt.Fprintf(&b, "block %s", e.Block)
		if e.Chunk >= 0 {
			fmt.Fprintf(&b, ", chunk %d", e.Chunk)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Reason)
	if e.Path != "" {
		fmt.Fprintf(&b, " (%s at byte %d)", e.Path, e.Offset)
	}
	return b.String()
}
