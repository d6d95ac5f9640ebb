package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// stage turns a stream of bytes into blocks that no manifest names yet. It holds at most one
// small block and one write buffer, and completes a large block in the background while the next is
// being written.
type stage struct {
	s         *Store
	blocks    []namespace.Block
	small     []byte        // what may become a small block
	file      BlockWriter   // the large block being written
	finishing chan finished // the one before it
	folder    bool          // there are new names in the folder of blocks
}

type finished struct {
	blk namespace.Block
	err error
}

// write adds bytes. After an error only abort may follow.
func (st *stage) write(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		if st.file == nil {
			n := min(len(p), st.s.sizes.Small-len(st.small))
			st.small = append(st.small, p[:n]...)
			if p = p[n:]; len(p) == 0 {
				return nil
			}
			var err error
			if st.file, err = st.s.backend.NewBlock(ctx); err != nil {
				return err
			}
			if _, err := st.file.Write(st.small); err != nil {
				return err
			}
			st.small = st.small[:0]
		}
		n := int(min(int64(len(p)), st.file.Room()))
		if _, err := st.file.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if st.file.Room() == 0 {
			if err := st.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish completes the large block in the background, once the one before it is complete.
func (st *stage) finish() error {
	if err := st.wait(); err != nil {
		return err
	}
	file, done := st.file, make(chan finished, 1)
	st.file, st.finishing = nil, done
	st.s.workers.Go(func() {
		blk, err := file.Finish()
		done <- finished{blk, err}
	})
	return nil
}

func (st *stage) wait() error {
	if st.finishing == nil {
		return nil
	}
	f := <-st.finishing
	st.finishing = nil
	if f.err == nil {
		st.blocks = append(st.blocks, f.blk)
		st.folder = true
	}
	return f.err
}

// complete makes all of it durable.
func (st *stage) complete(ctx context.Context) error {
	if st.file != nil {
		if err := st.finish(); err != nil {
			return err
		}
	}
	if err := st.wait(); err != nil {
		return err
	}
	if st.folder {
		if err := st.s.backend.Settle(ctx); err != nil {
			return err
		}
		st.folder = false
	}
	if len(st.small) > 0 {
		blk, err := st.s.backend.PutSmall(ctx, st.small)
		if err != nil {
			return err
		}
		st.blocks = append(st.blocks, blk)
	}
	st.small = nil
	return nil
}

// abort gives up what was written.
func (st *stage) abort() {
	_ = st.wait() // it is given up, whatever came of it
	if st.file != nil {
		_ = st.file.Abort() // what is left goes at the next opening
		st.file = nil
	}
	ids := make([]namespace.BlockID, len(st.blocks))
	for i, b := range st.blocks {
		ids[i] = b.ID
	}
	st.s.backend.Free(ids)
	st.blocks, st.small = nil, nil
}

// release closes the disk file that is being written, in a store that is closed: another process may have
// opened it, so nothing else may be touched.
func (st *stage) release() {
	if st.file != nil {
		_ = st.file.Release() // given up
		st.file = nil
	}
}
