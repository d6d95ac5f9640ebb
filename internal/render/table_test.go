package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

var twoColumns = types.Schema{{Name: "n", Type: types.INT}, {Name: "name", Type: types.STRING}}

// feed gives a sink rows of numbers from 1 on with a text each ("" is NULL), in
// batches, and commits it.
func feed(t testing.TB, o Options, rows, batch int, text func(n int) string) string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	var out bytes.Buffer
	sink, err := New(&out, "table", twoColumns, o)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < rows; from += batch {
		n := min(batch, rows-from)
		cols := columns(mem, from, n, text)
		err := sink.Write(cols, n)
		for _, c := range cols { // the sink has only borrowed them
			c.Release()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Bytes(); got != int64(out.Len()) {
		t.Errorf("it says %d bytes, and wrote %d", got, out.Len())
	}
	return out.String()
}

func columns(mem memory.Allocator, from, n int, text func(n int) string) []arrow.Array {
	ints := array.NewInt64Builder(mem)
	defer ints.Release()
	texts := array.NewStringViewBuilder(mem)
	defer texts.Release()
	for i := range n {
		ints.Append(int64(from + i + 1))
		if s := text(from + i + 1); s == "" {
			texts.AppendNull()
		} else {
			texts.Append(s)
		}
	}
	return []arrow.Array{ints.NewArray(), texts.NewArray()}
}

func TestTable(t *testing.T) {
	letters := func(n int) string { return strings.Repeat(string(rune('a'+n-1)), n) }
	for _, tt := range []struct {
		name string
		o    Options
		rows int
		text func(n int) string
		want string
	}{
		{"as it is", Options{}, 2, func(n int) string { return []string{"x\ty", ""}[n-1] }, `
┌─────┬────────┐
│   n │ name   │
│ INT │ STRING │
├─────┼────────┤
│   1 │ x·y    │
│   2 │ NULL   │
└─────┴────────┘
2 rows
`},
		{"no rows", Options{Width: 80, MaxRows: 40}, 0, letters, `
┌─────┬────────┐
│   n │ name   │
│ INT │ STRING │
├─────┼────────┤
└─────┴────────┘
0 rows
`},
		{"time", Options{Elapsed: func() time.Duration { return 1234 * time.Millisecond }, Null: "∅"}, 1, func(int) string { return "" }, `
┌─────┬────────┐
│   n │ name   │
│ INT │ STRING │
├─────┼────────┤
│   1 │ ∅      │
└─────┴────────┘
1 row in 1.23 s
`},
		{"wide characters", Options{}, 2, func(n int) string { return []string{"日本語ab", "e\u0301"}[n-1] }, "\n" +
			"┌─────┬──────────┐\n" +
			"│   n │ name     │\n" +
			"│ INT │ STRING   │\n" +
			"├─────┼──────────┤\n" +
			"│   1 │ 日本語ab │\n" +
			"│   2 │ e\u0301        │\n" +
			"└─────┴──────────┘\n2 rows\n"},
		{"cut", Options{Width: 22}, 2, func(n int) string { return []string{"a long name indeed", "short"}[n-1] }, `
┌─────┬──────────────┐
│   n │ name         │
│ INT │ STRING       │
├─────┼──────────────┤
│   1 │ a long name… │
│   2 │ short        │
└─────┴──────────────┘
2 rows
`},
		{"columns left out", Options{Width: 18}, 1, func(int) string { return "a long name indeed" }, `
┌─────┬───┐
│   n │ … │
│ INT │   │
├─────┼───┤
│   1 │ … │
└─────┴───┘
1 row, 2 columns (1 shown)
`},
		{"three more are no more", Options{MaxRows: 3}, 6, letters, `
┌─────┬────────┐
│   n │ name   │
│ INT │ STRING │
├─────┼────────┤
│   1 │ a      │
│   2 │ bb     │
│   3 │ ccc    │
│   4 │ dddd   │
│   5 │ eeeee  │
│   6 │ ffffff │
└─────┴────────┘
6 rows
`},
		{"shortened", Options{MaxRows: 3}, 7, letters, `
┌─────┬─────────┐
│   n │ name    │
│ INT │ STRING  │
├─────┼─────────┤
│   1 │ a       │
│   2 │ bb      │
│  ·  │    ·    │
│  ·  │    ·    │
│  ·  │    ·    │
│   7 │ ggggggg │
└─────┴─────────┘
7 rows (3 shown)
`},
		{"colours", Options{Color: true}, 1, func(int) string { return "" }, "\n" +
			"┌─────┬────────┐\n" +
			"│   \x1b[1mn\x1b[0m │ \x1b[1mname\x1b[0m   │\n" +
			"│ \x1b[2mINT\x1b[0m │ \x1b[2mSTRING\x1b[0m │\n" +
			"├─────┼────────┤\n" +
			"│   1 │ \x1b[2mNULL\x1b[0m   │\n" +
			"└─────┴────────┘\n1 row\n"},
		{"expanded", Options{Expanded: true, Width: 20, MaxRows: 2}, 6, func(n int) string { return []string{"a long name indeed", "", "", "", "", "x"}[n-1] }, `
─[ row 1 ]──────────
n    │ 1
name │ a long name
     │ indeed
·
·
·
─[ row 6 ]──────────
n    │ 6
name │ x
6 rows (2 shown)
`},
	} {
		for _, batch := range []int{1, 2, 100} {
			if got := feed(t, tt.o, tt.rows, batch, tt.text); got != tt.want[1:] {
				t.Errorf("%s, in batches of %d:\n%s\nwant\n%s", tt.name, batch, got, tt.want[1:])
			}
		}
	}
}

// Of many rows the first and the last are shown, however they come.
func TestManyRows(t *testing.T) {
	want := ""
	for _, batch := range []int{1, 7, 8192} {
		got := feed(t, Options{MaxRows: 40, Width: 60}, 20_000, batch, func(n int) string { return fmt.Sprint("row ", n) })
		lines := strings.Split(got, "\n")
		if len(lines) != 4+40+3+3 || !strings.Contains(lines[23], " 20 │ row 20") || !strings.Contains(lines[27], " 19981 │ row 19981") {
			t.Fatalf("in batches of %d:\n%s", batch, got)
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("batches of %d give another table:\n%s", batch, got)
		}
	}
	if !strings.HasSuffix(want, "20,000 rows (40 shown)\n") {
		t.Error(want)
	}
}

// pager is a Page that takes the table, or does not want it.
type pager struct {
	bytes.Buffer
	refuse bool
	asked  int
	closed int
}

func (p *pager) Close() error {
	p.closed++
	return nil
}

func (p *pager) page() io.WriteCloser {
	if p.asked++; p.refuse {
		return nil
	}
	return p
}

func TestPage(t *testing.T) {
	short := func(int) string { return "x" }
	long := func(int) string { return strings.Repeat("long ", 60) }
	screen := Options{Width: 80, Height: 24, MaxRows: 10}
	with := func(change func(*Options)) Options {
		o := screen
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name  string
		o     Options
		rows  int
		text  func(int) string
		asked int
		out   string // the screen's end
		paged string // the pager's; "": it gets nothing
	}{
		{"fits", screen, 13, short, 0, "13 rows in 7 ms", ""},
		{"would be shortened", screen, 14, short, 1, "14 rows (10 shown) in 7 ms", "14 rows"},
		{"streams", screen, 5000, short, 1, "5,000 rows (10 shown) in 7 ms", "5,000 rows"},
		// 24 lines are 4 above the rows, 2 below and one for the prompt: 17 rows.
		{"just fits", with(func(o *Options) { o.MaxRows = 40 }), 17, short, 0, "17 rows in 7 ms", ""},
		{"is too long", with(func(o *Options) { o.MaxRows = 40 }), 18, short, 1, "18 rows in 7 ms", "18 rows"},
		{"is too long, and to be shown whole", with(func(o *Options) { o.MaxRows = 0 }), 21, short, 1, "21 rows (17 shown) in 7 ms", "21 rows"},
		{"no size", Options{MaxRows: 4}, 8, short, 1, "8 rows (4 shown) in 7 ms", "8 rows"},
		{"is cut", screen, 2, long, 0, "2 rows in 7 ms", ""},
		{"is too wide", with(func(o *Options) { o.Width = 18 }), 2, long, 0, "2 rows, 2 columns (1 shown) in 7 ms", ""},
		{"is cut, and to be paged", with(func(o *Options) { o.PageWide = true }), 2, long, 1, "2 rows in 7 ms", "2 rows"},
		{"is too wide, and to be paged", with(func(o *Options) { o.Width, o.PageWide = 18, true }), 2, long, 1, "2 rows, 2 columns (1 shown) in 7 ms", "2 rows"},
		{"fits, and is to be paged if too wide", with(func(o *Options) { o.PageWide = true }), 2, short, 0, "2 rows in 7 ms", ""},
		// A record is three lines.
		{"expanded fits", with(func(o *Options) { o.Expanded = true }), 7, short, 0, "7 rows in 7 ms", ""},
		// 300 columns in lines of 73, broken between words, are 5 lines: a record is seven.
		{"expanded and wrapped", with(func(o *Options) { o.Expanded = true }), 3, long, 0, "3 rows in 7 ms", ""},
		{"expanded and wrapped too often", with(func(o *Options) { o.Expanded = true }), 4, long, 1, "4 rows in 7 ms", "4 rows"},
		{"expanded does not fit", with(func(o *Options) { o.Expanded = true }), 20, short, 1, "20 rows (7 shown) in 7 ms", "20 rows"},
	} {
		for _, batch := range []int{1, 8192} {
			tt.o.Elapsed = func() time.Duration { return 7 * time.Millisecond }
			refusing := &pager{refuse: true}
			tt.o.Page = refusing.page
			if feed(t, tt.o, tt.rows, batch, tt.text); refusing.asked != tt.asked {
				t.Errorf("%s, refused: asked %d times", tt.name, refusing.asked)
			}
			p := &pager{}
			tt.o.Page = p.page
			got := feed(t, tt.o, tt.rows, batch, tt.text)
			got = regexp.MustCompile(` in [0-9.]+ ms`).ReplaceAllString(got, " in 7 ms") // the pager's time is taken off
			if !strings.HasSuffix(got, "\n"+tt.out+"\n") {
				t.Errorf("%s: on the screen\n%s", tt.name, got)
			}
			if paged := p.String(); !strings.HasSuffix(paged, tt.paged) && !strings.HasSuffix(paged, "\n"+tt.paged+"\n") || (tt.paged == "") != (paged == "") {
				t.Errorf("%s: the pager got\n%s", tt.name, paged)
			}
			rows := strings.Count(p.String(), " x") + strings.Count(p.String(), " long…")
			if tt.o.Expanded {
				rows = strings.Count(p.String(), "[ row ")
			}
			if tt.paged != "" && rows != tt.rows {
				t.Errorf("%s: the pager got %d rows", tt.name, rows)
			}
			if p.asked != tt.asked || p.closed != tt.asked {
				t.Errorf("%s: asked %d times, closed %d times", tt.name, p.asked, p.closed)
			}
		}
	}
}

var errLeft = errors.New("left")

// leaving is a pager whose reader leaves after some bytes.
type leaving struct {
	pager
	after int
}

func (l *leaving) page() io.WriteCloser { return l }
func (l *leaving) Write(p []byte) (int, error) {
	if l.after -= len(p); l.after < 0 {
		return 0, errLeft
	}
	return len(p), nil
}

// Who leaves the pager sees what there was.
func TestPagerIsLeft(t *testing.T) {
	left := &leaving{after: 100_000}
	var out bytes.Buffer
	sink, err := New(&out, "table", twoColumns, Options{Width: 80, Height: 24, MaxRows: 4, Page: left.page})
	if err != nil {
		t.Fatal(err)
	}
	cols := columns(memory.DefaultAllocator, 0, 1000, func(int) string { return "x" })
	for err == nil {
		err = sink.Write(cols, 1000)
	}
	if !errors.Is(err, errLeft) {
		t.Error(err)
	}
	if err := errors.Join(sink.Abort(), sink.Abort()); err != nil || left.closed != 1 {
		t.Errorf("%v, closed %d times", err, left.closed)
	}
	const want = `
┌─────┬────────┐
│   n │ name   │
│ INT │ STRING │
├─────┼────────┤
│   1 │ x      │
│   2 │ x      │
│  ·  │   ·    │
│  ·  │   ·    │
│  ·  │   ·    │
└─────┴────────┘
at least 5,000 rows (2 shown)
`
	if out.String() != want[1:] {
		t.Error(out.String())
	}
}

// A query that fails closes its pager, and leaves no half of a table.
func TestPageAbort(t *testing.T) {
	p := &pager{}
	var out bytes.Buffer
	sink, err := New(&out, "table", twoColumns, Options{Height: 8, Page: p.page})
	if err != nil {
		t.Fatal(err)
	}
	cols := columns(memory.DefaultAllocator, 0, 100, func(int) string { return "x" })
	if err := errors.Join(sink.Write(cols, 100), sink.Abort(), sink.Abort()); err != nil || p.closed != 1 || out.Len() > 0 {
		t.Errorf("%v, closed %d times, %q", err, p.closed, out.String())
	}
}

func BenchmarkTable(b *testing.B) {
	const rows, batch = 1_000_000, 8192
	cols := columns(memory.DefaultAllocator, 0, batch, func(n int) string { return fmt.Sprint("name ", n) })
	for name, o := range map[string]Options{"shortened": {Width: 80, MaxRows: 40}, "whole": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sink, err := New(io.Discard, "table", twoColumns, o)
				if err != nil {
					b.Fatal(err)
				}
				for range rows / batch {
					if err := sink.Write(cols, batch); err != nil {
						b.Fatal(err)
					}
				}
				if err := sink.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows/batch*batch)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// What is wrapped is all there until it is very long.
func TestWrap(t *testing.T) {
	r := newRecord(nil, twoColumns, Options{Expanded: true, Width: 4 + 3 + 10})
	for _, tt := range []struct {
		text  string
		lines []string
		whole bool
	}{
		{"", []string{""}, true},
		{"0123456789", []string{"0123456789"}, true},
		{"0123456789a", []string{"0123456789", "a"}, true},
		{"012345 789a", []string{"012345", "789a"}, true},
		{"0 23456789abc", []string{"0 23456789", "abc"}, true}, // the blank is far
		{"日本語日本語", []string{"日本語日本", "語"}, true},
		{strings.Repeat("0123456789", 20), slices.Repeat([]string{"0123456789"}, 20), true},
		{strings.Repeat("0123456789", 20) + "a", append(slices.Repeat([]string{"0123456789"}, 19), "012345678…"), false},
	} {
		if lines, whole := r.wrap(textCell(tt.text)); !slices.Equal(lines, tt.lines) || whole != tt.whole {
			t.Errorf("%q: %q, %v", tt.text, lines, whole)
		}
	}
	narrow := newRecord(nil, twoColumns, Options{Expanded: true, Width: 1})
	if lines, _ := narrow.wrap(textCell("日本")); !slices.Equal(lines, []string{"日", "本"}) {
		t.Errorf("no room for a letter: %q", lines)
	}
}
