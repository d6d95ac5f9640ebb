package formats

import (
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/compress"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/connect/write"
)

// Place is where files lie, such as this machine's disk. It is safe for
// concurrent use. display is how messages call a file.
type Place interface {
	// Open opens a file for reading. One that is not there satisfies
	// errors.Is(err, fs.ErrNotExist).
	Open(path, display string) (scan.Input, error)
	// Create begins to write a file, which appears at Commit as mode says.
	Create(path, display string, mode connect.WriteMode) (Target, error)
}

// Target is a file that is being written.
type Target interface {
	write.Out
	// Existing opens what mode append will extend; nil where there is nothing
	// or it is empty. The caller closes it.
	Existing() (scan.Input, error)
	// EndLine says that what is extended is text, whose last line is to be
	// ended first if it is not. It comes before the first Write.
	EndLine() error
}

// Local is this machine's disk. Pipes and devices are read and written as they
// come.
type Local struct{}

// Open implements Place.
func (Local) Open(path, display string) (scan.Input, error) {
	f, err := local.Open(path, display)
	if err != nil {
		return nil, err // not f: a nil *File would be an Input
	}
	return f, nil
}

// Create implements Place.
func (Local) Create(path, display string, mode connect.WriteMode) (Target, error) {
	w, err := local.Create(path, display, mode)
	if err != nil {
		return nil, err
	}
	return target{w}, nil
}

type target struct{ *local.Writer }

func (t target) EndLine() error {
	t.Writer.EndLine()
	return nil
}

func (t target) Existing() (scan.Input, error) {
	f, err := t.Writer.Existing()
	if f == nil || err != nil {
		return nil, err
	}
	return f, nil
}

// unpack returns what the file holds once its compression is undone. It owns
// in unless it fails.
func unpack(in scan.Input, k kind, display string) (scan.Input, error) {
	if k.compression == "" {
		return in, nil
	}
	return compress.Open(in, k.compression, display)
}
