package formats

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
)

// Divided is a Place where several may write what appears as one.
type Divided interface {
	Place
	// Begin is Create for a file that is written in pieces, of which this is the first.
	Begin(path, display string, mode connect.WriteMode) (FirstPiece, error)
	// Piece begins a further piece, which comes behind the first and those with a lower place, from 0 on.
	Piece(path, display string, place int64) (write.Piece, error)
	// Part begins file number part of a folder, whose name ends as ending says. mode is what becomes of what the folder
	// holds. The first, 0, is the one that refuses a folder with files in it if there must be none.
	Part(folder, ending, display string, part int, mode connect.WriteMode) (Part, error)
}

// Part is a Target that is a file of a folder.
type Part interface {
	Target
	// Spare says that the file is wanted only if the folder gets no other one.
	Spare()
}

// FirstPiece is a Target that is a Piece.
type FirstPiece interface {
	Target
	End() error
}

// NewShared begins what several tasks write together, those of this process. The
// format has been decided. What was said of NewSink holds for all they write.
func NewShared(place Divided, path, display string, schema types.Schema, o connect.Options, how connect.Sharing, tasks []int) (connect.Shared, error) {
	k, err := choose(path, display, o)
	if err != nil {
		return nil, err
	}
	mode, err := o.WriteMode()
	if err != nil {
		return nil, err
	}
	if how == connect.InParts {
		return &folder{begin: func(task int) (connect.Sink, Part, error) {
			return newPart(place, path, display, schema, o, k, mode, task)
		}}, nil
	}
	if !o.Divisible() || how != connect.BySplit && how != connect.ByTask {
		return nil, fmt.Errorf("internal: a %s file written %s", k, how)
	}
	p := write.Pieces{
		Encoder: func() (write.Encoder, error) {
			enc, err := newEncoder(k.format, schema, o)
			return enc, connect.WithFile(err, display)
		},
		Begin: func(at int64) (write.Piece, error) { return place.Piece(path, display, at) },
	}
	enc, err := p.Encoder()
	if err != nil {
		return nil, err
	}
	if slices.Contains(tasks, 0) {
		if p.First, err = first(place, path, display, enc, k, mode); err != nil {
			return nil, err
		}
	}
	return write.NewShared(p, how, tasks), nil
}

// first begins a file of pieces: with its header, unless there are rows already.
func first(place Divided, path, display string, enc write.Encoder, k kind, mode connect.WriteMode) (write.Piece, error) {
	out, err := place.Begin(path, display, mode)
	if err != nil {
		return nil, err
	}
	fresh, err := needsHeader(out, enc, k, display)
	if err == nil && fresh {
		_, err = out.Write(enc.Header(nil))
	}
	if err != nil {
		return nil, errors.Join(err, out.Abort())
	}
	return out, nil
}

// newPart begins a file of a folder. In a mode that extends the folder it is a new one all the same.
func newPart(place Divided, folder, display string, schema types.Schema, o connect.Options, k kind, mode connect.WriteMode, part int) (connect.Sink, Part, error) {
	var enc write.Encoder
	var err error
	if k.text() {
		if enc, err = newEncoder(k.format, schema, o); err != nil {
			return nil, nil, connect.WithFile(err, display)
		}
	}
	out, err := place.Part(folder, k.ending(), display, part, mode)
	if err != nil {
		return nil, nil, err
	}
	sink, err := newSink(out, enc, k, schema, o, true)
	if err != nil {
		return nil, nil, errors.Join(connect.WithFile(err, display), out.Abort())
	}
	return sink, out, nil
}

// ending is that of the names of such files, from which detect knows them.
func (k kind) ending() string {
	if k.format == "text" {
		return strings.Replace("."+k.String(), ".text", ".txt", 1)
	}
	return "." + k.String()
}

// FolderFormat completes the options for a folder of files: the format is said,
// or told by the name, as in 'signs.csv/', or it is parquet.
func FolderFormat(folder, display string, o connect.Options) (connect.Options, error) {
	if o.Format == "" {
		k, ok := detect(strings.TrimSuffix(folder, "/"))
		if !ok {
			k.format = "parquet"
		}
		o.Format = k.String()
	}
	return Resolve(folder, display, o)
}

// CheckParts is CheckSink for the files of a folder. Any format will do to add files to it.
func CheckParts(display string, schema types.Schema, o connect.Options) error {
	if _, err := o.WriteMode(); err != nil {
		return &connect.Error{File: display, Msg: err.Error()}
	}
	o.Mode = ""
	return CheckSink(display, schema, o)
}
