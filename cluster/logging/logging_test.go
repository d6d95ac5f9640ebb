package logging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestMain finds what is left running, but for what tidies up behind the log file, which has no end.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}

// disk is written to while it works.
type disk struct {
	works chan struct{} // closed: it does
	fails int           // so many writes
	bytes.Buffer
}

var errFull = errors.New("no space left")

func (d *disk) Write(p []byte) (int, error) {
	<-d.works
	if d.fails > 0 {
		d.fails--
		return 0, errFull
	}
	return d.Buffer.Write(p)
}

func missing(lost int) []byte { return fmt.Appendf(nil, "%d missing\n", lost) }

// TestHang: who logs never waits for a disk that hangs. What is too much is lost, and a line says how much
// once the disk works again.
func TestHang(t *testing.T) {
	for name, test := range map[string]struct{ length, kept int }{
		"many lines": {20, maxLines},
		"long lines": {maxBytes / 3, 3},
		"too long":   {maxBytes + 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{works: make(chan struct{})}
				q := newQueue(d, missing, nil)
				buffer := make([]byte, test.length)
				line := func(i int) string {
					number := fmt.Sprint(i)
					return number + strings.Repeat(" ", test.length-len(number)-1) + "\n"
				}
				write := func(i int) {
					copy(buffer, line(i))
					if n, err := q.Write(buffer); n != test.length || err != nil {
						t.Error(n, err)
					}
				}
				q.Write([]byte("first\n"))
				synctest.Wait() // it hangs there
				const lost = 10
				for i := range test.kept + lost {
					write(i)
				}
				began := time.Now()
				if err := q.Sync(); !errors.Is(err, errNotWritten) || time.Since(began) != syncWait {
					t.Error("Sync:", err, "after", time.Since(began))
				}
				close(d.works)
				if err := q.Sync(); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				q.Write([]byte("last\n"))
				if err := q.Close(t.Context()); err != nil {
					t.Error(err)
				}
				want := "first\n"
				for i := range test.kept {
					want += line(i)
				}
				if want += string(missing(lost)) + "last\n"; d.String() != want {
					t.Errorf("%d bytes were written, want %d; the end is %q", d.Len(), len(want), d.String()[max(0, d.Len()-60):])
				}
			})
		})
	}
}

// TestFail: lines that a full disk refuses are counted too.
func TestFail(t *testing.T) {
	for name, test := range map[string]struct {
		fails int
		want  string
		err   error
	}{
		"not":                       {0, "0\n1\n2\n", nil},
		"once":                      {1, "1 missing\n1\n2\n", nil},
		"so that it cannot be said": {2, "1\n2\n1 missing\n", nil},
		"a while":                   {4, "3 missing\n", nil},
		"for ever":                  {5, "", errFull},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{works: make(chan struct{}), fails: test.fails}
				q := newQueue(d, missing, nil)
				for i := range 3 {
					fmt.Fprintln(q, i)
					synctest.Wait() // it hangs with the first
				}
				close(d.works)
				if err := q.Close(t.Context()); !errors.Is(err, test.err) || d.String() != test.want {
					t.Errorf("%q, %v, want %q, %v", d.String(), err, test.want, test.err)
				}
			})
		})
	}
}

// TestCloseHangs: no end of a server waits for a disk that hangs, nor keeps its console from having all.
func TestCloseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, fine := &disk{works: make(chan struct{})}, &disk{works: make(chan struct{})}
		close(fine.works)
		ends := 0
		out := outputs{file: newQueue(hung, missing, func() error { ends++; return nil }), console: newQueue(fine, missing, nil)}
		for _, q := range []*queue{out.file, out.console} {
			fmt.Fprintln(q, "a")
			fmt.Fprintln(q, "b")
		}
		began := time.Now()
		if err := out.Close(); !errors.Is(err, errNotWritten) || time.Since(began) != closeWait {
			t.Error(err, "after", time.Since(began))
		}
		if fine.String() != "a\nb\n" || ends != 0 {
			t.Errorf("%q", fine.String())
		}
		close(hung.works)
		if err := out.file.Close(context.Background()); err != nil || ends != 1 || hung.String() != "a\nb\n" {
			t.Errorf("in the end %q, %v", hung.String(), err)
		}
		fmt.Fprintln(out.file, "c") // is lost
	})
}

// TestOpen: what is logged is in the file, though nobody reads the console.
func TestOpen(t *testing.T) {
	r, console, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	dir := t.TempDir()
	logger, log, err := Open(dir, zapcore.InfoLevel, console)
	if err != nil {
		t.Fatal(err)
	}
	const lines = 1000
	for i := range lines {
		logger.Info(strings.Repeat("x", 200), zap.Int("line", i)) // more than a pipe holds
	}
	logger.Debug("not this")
	r.Close()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil || bytes.Count(text, []byte("\n")) != lines || !bytes.Contains(text, []byte(`"line":999}`)) {
		t.Errorf("%v, %d lines, the end is %q", err, bytes.Count(text, []byte("\n")), text[max(0, len(text)-100):])
	}
}

// TestNotice: the line that stands for others looks as they do.
func TestNotice(t *testing.T) {
	conf := zap.NewProductionEncoderConfig()
	if line := string(noticeBy(zapcore.NewJSONEncoder(conf))(7)); !strings.HasPrefix(line, `{"level":"warn"`) || !strings.HasSuffix(line, `"lines":7}`+"\n") {
		t.Error(line)
	}
}
