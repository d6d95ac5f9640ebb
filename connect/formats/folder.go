package formats

import (
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
)

// folder is a folder in which each task that has rows writes a file. The first
// one writes a file without rows if it has none, which stays if it is the only
// one: so there is one to read, and none that does not tell the types of its
// columns stands before others. It implements connect.Shared.
type folder struct {
	begin func(task int) (connect.Sink, Part, error)

	mu    sync.Mutex
	files []connect.Sink
}

// Task implements connect.Shared.
func (f *folder) Task(task int) (connect.Share, error) {
	p := &part{f: f, task: task}
	if task > 0 {
		return p, nil
	}
	return p, p.open()
}

// Commit implements connect.Shared: the files were handed over as they ended.
func (*folder) Commit() error { return nil }

// Abort implements connect.Shared.
func (f *folder) Abort() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, s := range f.files {
		errs = append(errs, s.Abort())
	}
	f.files = nil
	return errors.Join(errs...)
}

// part is the file of a task.
type part struct {
	f    *folder
	task int
	sink connect.Sink // nil: not begun
	file Part
	any  bool // it has rows
}

func (p *part) open() (err error) {
	if p.sink, p.file, err = p.f.begin(p.task); err != nil {
		return err
	}
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.f.files = append(p.f.files, p.sink)
	return nil
}

// Write implements connect.Share.
func (p *part) Write(cols []arrow.Array, rows, _ int) error {
	if p.sink == nil {
		if err := p.open(); err != nil {
			return err
		}
	}
	p.any = true
	return p.sink.Write(cols, rows)
}

// EndSplit implements connect.Share.
func (*part) EndSplit(int) error { return nil }

// End implements connect.Share. The file waits, whole, for all of the query.
func (p *part) End() error {
	if p.sink == nil {
		return nil
	}
	if !p.any {
		p.file.Spare()
	}
	return p.sink.Commit()
}
