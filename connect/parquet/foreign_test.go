package parquet

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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	goparquet "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/connect/internal/foreign"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

var foreignSeed = flag.Uint64("foreign.seed", 0, "run only this table of TestForeign")

// TestForeign exchanges random tables with arrow-go's implementation of
// Parquet, which we do not use otherwise: what it writes is read here in every
// manner, written here again, and read there. RAINSQL_LONG=10m makes it longer.
func TestForeign(t *testing.T) {
	tables, limit := uint64(150), time.Duration(math.MaxInt64)
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

// exchange is one table; its seed is all that it depends on. It returns false
// where arrow-go failed: its writer panics on some tables, and of others it makes
// files that it cannot read itself (18.8: booleans in runs on several pages,
// large chunks of v1 pages).
func exchange(t *testing.T, seed uint64) bool {
	r := rand.New(rand.NewPCG(seed, 77))
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	x := &exchanged{r: r, mem: mem}
	rows := []int{0, 1, 10, 100, 1000, 3000}[r.IntN(6)]
	x.cols = foreign.Table(r, memory.DefaultAllocator, foreign.Options{
		Leaves: foreign.Common(), MaxDepth: 4, Required: true,
		Lists: []func(arrow.Field) arrow.DataType{func(f arrow.Field) arrow.DataType { return arrow.ListOfField(f) }},
	}, 1+r.IntN(5), rows)
	defer foreign.Release(x.cols)
	err := x.run(rows)
	if err != nil && x.theirs(x.file, rows) != nil {
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
	r    *rand.Rand
	mem  *memory.CheckedAllocator
	cols []*foreign.Column
	how  string // it was written
	file []byte
}

func (x *exchanged) run(rows int) error {
	var err error
	if x.file, err = x.write(rows); err != nil {
		return err
	}
	src, err := Open(context.Background(), conntest.File{Data: x.file}, "f", connect.Options{})
	if err != nil {
		return err
	}
	defer src.Close()
	want := make(types.Schema, len(x.cols))
	for i, c := range x.cols {
		want[i] = types.Field{Name: c.Field.Name, Type: c.Type}
	}
	if !src.Schema().Equal(want) {
		return fmt.Errorf("schema %v, want %v", src.Schema(), want)
	}
	for range 3 {
		if err := x.read(src, rows); err != nil {
			return err
		}
	}
	return x.back(src, rows)
}

// write writes the table with arrow-go, with random properties.
func (x *exchanged) write(rows int) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	r, p := x.r, goparquet.Encodings
	pages := []int64{1, 64, 1000, 1 << 20}[r.IntN(4)]
	version := goparquet.DataPageV1
	if r.IntN(2) == 0 {
		version = goparquet.DataPageV2
	}
	asInt := r.IntN(2) == 0
	props := []goparquet.WriterProperty{
		goparquet.WithDataPageVersion(version), goparquet.WithDataPageSize(pages), goparquet.WithStoreDecimalAsInteger(asInt),
		goparquet.WithBatchSize([]int64{1, 7, 64, 1024}[r.IntN(4)]), goparquet.WithDictionaryPageSizeLimit([]int64{10, 300, 1 << 20}[r.IntN(3)]),
		goparquet.WithMaxStatsSize([]int64{4, 16, 4096}[r.IntN(3)]), goparquet.WithStats(r.IntN(5) > 0), goparquet.WithPageIndexEnabled(r.IntN(4) == 0),
	}
	x.how = fmt.Sprintf("v%d pages of %d, decimals as ints %v", version+1, pages, asInt)
	schema, err := pqarrow.ToParquet(foreign.Schema(x.cols), goparquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	for i := range schema.NumColumns() {
		path, physical := schema.Column(i).ColumnPath(), schema.Column(i).PhysicalType()
		enc := []goparquet.Encoding{p.Plain}
		switch physical {
		case goparquet.Types.Boolean:
			enc = append(enc, p.RLE)
		case goparquet.Types.Int32, goparquet.Types.Int64:
			enc = append(enc, p.DeltaBinaryPacked, p.ByteStreamSplit)
		case goparquet.Types.ByteArray:
			enc = append(enc, p.DeltaLengthByteArray, p.DeltaByteArray)
		default:
			enc = append(enc, p.ByteStreamSplit)
		}
		e, dict := enc[r.IntN(len(enc))], r.IntN(2) == 0 && physical != goparquet.Types.Boolean
		c := []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Brotli,
			compress.Codecs.Zstd, compress.Codecs.Lz4Raw}[r.IntN(6)]
		props = append(props, goparquet.WithEncodingPath(path, e), goparquet.WithDictionaryPath(path, dict), goparquet.WithCompressionPath(path, c))
		x.how += fmt.Sprintf("\n%s: %v, dictionary %v, %v", path, e, dict, c)
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(foreign.Schema(x.cols), &out, goparquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	write := []func(arrow.RecordBatch) error{w.Write, w.WriteBuffered}[r.IntN(2)]
	for from := 0; from < rows; {
		to := min(rows, from+1+r.IntN(rows))
		rec := foreign.Record(x.cols, from, to)
		err = write(rec)
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

// batches reads columns of the file, and calls f with each batch.
func (x *exchanged) batches(src connect.Source, sc connect.Scan, f func(*connect.Batch) error) error {
	splits, err := src.Splits([]int64{0, 1, 1000, 1 << 30}[x.r.IntN(4)])
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

// read reads some of the columns, and those rows at least that fulfil conditions.
func (x *exchanged) read(src connect.Source, rows int) error {
	sc := connect.Scan{BatchRows: []int{0, 1, 3, 100, 1024}[x.r.IntN(5)], Columns: []connect.Column{{Index: -1, Pseudo: connect.PseudoOffset}}}
	for i := range x.cols {
		if x.r.IntN(3) > 0 {
			sc.Columns = append(sc.Columns, connect.Column{Index: i})
		}
	}
	sc.Where = x.conditions(rows)
	seen := make([]bool, rows)
	last := int64(-1)
	err := x.batches(src, sc, func(b *connect.Batch) error {
		for i := range b.Rows {
			row, _ := vec.ValueAt(b.Columns[0], i).(int64)
			if row <= last || row >= int64(rows) {
				return fmt.Errorf("row %d comes after row %d", row, last)
			}
			last, seen[row] = row, true
			for k, a := range b.Columns[1:] {
				c := x.cols[sc.Columns[k+1].Index]
				if got := vec.ValueAt(a, i); !foreign.Same(got, c.Values[row]) {
					return fmt.Errorf("column %s, row %d, scan %+v: %v, want %v", c.Field.Name, row, sc, got, c.Values[row])
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for row, have := range seen {
		fits := !slices.ContainsFunc(sc.Where, func(c connect.Condition) bool { return !fulfils(x.cols[c.Index].Values[row], c) })
		if fits && !have {
			return fmt.Errorf("row %d is left out, which fulfils %+v", row, sc.Where)
		}
	}
	return nil
}

// conditions makes some, with constants that are in the table or near to it.
func (x *exchanged) conditions(rows int) (where []connect.Condition) {
	for range x.r.IntN(3) {
		c := connect.Condition{Index: x.r.IntN(len(x.cols)), Op: connect.Comparison(x.r.IntN(int(connect.NotNull) + 1))}
		if c.Op < connect.IsNull {
			if rows == 0 {
				continue
			}
			switch v := x.cols[c.Index].Values[x.r.IntN(rows)].(type) {
			case arrow.Date32:
				c.Value = int64(v)
			case arrow.Timestamp:
				c.Value = int64(v)
			case []byte:
				c.Value = string(v)
			case string:
				c.Value = v + strings.Repeat("x", x.r.IntN(2))
			case nil, []any:
				continue
			case float64:
				if c.Value = v; math.IsNaN(v) {
					continue
				}
			default:
				c.Value = v
			}
		}
		where = append(where, c)
	}
	return where
}

// back writes what is read from the file, batch by batch, and has arrow-go read that.
func (x *exchanged) back(src connect.Source, rows int) error {
	var out damage.Out
	sink, err := NewSink(&out, src.Schema(), connect.Options{})
	if err != nil {
		return err
	}
	s := sink.(*Sink)
	s.limit = []int64{1, 1000, 1 << 30}[x.r.IntN(3)]
	for _, l := range s.leaves {
		l.pageBytes = []int{1, 100, 1 << 20}[x.r.IntN(3)]
	}
	sc := connect.Scan{Columns: conntest.Columns(src), BatchRows: []int{0, 11, 1000}[x.r.IntN(3)]}
	if err := x.batches(src, sc, func(b *connect.Batch) error { return sink.Write(b.Columns, b.Rows) }); err != nil {
		return err
	}
	if err := sink.Commit(); err != nil {
		return err
	}
	return x.theirs(out.Bytes(), rows)
}

// theirs has arrow-go read a file of the table.
func (x *exchanged) theirs(data []byte, rows int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("arrow-go panics: %v", p)
		}
	}()
	props := goparquet.NewReaderProperties(memory.DefaultAllocator)
	tab, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(data), props, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return fmt.Errorf("arrow-go cannot read: %w", err)
	}
	defer tab.Release()
	if tab.NumRows() != int64(rows) {
		return fmt.Errorf("arrow-go reads %d rows, want %d", tab.NumRows(), rows)
	}
	for k, c := range x.cols {
		row := 0
		for _, part := range tab.Column(k).Data().Chunks() {
			for i := range part.Len() {
				if got := vec.ValueAt(part, i); !foreign.Same(got, c.Values[row]) {
					return fmt.Errorf("column %s, row %d: arrow-go reads %v, want %v", c.Field.Name, row, got, c.Values[row])
				}
				row++
			}
		}
	}
	return nil
}
