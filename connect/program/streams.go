package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/internal/human"
)

// write puts rows into the program until there are no more or it wants no more.
func (r *process) write() {
	defer r.writing.Done()
	err := r.writeAll()
	if cerr := r.stdin.Close(); err == nil {
		err = cerr
	}
	if err != nil && !brokenPipe(err) {
		r.end(&connect.ProgramError{Program: r.p.Path, Msg: "its input cannot be written: " + err.Error()})
	}
	close(r.refused)
	for next := range r.in {
		next.release()
	}
}

func (r *process) writeAll() error {
	o := r.p.Options
	o.Columns = nil
	sink, err := formats.NewWriter(watched{r.stdin, r.progress}, o.Format, r.p.In, o)
	if err != nil {
		return err
	}
	for next := range r.in {
		err := sink.Write(next.cols, next.n)
		next.release()
		if f, ok := sink.(interface{ Flush() error }); ok && err == nil {
			err = f.Flush()
		}
		if err != nil {
			return errors.Join(err, sink.Abort())
		}
	}
	return sink.Commit()
}

// watched is a pipe whose traffic counts as a sign of life.
type watched struct {
	io.ReadWriter
	moved func()
}

func (w watched) Write(p []byte) (int, error) {
	n, err := w.ReadWriter.Write(p)
	w.moved()
	return n, err
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.ReadWriter.Read(p)
	w.moved()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF // cut off: how the program ended tells whether that is all right
	}
	return n, err
}

// output is the program's standard output as an input that is read once.
type output struct{ *scan.Stream }

func (output) Size() int64  { return -1 }
func (output) Close() error { return nil } // the process closes it

// read parses what the program writes, and hands it on batch by batch.
func (r *process) read(mem memory.Allocator) error {
	defer close(r.out)
	o := r.p.Options
	o.Like = r.p.Out
	if o.Header != nil && !*o.Header {
		o.Columns = r.p.Out
	}
	in := output{scan.NewStream(watched{r.stdout, r.progress})}
	if n, err := in.ReadAt(make([]byte, 1), 0); n == 0 && errors.Is(err, io.EOF) {
		return nil // no header either: no rows
	}
	// The reader's life is bounded by the pipe's: whoever ends the program ends it.
	ctx := context.Background()
	src, err := formats.Open(ctx, in, "", r.p.Path, o)
	if err != nil {
		return r.lineOf(err)
	}
	defer src.Close() //nolint:errcheck // a pipe that was read
	columns, err := r.columns(src)
	if err != nil {
		return err
	}
	splits, err := src.Splits(0)
	if err != nil {
		return r.lineOf(err)
	}
	for _, s := range splits {
		reader, err := src.Open(ctx, s, connect.Scan{Columns: columns, Alloc: mem})
		if err != nil {
			return r.lineOf(err)
		}
		if err := errors.Join(r.pass(reader), reader.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (r *process) pass(reader connect.Reader) error {
	for {
		b, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if err = r.lineOf(err); r.given > 0 {
				err = fmt.Errorf("after %s: %w", human.Count(r.given, "row"), err)
			}
			return err
		}
		b.Origin = nil // there is no file to read again
		r.given += int64(b.Rows)
		r.out <- *b
	}
}

// columns finds what the query was told to expect in what the program writes.
func (r *process) columns(src connect.Source) ([]connect.Column, error) {
	out := make([]connect.Column, len(r.p.Out))
	have := src.Schema()
	for i, f := range r.p.Out {
		at, ok, _ := have.Index(f.Name)
		if !ok {
			return nil, errors.New("it has no column " + f.Name + ", only " + strings.Join(have.Names(), ", "))
		}
		out[i] = connect.Column{Index: at}
	}
	return out, nil
}

// lineOf leaves the program's name out of an error that says it already.
func (r *process) lineOf(err error) error {
	var ce *connect.Error
	if errors.As(err, &ce) {
		c := *ce
		c.File = ""
		return &c
	}
	return err
}

// tailBytes is how much of a program's standard error is kept.
const tailBytes = 2048

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
	cut bool
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf, t.cut = append(t.buf[:0], t.buf[over:]...), true
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.ToValidUTF8(string(t.buf), "\uFFFD")
	if t.cut {
		s = "…" + s
	}
	return strings.TrimRight(s, "\r\n")
}
