package connect

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// Program says how rows go through an external program: written to its standard
// input and read from its standard output, as csv or jsonl. It is plain data.
type Program struct {
	Path    string        `json:"path"` // a name to be found in PATH, or a path
	Args    []string      `json:"args"` // given as they are: no shell sees them
	Options Options       `json:"options"`
	Timeout time.Duration `json:"timeout,omitempty"` // longest time without a byte in or out; 0: without limit
	In      types.Schema  `json:"in"`                // what the program reads
	Out     types.Schema  `json:"out"`               // what it writes
}

// Process is a program that is running. It is used by one goroutine at a time.
// Batches that it emits are borrowed by emit.
type Process interface {
	// Push hands over rows, whose columns it borrows, and emits what the
	// program has written meanwhile. more is false once the program has closed
	// its input: it wants no more rows.
	Push(ctx context.Context, cols []arrow.Array, rows int, emit func(*Batch) error) (more bool, err error)
	// Finish ends the program's input, emits what it still writes and waits for
	// its end. An exit status other than 0 is a *ProgramError.
	Finish(ctx context.Context, emit func(*Batch) error) error
	// Close kills the program, with all that it started, if it runs. It is idempotent.
	Close() error
}

// StartProgram is what starts programs; see package program.
type StartProgram func(ctx context.Context, p *Program, mem memory.Allocator) (Process, error)

// ProgramError says how a program failed.
type ProgramError struct {
	Program string
	Msg     string // what happened
	Stderr  string // the end of what it wrote to its standard error
	Hint    string
}

// Error is one line for what happened, then the program's own last words.
func (e *ProgramError) Error() string {
	s := "program " + e.Program + ": " + e.Msg
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	if e.Stderr != "" {
		s += "\nits standard error ended with:\n" + e.Stderr
	}
	return s
}
