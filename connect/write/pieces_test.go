package write

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
)

// numbers is an encoder of a column of numbers, whose rows are as long as they say.
type numbers struct{}

func (numbers) Header(dst []byte) []byte { return append(dst, "head\n"...) }
func (numbers) Row(cols []arrow.Array) (func([]byte, int) ([]byte, error), error) {
	c := cols[0].(*array.Int64)
	return func(dst []byte, i int) ([]byte, error) { return appendRow(dst, c.Value(i)), nil }, nil
}

const dots = "........................................................................................................................................................................................................"

func appendRow(dst []byte, n int64) []byte {
	return append(append(strconv.AppendInt(dst, n, 10), dots[:n*7%int64(len(dots))]...), '\n')
}

// disk has the pieces of a file.
type disk struct {
	mu     sync.Mutex
	pieces []*memoryPiece
	room   int // bytes; a write beyond them fails
}

type memoryPiece struct {
	bytes.Buffer
	d                       *disk
	place                   int64
	whole, commits, aborted int
}

func (d *disk) begin(place int64) (Piece, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &memoryPiece{d: d, place: place}
	d.pieces = append(d.pieces, p)
	return p, nil
}

var errFull = errors.New("full")

func (p *memoryPiece) Write(b []byte) (int, error) {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	if p.d.room -= len(b); p.d.room < 0 {
		return 0, errFull
	}
	return p.Buffer.Write(b)
}
func (p *memoryPiece) End() error {
	time.Sleep(time.Duration(p.Len()%300) * time.Microsecond)
	p.whole++
	return nil
}
func (p *memoryPiece) Commit() error { p.commits++; return nil }
func (p *memoryPiece) Abort() error  { p.aborted++; return nil }

// text is what the pieces are together.
func (d *disk) text() string {
	slices.SortStableFunc(d.pieces, func(a, b *memoryPiece) int { return int(a.place - b.place) })
	var sb strings.Builder
	for _, p := range d.pieces {
		sb.WriteString(p.String())
	}
	return sb.String()
}

// process is one with tasks that write a file.
type process struct {
	all    connect.Shared
	tasks  []int
	mu     sync.Mutex
	splits []int // handed out to it and not taken yet
}

// source hands out splits, to processes in runs.
type source struct {
	mu    sync.Mutex
	next  int
	rows  [][]int64 // by split
	atOne int
}

func (p *process) take(s *source) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.splits) == 0 {
		s.mu.Lock()
		for range s.atOne {
			if s.next < len(s.rows) {
				p.splits = append(p.splits, s.next)
				s.next++
			}
		}
		s.mu.Unlock()
	}
	if len(p.splits) == 0 {
		return -1
	}
	at := p.splits[0]
	p.splits = p.splits[1:]
	return at
}

func (p *process) run(t *testing.T, s *source, task int, r *rand.Rand) error {
	share, err := p.all.Task(task)
	if err != nil {
		return err
	}
	for {
		split := p.take(s)
		if split < 0 {
			return share.End()
		}
		for rows := range slices.Chunk(s.rows[split], 1+r.IntN(2000)) {
			b := array.NewInt64Builder(memory.DefaultAllocator)
			b.AppendValues(rows, nil)
			a := b.NewArray()
			b.Release()
			err := share.Write([]arrow.Array{a}, len(rows), split)
			a.Release()
			if err != nil {
				return err
			}
			if r.IntN(20) == 0 { // the others overtake
				for range r.IntN(5) {
					s.mu.Lock()
					s.mu.Unlock() //nolint:staticcheck // time passes
				}
			}
		}
		if err := share.EndSplit(split); err != nil {
			return err
		}
	}
}

// write has processes write a file, and returns what became of their tasks.
func write(t *testing.T, d *disk, how connect.Sharing, s *source, processes, tasks, most int, seed uint64) error {
	t.Helper()
	var list []*process
	for i := range processes {
		p := &process{}
		for k := i; k < tasks; k += processes {
			p.tasks = append(p.tasks, k)
		}
		cfg := Pieces{Encoder: func() (Encoder, error) { return numbers{}, nil }, Begin: d.begin}
		if i == 0 {
			cfg.First, _ = d.begin(-1)
			if _, err := cfg.First.Write(numbers{}.Header(nil)); err != nil {
				return err
			}
		}
		p.all = NewShared(cfg, how, p.tasks)
		if o, ok := p.all.(*ordered); ok {
			o.most = most
		}
		list = append(list, p)
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, p := range list {
		for _, task := range p.tasks {
			work.Go(func() {
				if err := p.run(t, s, task, rand.New(rand.NewPCG(seed, uint64(task)))); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
				}
			})
		}
	}
	work.Wait()
	if len(errs) > 0 {
		for _, p := range list {
			errs = append(errs, p.all.Abort())
		}
		return errors.Join(errs...)
	}
	for _, p := range list {
		if err := p.all.Commit(); err != nil {
			return err
		}
		if err := p.all.Abort(); err != nil {
			return err
		}
	}
	return nil
}

func sourceOf(r *rand.Rand, splits, most int) (*source, string) {
	s := &source{atOne: 1 + r.IntN(16)}
	want := []byte("head\n")
	n := int64(0)
	for range splits {
		var rows []int64
		for range r.IntN(most) * r.IntN(2) {
			rows = append(rows, n)
			want = appendRow(want, n)
			n++
		}
		s.rows = append(s.rows, rows)
	}
	return s, string(want)
}

// TestPiecesInOrder: whichever task of whichever process has which splits, and however much waits, the file has its rows in order.
func TestPiecesInOrder(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, want := sourceOf(r, r.IntN(60), 1+r.IntN(6000))
		d := &disk{room: 1 << 30}
		processes := 1 + r.IntN(3)
		if err := write(t, d, connect.BySplit, s, processes, processes+r.IntN(5), []int{0, 100_000, mostHeld}[r.IntN(3)], seed); err != nil {
			t.Fatal(err)
		}
		if got := d.text(); got != want {
			t.Fatalf("seed %d: %d bytes in %d pieces are not the %d in order", seed, len(got), len(d.pieces), len(want))
		}
		for _, p := range d.pieces {
			if p.commits != 1 || p.aborted != 0 || p.whole > 1 || p.whole == 0 && p.place >= 0 || p.Len() == 0 {
				t.Errorf("seed %d: piece %d of %d bytes was ended %d, committed %d, aborted %d times", seed, p.place, p.Len(), p.whole, p.commits, p.aborted)
			}
		}
	}
}

// TestOnePiece: one process writes a file as one piece, if no task is far behind.
func TestOnePiece(t *testing.T) {
	s, want := sourceOf(rand.New(rand.NewPCG(1, 1)), 200, 2000)
	d := &disk{room: 1 << 30}
	if err := write(t, d, connect.BySplit, s, 1, 4, mostHeld, 1); err != nil {
		t.Fatal(err)
	}
	if len(d.pieces) != 1 || d.text() != want {
		t.Errorf("%d pieces", len(d.pieces))
	}
}

// TestFewPieces: a process has a piece for each run of splits that it was given, not for each split.
func TestFewPieces(t *testing.T) {
	s, want := sourceOf(rand.New(rand.NewPCG(1, 1)), 480, 2000)
	s.atOne = 16
	d := &disk{room: 1 << 30}
	if err := write(t, d, connect.BySplit, s, 3, 6, mostHeld, 1); err != nil {
		t.Fatal(err)
	}
	if len(d.pieces) > 31 || d.text() != want {
		t.Errorf("%d pieces", len(d.pieces))
	}
}

// TestPiecesWithoutOrder: every row is there once, and no piece is small but one of each process.
func TestPiecesWithoutOrder(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		s, want := sourceOf(r, r.IntN(50), 1+r.IntN(6000))
		d := &disk{room: 1 << 30}
		processes := 1 + r.IntN(3)
		if err := write(t, d, connect.ByTask, s, processes, processes+r.IntN(5), 0, seed); err != nil {
			t.Fatal(err)
		}
		small := 0
		for _, p := range d.pieces {
			if p.Len() < bufferBytes {
				small++
			}
		}
		got := d.text()
		if !strings.HasPrefix(got, "head\n") || sorted(got) != sorted(want) || small > processes {
			t.Errorf("seed %d: %d of %d pieces are small, %d bytes of %d", seed, small, len(d.pieces), len(got), len(want))
		}
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestPiecesThatFail: a full disk ends all tasks, and all pieces are given up.
func TestPiecesThatFail(t *testing.T) {
	for _, how := range []connect.Sharing{connect.BySplit, connect.ByTask} {
		for seed := range uint64(10) {
			s, want := sourceOf(rand.New(rand.NewPCG(seed, 3)), 60, 6000)
			d := &disk{room: len(want) / 2}
			if err := write(t, d, how, s, 2, 5, 100_000, seed); !errors.Is(err, errFull) {
				t.Fatalf("%s: %v", how, err)
			}
			for _, p := range d.pieces {
				if p.commits > 0 || p.aborted != 1 {
					t.Errorf("%s: piece %d was committed %d, aborted %d times", how, p.place, p.commits, p.aborted)
				}
			}
		}
	}
}

// TestPiecesOutOfOrder: a task whose rows do not come in the order of splits is an error, not a file in another order.
func TestPiecesOutOfOrder(t *testing.T) {
	for _, splits := range [][]int{{-1}, {3, 2}, {3, -1}} {
		d := &disk{room: 1 << 30}
		all := NewShared(Pieces{Encoder: func() (Encoder, error) { return numbers{}, nil }, Begin: d.begin}, connect.BySplit, []int{1})
		share, err := all.Task(1)
		for _, split := range splits {
			if err == nil {
				err = share.EndSplit(split)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "out of order") {
			t.Errorf("%v: %v", splits, err)
		}
		if err := all.Commit(); err == nil {
			t.Error("it was committed")
		}
	}
}
