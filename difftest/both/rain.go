package both

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
)

// Now is when every query runs.
var Now = time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)

// counting is an allocator that knows how much is out.
type counting struct {
	memory.Allocator
	out atomic.Int64
}

func (c *counting) Allocate(n int) []byte {
	c.out.Add(int64(n))
	return c.Allocator.Allocate(n)
}

func (c *counting) Reallocate(n int, b []byte) []byte {
	c.out.Add(int64(n - len(b)))
	return c.Allocator.Reallocate(n, b)
}

func (c *counting) Free(b []byte) {
	c.out.Add(-int64(len(b)))
	c.Allocator.Free(b)
}

// Setup is how rainsql runs a query.
type Setup struct {
	Parallelism int
	SplitBytes  int64
	Off         string   // an optimiser rule, or ""
	On          *Cluster // nil: embedded
}

func (s Setup) String() string {
	out := fmt.Sprintf("parallelism %d, splits of %d bytes", s.Parallelism, s.SplitBytes)
	if s.Off != "" {
		out += ", without " + s.Off
	}
	if s.On != nil {
		out += ", on a cluster"
	}
	return out
}

// Rain runs a script in rainsql. Buffers that are not given back are an error.
func Rain(setup Setup, src string) (a Answer) {
	mem := &counting{Allocator: memory.DefaultAllocator}
	cfg := engine.Config{
		Alloc: mem, Parallelism: setup.Parallelism, SplitBytes: setup.SplitBytes,
		Now: func() time.Time { return Now }, MemoryLimit: 1 << 30,
	}
	if setup.On != nil {
		cfg, src = setup.On.config(cfg), setup.On.text(src)
	}
	if setup.Off != "" {
		cfg.DisableRules = map[string]bool{setup.Off: true}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	e := engine.New(cfg)
	h := &handler{}
	err := e.NewSession(nil).Run(ctx, "query.rql", src, h)
	if cerr := e.Close(); err == nil {
		err = cerr
	}
	a = Answer{Types: h.types, Rows: h.rows, Err: err}
	if n := mem.out.Load(); n != 0 {
		a.Err = fmt.Errorf("leak: %d bytes were not given back (the query's own error: %v)", n, err)
	}
	return a
}

type handler struct {
	types []types.Type
	rows  [][]any
}

func (h *handler) Rows(schema types.Schema) (connect.Sink, error) {
	h.types, h.rows = nil, nil
	for _, f := range schema {
		h.types = append(h.types, f.Type)
	}
	return h, nil
}
func (*handler) Text(string) error   { return nil }
func (*handler) Notice(string)       {}
func (*handler) Done(engine.Summary) {}
func (*handler) Commit() error       { return nil }
func (*handler) Abort() error        { return nil }
func (*handler) Bytes() int64        { return 0 }

func (h *handler) Write(cols []arrow.Array, rows int) error {
	at := len(h.rows)
	for range rows {
		h.rows = append(h.rows, make([]any, len(cols)))
	}
	for j, c := range cols {
		if c.Len() != rows {
			return fmt.Errorf("column %d has %d rows in a batch of %d", j, c.Len(), rows)
		}
		for i := range rows {
			h.rows[at+i][j] = fromArrow(c, i)
		}
	}
	return nil
}

// fromArrow copies a value out of a column.
func fromArrow(arr arrow.Array, i int) any {
	if arr.IsNull(i) {
		return nil
	}
	switch a := arr.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return int64(a.Value(i))
	case *array.Int16:
		return int64(a.Value(i))
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Decimal128:
		return val.Dec{Unscaled: a.Value(i).BigInt(), Scale: int(a.DataType().(*arrow.Decimal128Type).Scale)}
	case *array.StringView:
		return string([]byte(a.Value(i)))
	case *array.String:
		return string([]byte(a.Value(i)))
	case *array.BinaryView:
		return val.Bytes(a.Value(i))
	case *array.Binary:
		return val.Bytes(a.Value(i))
	case *array.Date32:
		return val.Date(a.Value(i))
	case *array.Timestamp:
		return val.Time(a.Value(i))
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		if v.Nanoseconds%1000 != 0 {
			return fmt.Sprintf("interval of %d ns", v.Nanoseconds)
		}
		return val.Span{Months: v.Months, Days: v.Days, Micros: v.Nanoseconds / 1000}
	case *array.Dictionary:
		return fromArrow(a.Dictionary(), a.GetValueIndex(i))
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for k := from; k < to; k++ {
			out = append(out, fromArrow(a.ListValues(), int(k)))
		}
		return out
	case *array.Struct:
		return fromStruct(a, i)
	}
	return fmt.Sprintf("unknown array %T", arr)
}

func fromStruct(a *array.Struct, i int) any {
	fields := a.DataType().(*arrow.StructType).Fields()
	r := val.Row{}
	for k, f := range fields {
		at := len(r.Names)
		for at > 0 && r.Names[at-1] > f.Name {
			at--
		}
		r.Names = append(r.Names[:at], append([]string{f.Name}, r.Names[at:]...)...)
		r.Values = append(r.Values[:at], append([]any{fromArrow(a.Field(k), i)}, r.Values[at:]...)...)
	}
	return r
}
