package testcluster

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/connect"
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

// SlowScan has each batch of rows that queries read on the machine take so long from now on.
func (s *Server) SlowScan(d time.Duration) { s.scan.Store(int64(d)) }

// slowOpener opens sources that take their time.
type slowOpener struct {
	jobs.Opener
	scan *atomic.Int64 // how long a batch takes
}

// OpenSource implements task.Opener.
func (o slowOpener) OpenSource(ctx context.Context, path string, opts connect.Options) (connect.Source, error) {
	src, err := o.Opener.OpenSource(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return slowSource{src, o.scan}, nil
}

type slowSource struct {
	connect.Source
	scan *atomic.Int64
}

func (s slowSource) Open(ctx context.Context, sp connect.Split, scan connect.Scan) (connect.Reader, error) {
	r, err := s.Source.Open(ctx, sp, scan)
	if err != nil {
		return nil, err
	}
	return slowReader{r, ctx, s.scan}, nil
}

type slowReader struct {
	connect.Reader
	ctx  context.Context //nolint:containedctx // of the reader, as Open was given it
	scan *atomic.Int64
}

func (r slowReader) Next() (*connect.Batch, error) {
	if d := time.Duration(r.scan.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		}
	}
	return r.Reader.Next()
}
