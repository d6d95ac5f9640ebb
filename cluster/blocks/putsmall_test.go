package blocks

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/block"
)

// hanging is a disk whose fsyncs of small blocks wait.
type hanging struct {
	vfs.FS
	until chan struct{}
}

type hangingFile struct {
	vfs.File
	until chan struct{}
}

func (d hanging) OpenWrite(name string) (vfs.File, error) {
	f, err := d.FS.OpenWrite(name)
	if err == nil && strings.HasPrefix(name, "segments/") {
		f = hangingFile{f, d.until}
	}
	return f, err
}

func (f hangingFile) Sync() error {
	<-f.until
	return f.File.Sync()
}

// TestQueued: what waits for a disk that hangs is bounded, what nobody waits for any more is not written, and once the disk goes on all is as before.
func TestQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := hanging{simdisk.New(), make(chan struct{})}
		l, err := OpenLocal(t.Context(), LocalConfig{FS: disk, Self: holder(1), Log: twoServers(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		const size = 4 * block.MaxSmall
		put := func(ctx context.Context) error {
			group := make([]Small, 4)
			for i := range group {
				b, data := of(block.MaxSmall)
				group[i] = Small{Block: b, Data: data}
			}
			return l.PutSmall(ctx, Head{Lease: 7}, group)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var work sync.WaitGroup
		said := map[string]int{}
		for range 2 * mostQueued / size {
			work.Go(func() {
				err := put(ctx)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, errBusy):
					said["busy"]++
				case errors.Is(err, context.Canceled):
					said["canceled"]++
				default:
					said[err.Error()]++
				}
			})
		}
		synctest.Wait()
		if n := l.queued.Load(); n != mostQueued || said["busy"] != mostQueued/size || len(said) != 1 {
			t.Errorf("%d bytes wait, and %v", n, said)
		}
		cancel()
		work.Wait()
		synctest.Wait()
		if n := l.queued.Load(); n != mostWriting || said["canceled"] != mostQueued/size || len(said) != 2 || len(l.staged) != 4*mostWriting/size {
			t.Errorf("once nobody waits: %d bytes, %d ids, and %v", n, len(l.staged), said)
		}
		close(disk.until)
		synctest.Wait()
		if n := l.queued.Load(); n != 0 || l.store.Len() != 4*mostWriting/size {
			t.Errorf("once the disk goes on: %d bytes wait, %d blocks are there", n, l.store.Len())
		}
		for range 2 * mostQueued / size {
			if err := put(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := l.queued.Load(); n != 0 {
			t.Errorf("at the end %d bytes wait", n)
		}
	})
}
