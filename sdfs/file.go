package sdfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Info describes a file.
type Info struct {
	Name       string
	ID         uint64 // of the file; a rename or a replacement keeps it, and it is never used again
	Generation uint64 // counts replacements from 1; within one, bytes are only added at the end
	Version    uint64 // changes with name and content, not when blocks are merged
	Size       int64  // bytes
	Blocks     int
	Created    time.Time
	Modified   time.Time // when the content changed last
}

// InfoOf describes a file of a namespace.
func InfoOf(name string, f *namespace.File) Info {
	return Info{
		Name: name, ID: f.ID, Generation: f.Generation, Version: f.Version, Size: f.Blocks.Size(), Blocks: f.Blocks.Len(),
		Created: timeOf(f.Created), Modified: timeOf(f.Modified),
	}
}

// File is the content of a file as it was at OpenFile: what others append, replace, merge or
// remove meanwhile does not touch it. All methods may be called concurrently.
type File struct {
	s       *Store
	name    string
	file    *namespace.File
	ctx     context.Context // of what ReadAt reads
	cancel  context.CancelFunc
	release func()
	closed  atomic.Bool
}

// OpenFile opens a file to read. Its space on disk cannot be given back before Close.
func (s *Store) OpenFile(ctx context.Context, name string) (*File, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return s.openFile(ctx, name)
}

func (s *Store) openFile(ctx context.Context, name string) (*File, error) {
	c, err := s.backend.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	f := &File{s: s, name: name, file: c.File, release: c.Release}
	f.ctx, f.cancel = context.WithCancel(s.ctx)
	return f, nil
}

// Info describes the file as it was opened.
func (f *File) Info() Info { return InfoOf(f.name, f.file) }

// Size is the number of bytes.
func (f *File) Size() int64 { return f.file.Blocks.Size() }

// Blocks yields the blocks that the content is made of, each with the offset it starts at.
func (f *File) Blocks() iter.Seq2[int64, namespace.Block] { return f.file.Blocks.All() }

// largeRead is from how many bytes on a read goes past the cache.
const largeRead = 256 << 10

// ReadAt reads len(p) bytes from off on, or up to the end with io.EOF, as io.ReaderAt has it. Bytes
// that are not those that were written are never given out: the error is a *CorruptError, and n
// counts the bytes before the damaged chunk at most.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if err := f.s.begin(); err != nil {
		return 0, err
	}
	defer f.s.end()
	return f.readAt(f.ctx, p, off, len(p) < largeRead)
}

// readAt is ReadAt within a call; with keep, what is read stays in the cache.
func (f *File) readAt(ctx context.Context, p []byte, off int64, keep bool) (int, error) {
	if f.closed.Load() {
		return 0, fmt.Errorf("%q is %w", f.name, ErrClosed)
	}
	if off < 0 {
		return 0, fmt.Errorf("%q: reading at the negative offset %d", f.name, off)
	}
	n := 0
	for start, b := range f.file.Blocks.From(off) {
		if n == len(p) {
			break
		}
		from := off + int64(n) - start
		part := p[n:min(len(p), n+int(int64(b.Length)-from))]
		if err := f.s.backend.Read(ctx, b, from, part, keep); err != nil {
			var corrupt *CorruptError
			if errors.As(err, &corrupt) {
				corrupt.File = f.name
			}
			return n, err
		}
		n += len(part)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Interrupt ends what ReadAt waits for, now and from then on. What need not be waited for it may still give.
func (f *File) Interrupt() { f.cancel() }

// Close lets go of the content.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return fmt.Errorf("%q is %w", f.name, ErrClosed)
	}
	f.cancel()
	f.release()
	return nil
}
