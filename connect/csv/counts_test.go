package csv_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/internal/conntest"
)

// elsewhere is what other processes have told.
type elsewhere struct {
	tallies   map[int]connect.Tally
	asked     int
	withdrawn []int
}

func (e *elsewhere) Publish(split int, t connect.Tally) { e.tallies[split] = t }
func (e *elsewhere) Withdraw(split int)                 { e.withdrawn = append(e.withdrawn, split) }

func (e *elsewhere) Before(_ context.Context, split int) (sum connect.Tally, upto int, err error) {
	e.asked++
	for i := range split {
		t, ok := e.tallies[i]
		if !ok {
			return sum, i, nil
		}
		sum = sum.Add(t)
	}
	return sum, split, nil
}

// failing is a file that cannot be read from some place on, and counts what is read.
type failing struct {
	conntest.File
	from, read *atomic.Int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if from := f.from.Load(); from > 0 && off+int64(len(p)) > from {
		return 0, errors.New("bad disk")
	}
	n, err := f.File.ReadAt(p, off)
	f.read.Add(int64(n))
	return n, err
}

func TestWhoCounts(t *testing.T) {
	line := connect.Scan{Columns: []connect.Column{{Index: -1, Pseudo: connect.PseudoLine}}}
	for quote, want := range map[string][2]bool{`"`: {true, true}, "": {false, true}} {
		src, err := open(t, "a,b\n1,2\n", connect.Options{Quote: ptr(quote)})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		if got := [2]bool{src.Counts(connect.Scan{}), src.Counts(line)}; got != want {
			t.Errorf("quote %q: %v", quote, got)
		}
		e := &elsewhere{tallies: map[int]connect.Tally{}}
		splits, _ := src.Splits(3)
		for _, s := range splits {
			src.Count(context.Background(), s, connect.Scan{Counts: e, Alloc: memory.DefaultAllocator}, true)
			if _, err := rowsOf(src, s, connect.Scan{Columns: conntest.Columns(src), Counts: e, Alloc: memory.DefaultAllocator}); err != nil {
				t.Error(err)
			}
		}
		if got := e.asked > 0 || len(e.tallies) > 0 || len(e.withdrawn) > 0; got != want[0] {
			t.Errorf("quote %q: %+v", quote, e)
		}
	}
	stream, err := csv.Open(context.Background(), conntest.File{Data: []byte("a,b\n1,2\n"), Stream: true}, "t.csv", "csv", connect.Options{})
	if err != nil || stream.Counts(line) {
		t.Errorf("a stream's readers count for others, %v", err)
	}
}

func rowsOf(src connect.Source, s connect.Split, scan connect.Scan) (rows [][]string, err error) {
	r, err := src.Open(context.Background(), s, scan)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for i := range b.Rows {
			rows = append(rows, conntest.Row(b.Columns, i))
		}
		b.Release()
	}
}

// TestCounts reads splits of a file whose other splits are another process's: those that it has counted, and those that nobody has.
func TestCounts(t *testing.T) {
	data := "a,b\n" + strings.Repeat("1,\"x\ny\"\n\"2\",z\n", 40)
	_, want, err := read(t, data, 0, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for size := int64(1); size < 100; size += 3 {
		for _, known := range []bool{true, false} {
			for _, ahead := range []int{0, 1, 2} {
				src, err := open(t, data, connect.Options{})
				if err != nil {
					t.Fatal(err)
				}
				splits, _ := src.Splits(size)
				alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
				var got [][]string
				for i, s := range splits {
					e := &elsewhere{tallies: map[int]connect.Tally{}}
					for k, other := range splits[:i] {
						if part := data[other.Offset : other.Offset+other.Length]; known || k%3 == 0 {
							e.tallies[k] = connect.Tally{Quotes: int64(strings.Count(part, `"`))}
						}
					}
					scan := connect.Scan{Columns: conntest.Columns(src), Counts: e, Alloc: alloc}
					if ahead > 0 {
						src.Count(context.Background(), s, scan, ahead == 2)
					}
					rows, err := rowsOf(src, s, scan)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, rows...)
					if own := int64(strings.Count(data[s.Offset:s.Offset+s.Length], `"`)); e.tallies[i].Quotes != own || len(e.withdrawn) > 0 {
						t.Fatalf("split %d of %d bytes: %+v, and it has %d", i, size, e, own)
					}
				}
				if !slices.EqualFunc(got, want.Rows, slices.Equal) {
					t.Fatalf("splits of %d, known %v, ahead %v: %q", size, known, ahead, got)
				}
				src.Close()
				alloc.AssertSize(t, 0)
			}
		}
	}
}

// TestCountAhead: the bytes of a split that was counted ahead are not read again, and are given back if nobody opens it; what cannot be
// read, or is closed before it is counted, is withdrawn.
func TestCountAhead(t *testing.T) {
	data := "a,b\n" + strings.Repeat("1,\"x\ny\"\n", 1000)
	var bytes, from atomic.Int64
	in := failing{File: conntest.File{Data: []byte(data)}, from: &from, read: &bytes}
	src, err := csv.Open(context.Background(), in, "t.csv", "csv", connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	splits, _ := src.Splits(1000)
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	e := &elsewhere{tallies: map[int]connect.Tally{}}
	scan := connect.Scan{Columns: conntest.Columns(src), Counts: e, Alloc: alloc}
	for _, s := range splits {
		src.Count(context.Background(), s, scan, true)
	}
	before := bytes.Load()
	for _, s := range splits[1:4] { // the first is read anew, for the header is not part of its rows
		if _, err := rowsOf(src, s, scan); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Load() != before {
		t.Errorf("%d bytes were read again", bytes.Load()-before)
	}
	r, err := src.Open(context.Background(), connect.Split{Ordinal: 99, Offset: 1000, Length: 1000}, scan)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	src.Close()
	alloc.AssertSize(t, 0)
	if len(e.tallies) != len(splits) || !slices.Equal(e.withdrawn, []int{99}) {
		t.Errorf("%d counted of %d, %v withdrawn", len(e.tallies), len(splits), e.withdrawn)
	}

	src, err = csv.Open(context.Background(), in, "t.csv", "csv", connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	from.Store(7000)
	src.Count(context.Background(), splits[7], scan, true)
	if !slices.Equal(e.withdrawn, []int{99, 7}) {
		t.Errorf("%v withdrawn", e.withdrawn)
	}
	if _, err := rowsOf(src, splits[7], scan); err == nil || !strings.Contains(err.Error(), "bad disk") {
		t.Error(err)
	}
	src.Close()
	alloc.AssertSize(t, 0)
}
