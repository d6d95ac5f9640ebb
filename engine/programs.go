package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/program"
)

// Program implements analyze.Catalog.
func (f *files) Program(path string) error {
	if f.noPrograms {
		return &connect.ProgramError{Program: path, Msg: "external programs are switched off here", Hint: "who operates the server can allow them"}
	}
	_, err := program.Find(path)
	return err
}

// StartProgram implements task.Opener.
func (f *files) StartProgram(ctx context.Context, p *connect.Program, mem memory.Allocator) (connect.Process, error) {
	if err := f.Program(p.Path); err != nil {
		return nil, err
	}
	return program.Start(ctx, p, mem)
}
