package sdfs

import "fmt"

// Fault is something wrong with a store.
type Fault struct {
	File   string // in the store; empty where it concerns none, or which is not known
	Block  string // id; empty where it concerns none
	Path   string // on disk; empty where something is missing altogether
	Offset int64  // in the disk file, in bytes
	Reason string
}

// Error makes a fault fit for where errors are reported.
func (f Fault) Error() string {
	text := f.Reason
	if f.Block != "" {
		text = fmt.Sprintf("block %s: %s", f.Block, text)
	}
	if f.File != "" {
		text = fmt.Sprintf("%q: %s", f.File, text)
	}
	if f.Path != "" {
		text = fmt.Sprintf("%s (%s at byte %d)", text, f.Path, f.Offset)
	}
	return text
}

func logFault(e *DamageError) Fault { return Fault{Path: e.Path, Offset: e.Offset, Reason: e.Reason} }

func blockFault(e *CorruptError) Fault {
	f := Fault{File: e.File, Path: e.Path, Offset: e.Offset, Reason: e.Reason}
	if e.Block != (CorruptError{}).Block {
		f.Block = e.Block.String()
	}
	if e.Chunk >= 0 {
		f.Reason = fmt.Sprintf("chunk %d: %s", e.Chunk, e.Reason)
	}
	return f
}
