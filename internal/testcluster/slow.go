package testcluster

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/internal/vfs"
)

// SlowSync has every fsync of small blocks take so long from now on, on a machine whose disk is alive otherwise.
func (s *Server) SlowSync(d time.Duration) { s.sync.Store(int64(d)) }

// SlowList has the folder of large blocks take so long to be listed from now on, as one does that has millions of them.
func (s *Server) SlowList(d time.Duration) { s.list.Store(int64(d)) }

// slowFS is a disk that takes its time.
type slowFS struct {
	vfs.FS
	sync *atomic.Int64 // how long an fsync of small blocks takes
	list *atomic.Int64 // how long the list of large ones takes
}

func (d slowFS) List(dir string) ([]vfs.Entry, error) {
	if dir == "blocks" {
		time.Sleep(time.Duration(d.list.Load()))
	}
	return d.FS.List(dir)
}

func (d slowFS) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasPrefix(name, "segments/") {
		return f, err
	}
	return slowFile{f, d.sync}, nil
}

func (d slowFS) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return d.wrap(name, f, err)
}

func (d slowFS) OpenWrite(name string) (vfs.File, error) {
	f, err := d.FS.OpenWrite(name)
	return d.wrap(name, f, err)
}

type slowFile struct {
	vfs.File
	sync *atomic.Int64
}

func (f slowFile) Sync() error {
	if d := f.sync.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	return f.File.Sync()
}
