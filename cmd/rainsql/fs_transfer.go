package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/internal/progress"
	"github.com/rainsql/rainsql/sdfs"
)

// transferBytes is how much is copied at once.
const transferBytes = 1 << 20

func (f *fsFlags) put(cmd *cobra.Command, args []string) error {
	mode := sdfs.MustNotExist
	if f.force {
		mode = sdfs.Replace
	}
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		return f.upload(ctx, s, args[0], args[1], mode)
	})
}

func (f *fsFlags) append(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		return f.upload(ctx, s, args[0], args[1], sdfs.Append)
	})
}

// upload copies a local file into the store: all of it, or nothing.
func (f *fsFlags) upload(ctx context.Context, s *fileStore, from, name string, mode sdfs.Mode) error {
	in, size, err := f.input(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	w, err := s.Create(ctx, name, mode)
	if errors.Is(err, sdfs.ErrExists) {
		return fmt.Errorf("%w; -f replaces it", err)
	}
	if err != nil {
		return err
	}
	line := f.line(name, size)
	counted := &counter{in: in}
	err = transfer(ctx, w, counted, line)
	line.Close()
	if err == nil && size >= 0 && counted.n < size {
		err = fmt.Errorf("%s was cut short while it was read: %d bytes of %d; nothing was stored", from, counted.n, size)
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	if err := w.Commit(ctx); err != nil {
		return errors.Join(err, w.Abort())
	}
	return nil
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// input opens a local file, or standard input for -. size is -1 where it is
// not known.
func (f *fsFlags) input(path string) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(f.std.in), -1, nil
	}
	file, err := local.Open(path, path)
	if err != nil {
		return nil, 0, err
	}
	if size = file.Size(); size < 0 {
		if err := file.Close(); err != nil {
			return nil, 0, err
		}
		pipe, err := os.Open(path)
		return pipe, -1, err
	}
	return sectionCloser{io.NewSectionReader(file, 0, size), file}, size, nil
}

type sectionCloser struct {
	io.Reader
	io.Closer
}

// transfer copies until the end of in, or of ctx.
func transfer(ctx context.Context, out io.Writer, in io.Reader, line *progress.Transfer) error {
	buf := make([]byte, transferBytes)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := in.Read(buf)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
			line.Add(int64(n))
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (f *fsFlags) get(cmd *cobra.Command, args []string) error {
	name, to := args[0], args[1]
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		from, done, err := f.source(ctx, s)
		if err != nil {
			return err
		}
		defer done()
		if to == "-" {
			return f.download(ctx, from, name, standardOut{f.std.out})
		}
		if info, err := os.Stat(to); err == nil && info.IsDir() {
			to = filepath.Join(to, filepath.Base(name))
		}
		mode := connect.MustFail
		if f.force {
			mode = connect.Replace
		}
		out, err := local.Create(to, to, mode)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: exists already; -f replaces it", to)
		}
		if err != nil {
			return err
		}
		if err := f.download(ctx, from, name, out); err != nil {
			return errors.Join(err, out.Abort())
		}
		return out.Commit()
	})
}

// source is the store to read from: with --from, the copies of one node. done must be called.
func (f *fsFlags) source(ctx context.Context, s *fileStore) (from *sdfs.Store, done func(), err error) {
	switch {
	case f.from == "":
		return s.Store, func() {}, nil
	case s.remote == nil:
		return s.Store, func() {}, embeddedNode(f.from)
	}
	id, err := s.node(ctx, f.from)
	if err != nil {
		return nil, nil, err
	}
	from = s.remote.From(id)
	return from, func() { _ = from.Close() }, nil // it is open
}

func (f *fsFlags) cat(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		for _, name := range args {
			if err := f.download(ctx, s.Store, name, standardOut{f.std.out}); err != nil {
				return err
			}
		}
		return nil
	})
}

// download copies a file of the store.
func (f *fsFlags) download(ctx context.Context, s *sdfs.Store, name string, out io.Writer) error {
	in, err := s.OpenFile(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	line := f.line(name, in.Size())
	defer line.Close()
	return in.CopyTo(ctx, func(p []byte) error {
		_, err := out.Write(p)
		line.Add(int64(len(p)))
		return err
	})
}
