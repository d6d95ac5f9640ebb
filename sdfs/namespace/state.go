// Package namespace is the pure state machine of the file store: names and
// the blocks behind them, leases, and the requests that were answered lately.
// It knows no disk, no network and no clock. Applying the same entries in the
// same order gives the same state anywhere, in one process today and under a
// replicated log later.
package namespace

import (
	"encoding/binary"
	"iter"
	"math"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/rainsql/rainsql/sdfs/retry"
)

// RetryWindow is for how long, in µs of log time, the result of a request is remembered.
const RetryWindow = retry.Span

// Window is how far ahead of its oldest request under way a client may be, and how many results of it are remembered.
const Window = retry.Window

// MaxLease is the longest, in µs, that a lease may last from log time on.
const MaxLease = 60 * 60 * 1e6

// State is the namespace after some entry. It is immutable and may be read by anyone.
type State struct {
	index   uint64
	logTime int64 // µs, the latest of the entries' times
	lastID  uint64
	blocks  int64
	bytes   int64
	files   *iradix.Tree[*File]
	leases  *iradix.Tree[int64] // id to end
	nextEnd int64               // no lease ends before
	retries retry.Table
}

// File is what the namespace knows of a file. It is immutable.
type File struct {
	ID         uint64 // never reused; a rename keeps it
	Generation uint64 // from 1; counts replacements. Offsets stay valid within a generation
	Version    uint64 // index of the entry that last changed name or content; a merge changes neither
	Created    int64  // µs since 1970, log time
	Modified   int64
	Blocks     Blocks
}

// New is the empty namespace.
func New() *State {
	return &State{files: iradix.New[*File](), leases: iradix.New[int64](), nextEnd: math.MaxInt64}
}

// Index is that of the last entry applied; 0: none.
func (s *State) Index() uint64 { return s.index }

// Time is the log time in µs since 1970.
func (s *State) Time() int64 { return s.logTime }

// Len is the number of files.
func (s *State) Len() int { return s.files.Len() }

// Size is the number of blocks and bytes in all files.
func (s *State) Size() (blocks, bytes int64) { return s.blocks, s.bytes }

// Get finds a file.
func (s *State) Get(name string) (*File, bool) { return s.files.Get([]byte(name)) }

// Files yields the files whose names begin with prefix, in the order of their names.
func (s *State) Files(prefix string) iter.Seq2[string, *File] {
	return func(yield func(string, *File) bool) {
		s.files.Root().WalkPrefix([]byte(prefix), func(name []byte, f *File) bool {
			return !yield(string(name), f)
		})
	}
}

// Leases lists the leases that have not ended.
func (s *State) Leases() []uint64 {
	var ids []uint64
	s.leases.Root().Walk(func(k []byte, _ int64) bool {
		ids = append(ids, binary.BigEndian.Uint64(k))
		return false
	})
	return ids
}

// LeaseEnd is when the first of the leases ends that are open, µs of log time; math.MaxInt64: none is.
func (s *State) LeaseEnd() int64 { return s.nextEnd }

// key orders numbers in a tree.
func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
