package sdfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// Report is what a check found.
type Report struct {
	Files  int     // that the namespace names
	Blocks int64   // of these
	Bytes  int64   // read
	Faults []Fault // what is wrong; none: all is well
	// Orphans are disk files that nothing names. They are no fault: a crash leaves some, which
	// the next opening removes.
	Orphans []string
}

// Check reads everything that the store has on disk, past all caches, and names what is wrong;
// what was wrong on opening, too. Others may use the store meanwhile. progress, if not nil, is told the bytes
// read and about how many there are. The error is only for what kept the check from going on.
func (e *Embedded) Check(ctx context.Context, progress func(done, total int64)) (Report, error) {
	if err := e.begin(); err != nil {
		return Report{}, err
	}
	defer e.end()
	l := e.local
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	c := checker{disk: l.cfg.FS, blocks: l.blocks, progress: progress}
	c.report.Faults = slices.Clone(l.found)
	state := l.snapshot()
	usage := l.blocks.Usage()
	c.total = usage.DiskBytes + l.log.Bytes()
	c.checkFormat()
	if !l.isLow() {
		c.checkReserve(l.cfg.ReserveBytes)
	}
	damage, n, err := l.log.Check(ctx)
	for _, d := range damage {
		c.fault(logFault(d))
	}
	c.read(n)
	if err != nil {
		return c.report, err
	}
	for name := range state.Files("") {
		f, err := l.Open(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue // removed since the check began
		}
		if err != nil {
			return c.report, err
		}
		err = c.checkFile(ctx, name, f.File)
		f.Release()
		if err != nil {
			return c.report, err
		}
	}
	err = c.finish(ctx, true)
	return c.report, err
}

// CheckDir checks a store that is not open and may be too damaged to be opened. It changes nothing.
func CheckDir(ctx context.Context, cfg Config) (Report, error) {
	cfg = cfg.withDefaults()
	if _, err := cfg.FS.Stat(logDir); err != nil {
		return Report{}, fmt.Errorf("%s is no file store: %w", cfg.FS.Path(""), err)
	}
	lock, err := takeLock(cfg)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = lock.Close() }() // only held
	l := &local{cfg: cfg, state: namespace.New()}
	c := checker{disk: cfg.FS}
	c.checkFormat()
	c.checkReserve(cfg.ReserveBytes)
	found, err := wal.Inspect(ctx, logOptions(cfg), (*replayer)(l))
	if err != nil {
		return c.report, err
	}
	for _, d := range found.Faults {
		c.fault(logFault(d))
	}
	whole := len(found.Faults) == 0
	c.read(found.Bytes)
	if l.blocks, err = block.Open(ctx, l.blockOptions(found.Clean)); err != nil {
		return c.report, err
	}
	defer func() { _ = l.blocks.Close() }() // only read
	c.blocks = l.blocks
	l.claim()
	l.blocks.Judge()
	for _, d := range l.blocks.Faults() {
		c.fault(blockFault(d))
	}
	for name, f := range l.state.Files("") {
		if err := c.checkFile(ctx, name, f); err != nil {
			return c.report, err
		}
	}
	err = c.finish(ctx, whole)
	return c.report, err
}

// checker gathers what is wrong.
type checker struct {
	disk     vfs.FS
	blocks   *block.Store
	progress func(done, total int64)
	total    int64
	report   Report
}

// fault notes a fault, unless it is known: what opening found is found again by reading.
func (c *checker) fault(f Fault) {
	if f.Block != "" && f.File == "" && slices.ContainsFunc(c.report.Faults, func(k Fault) bool { return k.Block == f.Block }) {
		return // known with the file it belongs to
	}
	same := func(k Fault) bool { return k.Path == f.Path && k.Offset == f.Offset && k.Block == f.Block }
	if !slices.ContainsFunc(c.report.Faults, same) {
		c.report.Faults = append(c.report.Faults, f)
	}
}

func (c *checker) read(n int64) {
	c.report.Bytes += n
	if c.progress != nil {
		c.progress(c.report.Bytes, max(c.total, c.report.Bytes))
	}
}

func (c *checker) checkFormat() {
	data, err := vfs.ReadFile(c.disk, formatName, 4096)
	switch {
	case err != nil:
		c.fault(Fault{Path: c.disk.Path(formatName), Reason: err.Error()})
	case !isFormat(data):
		c.fault(Fault{Path: c.disk.Path(formatName), Reason: "it is not what a store of this format holds"})
	}
	c.read(int64(len(data)))
}

// checkReserve checks the reserve, which may be missing: then the disk was full.
func (c *checker) checkReserve(size int64) {
	f, err := c.disk.Open(reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	reason := ""
	if err == nil {
		data := make([]byte, size+1)
		n, rerr := f.ReadAt(data, 0)
		if rerr != nil && !errors.Is(rerr, io.EOF) {
			err = rerr
		} else if want := reserveText(int64(n)); !bytes.Equal(data[:n], want) {
			reason = "it is not what a reserve holds (remove the file, and it is made anew)"
		}
		c.read(int64(n))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		reason = err.Error()
	}
	if reason != "" {
		c.fault(Fault{Path: c.disk.Path(reserveName), Reason: reason})
	}
}

func (c *checker) checkFile(ctx context.Context, name string, f *namespace.File) error {
	c.report.Files++
	for _, b := range f.Blocks.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.report.Blocks++
		err := c.blocks.Verify(ctx, b)
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			corrupt.File = name
			c.fault(blockFault(corrupt))
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil: // the disk does not give it
			c.fault(Fault{File: name, Block: b.ID.String(), Reason: err.Error()})
		}
		if b.Length > block.MaxSmall {
			c.read(int64(b.Length))
		}
	}
	return nil
}

// finish checks what is left: segments with all that is wanted no more, and, if the namespace is
// known whole, what nothing names.
func (c *checker) finish(ctx context.Context, whole bool) error {
	err := c.blocks.CheckSegments(ctx, func(e *CorruptError) { c.fault(blockFault(e)) }, c.read)
	if err != nil || !whole {
		return err
	}
	c.report.Orphans, err = c.blocks.Strays()
	return err
}
