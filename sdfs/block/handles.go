package block

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// mostHandles bounds the disk files kept open for reading.
const mostHandles = 128

// handle is a disk file open for reading, and for a large block its footer.
type handle struct {
	f      vfs.File
	foot   footer
	refs   int
	closed bool // no longer among the open ones; the last user closes f
}

// handles keeps disk files open between reads.
type handles struct {
	disk  vfs.FS
	mu    sync.Mutex
	lru   *simplelru.LRU[string, *handle]
	drops int // so far
}

func newHandles(disk vfs.FS) *handles {
	h := &handles{disk: disk}
	h.lru, _ = simplelru.NewLRU(mostHandles, func(_ string, old *handle) { // fails for sizes below 1 only
		old.closed = true
		if old.refs == 0 {
			_ = old.f.Close() // was only read
		}
	})
	return h
}

// get opens a file, or finds it open; own is the large block it holds, nil for a segment.
// The caller hands the handle to put.
func (h *handles) get(name string, own *namespace.Block) (*handle, error) {
	h.mu.Lock()
	if found, ok := h.lru.Get(name); ok {
		found.refs++
		h.mu.Unlock()
		return found, nil
	}
	drops := h.drops
	h.mu.Unlock()
	f, err := h.disk.Open(name)
	if err != nil {
		return nil, err
	}
	opened := &handle{f: f, refs: 1}
	if own != nil {
		if opened.foot, err = readFooter(f, h.disk.Path(name), *own); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if found, ok := h.lru.Get(name); ok { // someone was faster
		_ = f.Close()
		found.refs++
		return found, nil
	}
	if h.drops != drops { // what was opened may be a file that has gone since, and its name have another
		opened.closed = true
		return opened, nil
	}
	h.lru.Add(name, opened)
	return opened, nil
}

func (h *handles) put(u *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u.refs--
	if u.refs == 0 && u.closed {
		_ = u.f.Close() // was only read
	}
}

// drop lets go of a file that is about to be removed.
func (h *handles) drop(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lru.Remove(name)
	h.drops++
}

func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lru.Purge()
}

// readFooter reads and checks the footer of a large block against what the namespace says of it.
func readFooter(f vfs.File, path string, want namespace.Block) (footer, error) {
	foot, err := loadFooter(f, path, want.ID, want.Length)
	if err == nil && foot.blk != want {
		err = otherBlock(want, path)
	}
	if err != nil {
		return footer{}, err
	}
	return foot, nil
}

func otherBlock(want namespace.Block, path string) error {
	return &CorruptError{Block: want.ID, Chunk: -1, Path: path, Offset: int64(want.Length), Reason: "it holds another block"}
}

// loadFooter reads and checks the footer of a large block of which id and length are known.
func loadFooter(f vfs.File, path string, id namespace.BlockID, length uint32) (footer, error) {
	bad := func(off int64, reason string) (footer, error) {
		return footer{}, &CorruptError{Block: id, Chunk: -1, Path: path, Offset: off, Reason: reason}
	}
	size, err := f.Size()
	if err != nil {
		return footer{}, err
	}
	if expect := int64(length) + footerSize(length); size != expect {
		return bad(min(size, expect), fmt.Sprintf("it has %d bytes instead of %d", size, expect))
	}
	buf := make([]byte, footerSize(length))
	if err := readFull(f, buf, int64(length)); err != nil {
		return footer{}, lacking(err, id, path, int64(length))
	}
	foot, ok := parseFooter(buf, length)
	if !ok {
		return bad(int64(length), "the checksum behind the block is wrong")
	}
	if foot.blk.ID != id {
		return footer{}, otherBlock(namespace.Block{ID: id, Length: length}, path)
	}
	return foot, nil
}
