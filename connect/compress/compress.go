// Package compress reads and writes files compressed as a whole, .gz (RFC
// 1952) and .zst (RFC 8878). What comes out is read front to back only.
//
// The decompressors are those of klauspost/compress: they are quicker than the
// standard library's, which has no zstd.
package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/connect/write"
)

// The compressions, by the ending of a file's name.
const (
	Gzip = "gz"
	Zstd = "zst"
)

// maxWindow is how far back zstd data may refer, and so about what unpacking
// it needs in memory, whatever the file declares. `zstd --long` makes 128 MB.
const maxWindow = 128 << 20

// Open returns what in unpacks to, as an input of unknown size. It owns in
// unless it fails. Memory is bounded whatever the file declares, and nothing
// is unpacked that is not asked for.
func Open(in scan.Input, kind, display string) (scan.Input, error) {
	head := make([]byte, 4)
	if n, err := in.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, scan.ReadError(err, display)
	} else if n > 0 && Detect(head[:n]) != kind {
		return nil, fault(gzip.ErrHeader, kind, display)
	}
	from := &reader{in: in}
	var r io.Reader
	var stop func()
	switch kind {
	case Gzip:
		z, err := gzip.NewReader(from)
		if err != nil {
			return nil, fault(err, kind, display)
		}
		r, stop = z, func() { _ = z.Close() } // its error is that of the last Read, told there
	case Zstd:
		z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fault(err, kind, display)
		}
		r, stop = z, z.Close
	default:
		return nil, fmt.Errorf("internal: unknown compression %q", kind)
	}
	a := newAhead(r)
	return &input{Stream: scan.NewStream(&unpacked{a, kind, display}), packed: in, from: from, ahead: a, stop: stop}, nil
}

// input is a stream with what lies under it.
type input struct {
	*scan.Stream
	packed scan.Input
	from   *reader
	ahead  *ahead
	stop   func()
}

// Interrupt ends a read that waits for a pipe.
func (i *input) Interrupt() {
	if f, ok := i.packed.(interface{ Interrupt() }); ok {
		f.Interrupt()
	}
}

// Packed tells how much of the compressed file has been read and its size, 0
// where that is not known. It may be called concurrently.
func (i *input) Packed() (read, size int64) { return i.from.off.Load(), max(i.packed.Size(), 0) }

// Close stops unpacking and closes the file.
func (i *input) Close() error {
	i.ahead.cancel()
	err := i.packed.Close() // which ends a read that waits
	i.ahead.wait()
	i.stop()
	return err
}

// reader reads an input front to back.
type reader struct {
	in  scan.Input
	off atomic.Int64 // written by Read only
}

func (r *reader) Read(p []byte) (int, error) {
	off := r.off.Load()
	if size := r.in.Size(); size >= 0 {
		p = p[:min(int64(len(p)), max(size-off, 0))]
		if len(p) == 0 {
			return 0, io.EOF
		}
	}
	n, err := r.in.ReadAt(p, off)
	r.in.Forget(r.off.Add(int64(n)))
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// unpacked tells what is wrong with the packed data.
type unpacked struct {
	r             io.Reader
	kind, display string
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped EOF is an error
		err = fault(err, u.kind, u.display)
	}
	return n, err
}

func fault(err error, kind, display string) error {
	if told := (*connect.Error)(nil); errors.As(err, &told) {
		return told
	}
	name := map[string]string{Gzip: "gzip", Zstd: "zstd"}[kind]
	e := &connect.Error{File: display, Err: err, Hint: "make it anew from its origin; what has been read of it may be wrong"}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Msg = "its " + name + " data is cut short"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		e.Msg, e.Hint = "is not "+name+" data, as its name says", "give it the name of what it holds"
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.Msg, e.Hint = fmt.Sprintf("unpacking it would take more than %d MB of memory", maxWindow>>20), "compress it without --ultra --long"
	default:
		e.Msg = "its " + name + " data is damaged: " + err.Error()
	}
	return e
}

// Detect returns which compression data begins like, or "".
func Detect(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return Gzip
	case bytes.HasPrefix(head, []byte("\x28\xB5\x2F\xFD")):
		return Zstd
	}
	return ""
}

// Create returns an out that compresses what is written to it. What it commits
// is whole on its own: two of them, one behind the other, are a valid file.
func Create(out write.Out, kind string) (write.Out, error) {
	switch kind {
	case Gzip:
		return &packing{out, gzip.NewWriter(out)}, nil
	case Zstd:
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, err
		}
		return &packing{out, z}, nil
	}
	return nil, fmt.Errorf("internal: unknown compression %q", kind)
}

type packing struct {
	write.Out
	z io.WriteCloser
}

// Write compresses p.
func (p *packing) Write(b []byte) (int, error) { return p.z.Write(b) }

// Commit ends the compressed data and commits it.
func (p *packing) Commit() error {
	if err := p.z.Close(); err != nil {
		return errors.Join(err, p.Out.Abort())
	}
	return p.Out.Commit()
}

// Abort drops what was written.
func (p *packing) Abort() error {
	err := p.Out.Abort()
	_ = p.z.Close() // frees its goroutines; where it writes to is gone
	return err
}
