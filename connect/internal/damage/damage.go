package damage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/scan"
)

// Break returns a copy of a file with damage of one of several kinds.
func Break(r *rand.Rand, file []byte) []byte {
	b := bytes.Clone(file)
	if len(b) < 32 {
		return b
	}
	at := func() int { return r.IntN(len(b) - 16) }
	tail := func() int { return len(b) - 1 - r.IntN(min(len(b)-16, max(64, len(b)/4))) } // where the metadata is
	switch r.IntN(7) {
	case 0:
		for range 1 + r.IntN(8) {
			b[at()] ^= 1 << r.IntN(8)
		}
	case 1:
		for range 1 + r.IntN(4) {
			b[tail()] ^= 1 << r.IntN(8)
		}
	case 2:
		return b[:r.IntN(len(b))]
	case 3:
		from := at()
		clear(b[from:min(len(b), from+1+r.IntN(64))])
	case 4: // two ranges change places
		n := 1 + r.IntN(16)
		i, k := r.IntN(len(b)-n), r.IntN(len(b)-n)
		x := bytes.Clone(b[i : i+n])
		copy(b[i:], b[k:k+n])
		copy(b[k:], x)
	case 5: // huge numbers, as FlatBuffers have them
		for range 1 + r.IntN(4) {
			p := min(at()&^7, len(b)-8)
			binary.LittleEndian.PutUint64(b[p:], []uint64{1 << 31, 1 << 40, 1<<63 - 1, 1<<64 - 2, 1<<32 - 1}[r.IntN(5)])
		}
	default: // huge numbers, as Thrift has them
		p := min(tail(), len(b)-10)
		copy(b[p:], binary.AppendUvarint(nil, []uint64{1 << 31, 1<<32 - 2, 1 << 40, 1<<63 - 1, 1<<64 - 2}[r.IntN(5)]))
	}
	return b
}

// Opener opens a format.
type Opener func(ctx context.Context, in scan.Input, display string, o connect.Options) (connect.Source, error)

// mostBytes is what reading a broken file of a few KB may allocate in all.
const mostBytes = 256 << 20

// Read reads a file whole and makes sure that, whatever becomes of it, no
// memory is lost, no absurd amount is asked for, and no panic had to be caught.
func Read(t testing.TB, open Opener, data []byte) (rows [][]string, err error) {
	t.Helper()
	alloc := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer alloc.AssertSize(t, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	defer func() {
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > mostBytes {
			t.Errorf("%d MB were allocated for a file of %d bytes", n>>20, len(data))
		}
		if err != nil && strings.Contains(err.Error(), "not foreseen") {
			t.Errorf("a panic was caught: %v", err)
		}
	}()
	src, err := open(context.Background(), conntest.File{Data: data}, "broken", connect.Options{})
	if err != nil {
		return nil, err
	}
	res, err := conntest.Read(src, 0, alloc, conntest.Columns(src), 0)
	return res.Rows, errors.Join(err, src.Close())
}
