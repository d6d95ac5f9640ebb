package sdfs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Mode says what a Writer does to a file of its name.
type Mode int

// The modes.
const (
	Replace      Mode = iota // its content becomes the new one
	Append                   // the new content goes to its end; if it was replaced or removed since Create, ErrConflict
	MustNotExist             // Create or Commit is refused with ErrExists
)

// Writer writes a file of any size, which others see once it is committed: whole or not at
// all. It takes less than 1 MB of memory. It is used by one goroutine at a time, and ends with
// Commit, Store.Commit or Abort; further calls give ErrClosed, but Abort then does nothing.
type Writer struct {
	s      *Store
	ctx    context.Context //nolint:containedctx // of Create: Write is an io.Writer's
	entry  namespace.Entry // without its blocks
	place  int64           // as Written has it
	folder Folder          // likewise
	spare  bool            // likewise
	stage  stage
	err    error // of a Write
	whole  bool  // End was called
	done   bool
	mu     sync.Mutex // guards done: a commit claims several writers
}

// Create begins to write a file; ctx must last as long as its writing. A name that exists with MustNotExist is refused here already.
func (s *Store) Create(ctx context.Context, name string, mode Mode) (*Writer, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	return s.create(ctx, name, mode)
}

// writer begins to write something of a name. Nobody has looked whether there is a file of it.
func (s *Store) writer(ctx context.Context, name string, kind namespace.Kind) (*Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := s.backend.Ready(); err != nil {
		return nil, err
	}
	return &Writer{s: s, ctx: ctx, entry: namespace.Entry{Name: name, Kind: kind}, stage: stage{s: s}}, nil
}

func (s *Store) create(ctx context.Context, name string, mode Mode) (*Writer, error) {
	w, err := s.writer(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	f, exists, err := s.look(ctx, name)
	if err != nil {
		return nil, err
	}
	switch mode {
	case Replace:
		w.entry.Kind = namespace.Replace
	case Append:
		w.entry.Kind = namespace.Append
		if exists {
			w.entry.File, w.entry.Generation = f.ID, f.Generation
		}
	case MustNotExist:
		w.entry.Kind = namespace.Create
		if exists {
			return nil, &namespace.Refusal{Reason: ErrExists, Name: name}
		}
	default:
		return nil, fmt.Errorf("unknown mode %d", mode)
	}
	return w, nil
}

// look describes a file, if there is one.
func (s *Store) look(ctx context.Context, name string) (Info, bool, error) {
	f, err := s.backend.Stat(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return Info{}, false, nil
	}
	return f, err == nil, err
}

// Name is the name the file will have.
func (w *Writer) Name() string { return w.entry.Name }

// Write adds bytes to the file. It keeps no reference to p. After an error the file cannot be
// committed any more.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.s.begin(); err != nil {
		return 0, err
	}
	defer w.s.end()
	if w.done || w.whole {
		return 0, w.closed()
	}
	if w.err == nil {
		w.err = w.s.backend.Explain(w.stage.write(w.ctx, p))
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// End makes what was written durable, and lets go of what writing takes: nothing more can be written. Commit makes it visible
// in a moment then, and Abort still gives it up.
func (w *Writer) End() error {
	if err := w.s.begin(); err != nil {
		return err
	}
	defer w.s.end()
	if w.done || w.whole {
		return w.closed()
	}
	w.whole = true
	if w.err == nil {
		w.err = w.s.backend.Explain(w.stage.complete(w.ctx))
	}
	return w.err
}

func (w *Writer) closed() error { return fmt.Errorf("the writer of %q is %w", w.entry.Name, ErrClosed) }

// finish ends the writer, and tells whether it was open until now.
func (w *Writer) finish() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.done
	w.done = true
	return !was
}

// Commit makes the file durable and visible, in one step. On an error, other than one that matches
// ErrUnknown or ErrReadOnly, nothing of it is ever seen.
func (w *Writer) Commit(ctx context.Context) error { return w.s.Commit(ctx, w) }

// Abort gives the file up. After Commit it does nothing, so that it may be deferred. After the store's Close it
// lets go of the disk file, which the next opening removes.
func (w *Writer) Abort() error {
	if err := w.s.begin(); err != nil {
		if w.finish() {
			w.stage.release()
		}
		return err
	}
	defer w.s.end()
	if w.finish() {
		w.stage.abort()
	}
	return nil
}

// Commit commits several writers of this store in one step: all files are durable and visible after it,
// or, on an error, none. Several for one name take effect in the order of their places, and in their own.
func (s *Store) Commit(ctx context.Context, writers ...*Writer) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	if len(writers) == 0 {
		return nil
	}
	err := s.commitWriters(ctx, writers)
	return s.backend.Explain(err)
}

func (s *Store) commitWriters(ctx context.Context, writers []*Writer) error {
	list, err := s.complete(ctx, writers)
	if err != nil {
		return err
	}
	list, spare := withoutSpares(list)
	s.free(spare)
	entry, err := s.together(ctx, list)
	if err != nil {
		s.free(list)
		return err
	}
	return s.backend.Propose(ctx, entry)
}

// free gives up what was written.
func (s *Store) free(list []Written) {
	for _, w := range list {
		ids := make([]namespace.BlockID, len(w.Entry.Blocks))
		for i, b := range w.Entry.Blocks {
			ids[i] = b.ID
		}
		s.backend.Free(ids)
	}
}

// complete ends writers and gives what they have written. On an error all are given up.
func (s *Store) complete(ctx context.Context, writers []*Writer) ([]Written, error) {
	var open []*Writer
	abort := func(err error) ([]Written, error) {
		for _, w := range open {
			w.stage.abort()
		}
		return nil, err
	}
	for _, w := range writers {
		if w.s != s {
			return abort(errors.New("a writer of another file store"))
		}
		if !w.finish() {
			return abort(w.closed())
		}
		open = append(open, w)
	}
	list := make([]Written, len(writers))
	for i, w := range writers {
		err := ctx.Err()
		if err == nil {
			err = w.err
		}
		if err == nil {
			err = w.stage.complete(ctx)
		}
		if err != nil {
			return abort(err)
		}
		list[i] = Written{Entry: w.entry, Place: w.place, Folder: w.folder, Spare: w.spare}
		list[i].Entry.Blocks = w.stage.blocks
	}
	return list, nil
}

// Detach ends writers as Commit does, but names nothing: it gives what each has written, by which someone else may make
// it visible, see Together. The blocks are durable, and the backend's until it is told to Free them.
func (s *Store) Detach(ctx context.Context, writers ...*Writer) ([]Written, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	list, err := s.complete(ctx, writers)
	return list, s.backend.Explain(err)
}

// Append adds data to the end of a file, in one step, durable when it returns; the file is made if
// there is none. Many may append at once: their fsyncs are shared, each caller's own order is
// kept. It keeps no reference to data. If ctx ends first, the error may match ErrUnknown.
func (s *Store) Append(ctx context.Context, name string, data []byte) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := CheckName(name); err != nil {
		return err
	}
	if err := s.backend.Ready(); err != nil {
		return err
	}
	return s.backend.Explain(s.append(ctx, name, data))
}

func (s *Store) append(ctx context.Context, name string, data []byte) error {
	e := namespace.Entry{Kind: namespace.Append, Name: name}
	switch {
	case len(data) == 0:
		if _, exists, err := s.look(ctx, name); exists || err != nil {
			return err
		}
	case len(data) <= s.sizes.Small:
		return s.backend.Append(ctx, name, data)
	default:
		st := stage{s: s}
		err := st.write(ctx, data)
		if err == nil {
			err = st.complete(ctx)
		}
		if err != nil {
			st.abort()
			return err
		}
		e.Blocks = st.blocks
	}
	return s.backend.Propose(ctx, e)
}
