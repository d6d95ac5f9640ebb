package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/program"
)

// Program implements analyze.Catalog. Of a query that runs elsewhere only those
// who run it can tell.
func (f *files) Program(path string) error {
	if f.store.remote {
		return nil
	}
	return findProgram(path, !f.noPrograms)
}

// StartProgram implements task.Opener.
func (f *files) StartProgram(ctx context.Context, p *connect.Program, mem memory.Allocator) (connect.Process, error) {
	return startProgram(ctx, p, mem, !f.noPrograms)
}

func findProgram(path string, allowed bool) error {
	if !allowed {
		return &connect.ProgramError{Program: path, Msg: "external programs are switched off here", Hint: "who operates the server can allow them"}
	}
	_, err := program.Find(path)
	return err
}

func startProgram(ctx context.Context, p *connect.Program, mem memory.Allocator, allowed bool) (connect.Process, error) {
	if err := findProgram(p.Path, allowed); err != nil {
		return nil, err
	}
	return program.Start(ctx, p, mem)
}
