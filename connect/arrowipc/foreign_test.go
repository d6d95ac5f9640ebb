package arrowipc

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/connect/internal/foreign"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

var foreignSeed = flag.Uint64("foreign.seed", 0, "run only this table of TestForeign")

// TestForeign exchanges random tables with arrow-go: what it writes is read here
// in every manner, written here again, and read there. RAINSQL_LONG=10m makes it longer.
func TestForeign(t *testing.T) {
	tables, limit := uint64(200), time.Duration(math.MaxInt64)
	if long := os.Getenv("RAINSQL_LONG"); long != "" {
		tables, limit = math.MaxUint64, 2*time.Minute
		if d, err := time.ParseDuration(long); err == nil {
			limit = d
		}
	}
	first := uint64(1)
	if *foreignSeed != 0 {
		first, tables = *foreignSeed, *foreignSeed
	}
	begin := time.Now()
	done := 0
	for seed := first; seed <= tables && time.Since(begin) < limit && !t.Failed(); seed++ {
		if exchange(t, seed) {
			done++
		}
	}
	t.Logf("%d tables", done)
}

// errWrite means that arrow-go failed, as it does on slices of list views.
var errWrite = errors.New("arrow-go cannot write")

// exchange is one table; its seed is all that it depends on. It returns false if there was nothing to read.
func exchange(t *testing.T, seed uint64) bool {
	r := rand.New(rand.NewPCG(seed, 78))
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	rows := []int{0, 1, 10, 100, 1000, 3000}[r.IntN(6)]
	x := &exchanged{r: r, mem: mem, cols: foreign.Table(r, memory.DefaultAllocator, foreign.Options{
		Leaves: append(foreign.Common(), foreign.OnlyArrow()...), MaxDepth: 4, Required: true,
		Lists: []func(arrow.Field) arrow.DataType{
			func(f arrow.Field) arrow.DataType { return arrow.ListOfField(f) },
			func(f arrow.Field) arrow.DataType { return arrow.LargeListOfField(f) },
			func(f arrow.Field) arrow.DataType { return arrow.FixedSizeListOfField(int32(1+r.IntN(3)), f) },
			func(f arrow.Field) arrow.DataType { return arrow.ListViewOfField(f) },
			func(f arrow.Field) arrow.DataType { return arrow.LargeListViewOfField(f) },
		},
	}, 1+r.IntN(5), rows)}
	defer foreign.Release(x.cols)
	err := x.run(rows)
	if errors.Is(err, errWrite) {
		return false
	}
	if err == nil && mem.CurrentAlloc() != 0 {
		mem.AssertSize(t, 0) // tells whence they are
		err = errors.New("not all memory is given back")
	}
	if err != nil {
		t.Errorf("seed %d: %v\n%d rows of %v\nfile: %s", seed, err, rows, foreign.Schema(x.cols), x.how)
	}
	return true
}

// exchanged is a table that goes to and fro.
type exchanged struct {
	r      *rand.Rand
	mem    *memory.CheckedAllocator
	cols   []*foreign.Column
	stream bool
	how    string // it was written
}

func (x *exchanged) run(rows int) error {
	data, err := x.write(rows)
	if err != nil {
		return fmt.Errorf("%w: %w", errWrite, err)
	}
	inputs := []scan.Input{conntest.File{Data: data}}
	if x.r.IntN(2) == 0 {
		inputs = append(inputs, pipe{scan.NewStream(strings.NewReader(string(data)))})
	}
	for i, in := range inputs {
		src, err := Open(context.Background(), in, "f", connect.Options{})
		if err != nil {
			return err
		}
		want := make(types.Schema, len(x.cols))
		for i, c := range x.cols {
			want[i] = types.Field{Name: c.Field.Name, Type: c.Type}
		}
		if !src.Schema().Equal(want) {
			return fmt.Errorf("schema %v, want %v", src.Schema(), want)
		}
		if err := x.read(src, rows); err != nil {
			return err
		}
		if i == 0 { // a pipe can be read once
			if err := errors.Join(x.read(src, rows), x.back(src, rows)); err != nil {
				return err
			}
		}
		if err := src.Close(); err != nil {
			return err
		}
	}
	return nil
}

// write writes the table with arrow-go, with random properties.
func (x *exchanged) write(rows int) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	r := x.r
	x.stream = r.IntN(2) == 0
	opts := []ipc.Option{ipc.WithSchema(foreign.Schema(x.cols))}
	packing := r.IntN(3)
	deltas := r.IntN(2) == 0
	opts = append(opts, [][]ipc.Option{nil, {ipc.WithLZ4()}, {ipc.WithZstd()}}[packing]...)
	opts = append(opts, ipc.WithDictionaryDeltas(deltas))
	x.how = fmt.Sprintf("stream %v, packing %d, deltas %v", x.stream, packing, deltas)
	var out bytes.Buffer
	var w interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	w = ipc.NewWriter(&out, opts...)
	if !x.stream {
		var err error
		if w, err = ipc.NewFileWriter(&out, opts...); err != nil {
			return nil, err
		}
	}
	for from := 0; from < rows; {
		to := min(rows, from+1+r.IntN(rows))
		rec := x.record(from, to, deltas)
		err := w.Write(rec)
		rec.Release()
		if err != nil {
			return nil, err
		}
		x.how += fmt.Sprintf("\nrows %d to %d", from, to)
		from = to
	}
	err = w.Close()
	return out.Bytes(), err
}

// record returns a slice of the table. Its dictionaries grow from one to the
// next if there are deltas; in a stream without them each has its own.
func (x *exchanged) record(from, to int, deltas bool) arrow.RecordBatch {
	rec := foreign.Record(x.cols, from, to)
	for i, c := range x.cols {
		d, ok := c.Array.(*array.Dictionary)
		if !ok || !deltas && !x.stream {
			continue
		}
		low, high := 0, 0
		for k := range to {
			if d.IsValid(k) {
				high = max(high, d.GetValueIndex(k)+1)
			}
		}
		b := array.NewBuilder(memory.DefaultAllocator, d.DataType().(*arrow.DictionaryType).IndexType)
		if !deltas { // only the values that this record has
			low = high
			for k := from; k < to; k++ {
				if d.IsValid(k) {
					low = min(low, d.GetValueIndex(k))
				}
			}
		}
		for k := from; k < to; k++ {
			if d.IsNull(k) {
				b.AppendNull()
			} else if err := b.AppendValueFromString(fmt.Sprint(d.GetValueIndex(k) - low)); err != nil {
				panic(err)
			}
		}
		codes, part := b.NewArray(), array.NewSlice(d.Dictionary(), int64(low), int64(high))
		own := array.NewDictionaryArray(d.DataType(), codes, part)
		next, err := rec.SetColumn(i, own)
		if err != nil {
			panic(err)
		}
		b.Release()
		vec.ReleaseAll([]arrow.Array{codes, part, own})
		rec.Release()
		rec = next
	}
	return rec
}

// batches reads columns of the file, and calls f with each batch.
func (x *exchanged) batches(src connect.Source, sc connect.Scan, f func(*connect.Batch) error) error {
	splits, err := src.Splits([]int64{0, 1, 10_000, 1 << 30}[x.r.IntN(4)])
	if err != nil {
		return err
	}
	sc.Alloc = x.mem
	for _, s := range splits {
		rd, err := src.Open(context.Background(), s, sc)
		if err != nil {
			return err
		}
		for {
			b, err := rd.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = f(b)
				b.Release()
			}
			if err != nil {
				return errors.Join(err, rd.Close())
			}
		}
		if err := rd.Close(); err != nil {
			return err
		}
	}
	return nil
}

// read reads some of the columns.
func (x *exchanged) read(src connect.Source, rows int) error {
	sc := connect.Scan{BatchRows: []int{0, 1, 3, 100, 1024}[x.r.IntN(5)], Columns: []connect.Column{{Index: -1, Pseudo: connect.PseudoOffset}}}
	for i := range x.cols {
		if x.r.IntN(3) > 0 {
			sc.Columns = append(sc.Columns, connect.Column{Index: i})
		}
	}
	n := 0
	err := x.batches(src, sc, func(b *connect.Batch) error {
		for i := range b.Rows {
			if row := vec.ValueAt(b.Columns[0], i); row != int64(n) {
				return fmt.Errorf("row %v comes where row %d should", row, n)
			}
			for k, a := range b.Columns[1:] {
				c := x.cols[sc.Columns[k+1].Index]
				if got := vec.ValueAt(a, i); !foreign.Same(got, c.Values[n]) {
					return fmt.Errorf("column %s, row %d, scan %+v: %v, want %v", c.Field.Name, n, sc, got, c.Values[n])
				}
			}
			n++
		}
		return nil
	})
	if err == nil && n != rows {
		err = fmt.Errorf("%d rows, want %d", n, rows)
	}
	return err
}

// back writes what is read, batch by batch, and has arrow-go read that.
func (x *exchanged) back(src connect.Source, rows int) error {
	var out damage.Out
	stream := x.r.IntN(2) == 0
	sink, err := NewSink(&out, src.Schema(), connect.Options{}, stream)
	if err != nil {
		return err
	}
	sc := connect.Scan{Columns: conntest.Columns(src), BatchRows: []int{0, 11, 1000}[x.r.IntN(3)]}
	if err := x.batches(src, sc, func(b *connect.Batch) error { return sink.Write(b.Columns, b.Rows) }); err != nil {
		return err
	}
	if err := sink.Commit(); err != nil {
		return err
	}
	n := 0
	check := func(rec arrow.RecordBatch) error {
		for i := range int(rec.NumRows()) {
			for k, c := range x.cols {
				if got := vec.ValueAt(rec.Column(k), i); !foreign.Same(got, c.Values[n]) {
					return fmt.Errorf("column %s, row %d: arrow-go reads %v, want %v", c.Field.Name, n, got, c.Values[n])
				}
			}
			n++
		}
		return nil
	}
	if stream {
		rd, err := ipc.NewReader(bytes.NewReader(out.Bytes()))
		if err != nil {
			return err
		}
		defer rd.Release()
		for rd.Next() {
			if err := check(rd.RecordBatch()); err != nil {
				return err
			}
		}
	} else {
		rd, err := ipc.NewFileReader(bytes.NewReader(out.Bytes()))
		if err != nil {
			return err
		}
		defer rd.Close()
		for i := range rd.NumRecords() {
			rec, err := rd.RecordBatch(i)
			if err == nil {
				err = check(rec)
			}
			if err != nil {
				return err
			}
		}
	}
	if n != rows {
		return fmt.Errorf("arrow-go reads %d rows, want %d", n, rows)
	}
	return nil
}
