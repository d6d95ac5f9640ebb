package sdfs

import (
	"context"
	"iter"
	"sync"
)

// Bounds of what CopyTo reads ahead: 8 MB.
const (
	pieceBytes  = 1 << 20 // the most of a piece
	pieceBlocks = 16      // the most blocks of it: each may be on another machine, and is asked for by itself
	aheadPieces = 8       // that are being read, or have been and wait for those before them
)

// CopyTo gives all bytes of the file to sink, in order, and reads ahead meanwhile, so that a disk or a network is waited for once and
// not for each piece. What sink gets is its own during the call only. The copy ends with ctx, whose cause it then gives.
func (f *File) CopyTo(ctx context.Context, sink func(p []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	defer context.AfterFunc(f.s.ctx, cancel)()
	buffers := sync.Pool{New: func() any { return new([pieceBytes]byte) }}
	queue := make(chan chan piece, aheadPieces-1)
	work.Go(func() {
		defer close(queue)
		for off, n := range f.pieces() {
			done := make(chan piece, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			work.Go(func() {
				buf := buffers.Get().(*[pieceBytes]byte)
				done <- piece{buf, n, f.readPiece(ctx, buf[:n], off)}
			})
		}
	})
	for done := range queue {
		var p piece
		select {
		case p = <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if p.err != nil {
			return p.err
		}
		if err := sink(p.buf[:p.n]); err != nil {
			return err
		}
		buffers.Put(p.buf)
	}
	return context.Cause(ctx)
}

// piece is a part of a file that was read.
type piece struct {
	buf *[pieceBytes]byte
	n   int
	err error
}

func (f *File) readPiece(ctx context.Context, p []byte, off int64) error {
	if err := f.s.begin(); err != nil {
		return err
	}
	defer f.s.end()
	_, err := f.readAt(ctx, p, off, false)
	return err
}

// pieces cuts the file where its blocks begin, and large blocks further.
func (f *File) pieces() iter.Seq2[int64, int] {
	return func(yield func(int64, int) bool) {
		start, size, count := int64(0), 0, 0
		flush := func() bool {
			ok := size == 0 || yield(start, size)
			start, size, count = start+int64(size), 0, 0
			return ok
		}
		for _, b := range f.file.Blocks.All() {
			if left := int(b.Length); size+left > pieceBytes || count == pieceBlocks {
				if !flush() {
					return
				}
			}
			for left := int(b.Length); left > 0; {
				n := min(left, pieceBytes-size)
				size, left = size+n, left-n
				if size == pieceBytes && !flush() {
					return
				}
			}
			count++
		}
		flush()
	}
}
