package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/sdfs"
)

// Begin implements formats.Divided.
func (p storePlace) Begin(path, display string, mode connect.WriteMode) (formats.FirstPiece, error) {
	t, err := p.Create(path, display, mode)
	if err != nil {
		return nil, err
	}
	return t.(*storeTarget), nil
}

// Piece implements formats.Divided.
func (p storePlace) Piece(path, display string, place int64) (write.Piece, error) {
	open, err := p.store.Open(p.ctx)
	if err != nil {
		return nil, err
	}
	w, err := open.CreatePiece(p.ctx, path, place+1) // the first one has place 0
	if err != nil {
		return nil, storeError(err, display)
	}
	return &storeTarget{Writer: w, place: p, path: path, display: display}, nil
}

// Part implements formats.Divided.
func (p storePlace) Part(folder, ending, display string, part int, mode connect.WriteMode) (formats.Part, error) {
	open, err := p.store.Open(p.ctx)
	if err != nil {
		return nil, err
	}
	w, err := open.CreatePart(p.ctx, sdfs.Folder{Name: folder, Mode: modes[mode]}, part, ending)
	if err != nil {
		return nil, folderError(err, display)
	}
	return &storeTarget{Writer: w, place: p, path: w.Name(), display: display}, nil
}

// folderError is storeError for what is about a folder.
func folderError(err error, display string) error {
	if errors.Is(err, sdfs.ErrExists) {
		return &connect.Error{File: display, Msg: "has files already", Hint: "mode = 'replace' would replace them, mode = 'append' leave them", Err: err}
	}
	return storeError(err, display)
}

// End implements write.Piece.
func (t *storeTarget) End() error { return storeError(t.Writer.End(), t.display) }

// newShared begins what several tasks write, in a place where that is possible.
func newShared(p place, path string, schema types.Schema, o connect.Options, how connect.Sharing, tasks []int) (connect.Shared, error) {
	d, ok := p.(formats.Divided)
	if !ok {
		return nil, fmt.Errorf("internal: %s is written by several tasks", path)
	}
	return formats.NewShared(d, path, path, schema, o, how, tasks)
}

// NewShared implements task.Opener.
func (f *files) NewShared(ctx context.Context, path string, schema types.Schema, o connect.Options, how connect.Sharing, tasks []int) (connect.Shared, error) {
	p, err := f.placeOf(ctx, path)
	if err != nil {
		return nil, err
	}
	return newShared(p, path, schema, o, how, tasks)
}

// NewShared implements task.Opener.
func (o *Opener) NewShared(ctx context.Context, path string, schema types.Schema, options connect.Options, how connect.Sharing, tasks []int) (connect.Shared, error) {
	p, err := o.place(ctx, path)
	if err != nil {
		return nil, err
	}
	return newShared(p, path, schema, options, how, tasks)
}
