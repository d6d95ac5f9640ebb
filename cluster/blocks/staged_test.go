package blocks

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestStaged: how a block came is known while it is here, or may come to be, and not for longer.
func TestStaged(t *testing.T) {
	const lease = 7
	begin := func(t *testing.T, l *Local, b namespace.Block, data []byte) *LocalWriter {
		t.Helper()
		w, err := l.NewBlock(t.Context(), Head{Lease: lease}, b.ID)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	wrong := func(b namespace.Block) namespace.Block { b.CRC ^= 1; return b }
	one := func(b namespace.Block, data []byte) []Small { return []Small{{Block: b, Data: data}} }
	for name, tc := range map[string]struct {
		size int
		run  func(t *testing.T, l *Local, disk *simdisk.Disk, b namespace.Block, data []byte)
		here bool
	}{
		"finished": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			if err := begin(t, l, b, data).Finish(b); err != nil {
				t.Error(err)
			}
		}, true},
		"aborted": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			_ = begin(t, l, b, data).Abort()
		}, false},
		"not what it should be": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			w := begin(t, l, b, data)
			if w.Finish(wrong(b)) == nil {
				t.Error("no error")
			}
			_ = w.Abort()
		}, false},
		"the file cannot be made": {large, func(t *testing.T, l *Local, disk *simdisk.Disk, b namespace.Block, _ []byte) {
			disk.SetHook(func(op simdisk.Op) simdisk.Fault {
				if op.Kind == "create" {
					return simdisk.Fault{Err: syscall.ENOSPC}
				}
				return simdisk.Fault{}
			})
			if _, err := l.NewBlock(t.Context(), Head{Lease: lease}, b.ID); !errors.Is(err, ErrFull) {
				t.Error(err)
			}
		}, false},
		"aborted, and was there": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			_ = begin(t, l, b, data).Finish(b)
			_ = begin(t, l, b, data).Abort()
		}, true},
		"aborted while another is under way": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			first, second := begin(t, l, b, data), begin(t, l, b, data)
			_ = first.Abort()
			_ = first.Abort() // does nothing
			if _, _, known := l.Staged(b.ID); !known {
				t.Error("what is about to be there has no lease")
			}
			if err := second.Finish(b); err != nil {
				t.Error(err)
			}
		}, true},
		"given up while another is under way": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			_ = begin(t, l, b, data).Finish(b)
			second := begin(t, l, b, data)
			if err := l.Free(b.ID); err != nil {
				t.Error(err)
			}
			if err := second.Finish(b); err != nil {
				t.Error(err)
			}
		}, true},
		"given up": {large, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			_ = begin(t, l, b, data).Finish(b)
			if err := l.Free(b.ID); err != nil {
				t.Error(err)
			}
		}, false},
		"small": {small, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			if err := l.PutSmall(t.Context(), Head{Lease: lease}, one(b, data)); err != nil {
				t.Error(err)
			}
		}, true},
		"small, no room": {small, func(t *testing.T, l *Local, disk *simdisk.Disk, b namespace.Block, data []byte) {
			disk.SetCapacity(disk.Used() + 1)
			if err := l.PutSmall(t.Context(), Head{Lease: lease}, one(b, data)); !errors.Is(err, ErrFull) {
				t.Error(err)
			}
		}, false},
		"small, with another that has other content": {small, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			other, more := of(small)
			put(t, l, other, more)
			short := namespace.Block{ID: other.ID, Length: 1, CRC: checksum(more[:1])}
			if l.PutSmall(t.Context(), Head{Lease: lease}, append(one(b, data), one(short, more[:1])...)) == nil {
				t.Error("no error")
			}
			if _, _, known := l.Staged(other.ID); !known {
				t.Error("the other is there, and has no lease")
			}
			_ = l.Free(other.ID)
		}, false},
		"small, nobody waits": {small, func(t *testing.T, l *Local, _ *simdisk.Disk, b namespace.Block, data []byte) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := l.PutSmall(ctx, Head{Lease: lease}, one(b, data)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			disk := simdisk.New()
			l := open(t, disk, 1, nil).local
			b, data := of(tc.size)
			tc.run(t, l, disk, b, data)
			got, _, known := l.Staged(b.ID)
			if l.Has(b) != tc.here || known != tc.here || known && got != lease || !tc.here && len(l.staged) > 0 {
				t.Errorf("here: %v, lease %d, %v; all: %v", l.Has(b), got, known, l.staged)
			}
		})
	}
}
