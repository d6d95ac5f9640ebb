package namespace

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func blk(n byte, length uint32) Block { return Block{ID: BlockID{n}, Length: length, CRC: uint32(n)} }

func lengths(f *File) []uint32 {
	var list []uint32
	for _, b := range f.Blocks.All() {
		list = append(list, b.Length)
	}
	return list
}

// TestApply runs entries one after the other: each says what comes of it.
func TestApply(t *testing.T) {
	const lease = 7
	run := Entry{Kind: Merge, Name: "a", Lease: lease, Offset: 10, First: BlockID{2}, Last: BlockID{3}, Count: 2, Blocks: []Block{blk(9, 50)}}
	steps := []struct {
		name  string
		entry Entry
		want  error
		files string // names, generations, lengths of blocks afterwards
	}{
		{"blocks need a lease", Entry{Kind: Create, Name: "a", Blocks: []Block{blk(1, 10)}}, ErrLeaseEnded, ""},
		{"open", Entry{Kind: LeaseOpen, Lease: lease, Time: 100, Until: 1000}, nil, ""},
		{"open again", Entry{Kind: LeaseOpen, Lease: lease, Until: 1000}, ErrExists, ""},
		{"create", Entry{Kind: Create, Name: "a", Lease: lease, Blocks: []Block{blk(1, 10)}}, nil, "a 1 [10]"},
		{"exists", Entry{Kind: Create, Name: "a"}, ErrExists, "a 1 [10]"},
		{"append", Entry{Kind: Append, Name: "a", Lease: lease, Generation: 1, Blocks: []Block{blk(2, 20), blk(3, 30)}}, nil, "a 1 [10 20 30]"},
		{"append to another generation", Entry{Kind: Append, Name: "a", Lease: lease, Generation: 2, Blocks: []Block{blk(4, 20)}}, ErrConflict, "a 1 [10 20 30]"},
		{"merge of another run", func() Entry { e := run; e.Count = 1; return e }(), ErrConflict, "a 1 [10 20 30]"},
		{"merge at another place", func() Entry { e := run; e.Offset = 11; return e }(), ErrConflict, "a 1 [10 20 30]"},
		{"merge of another size", func() Entry { e := run; e.Blocks = []Block{blk(9, 51)}; return e }(), ErrConflict, "a 1 [10 20 30]"},
		{"merge", run, nil, "a 1 [10 50]"},
		{"merge again", run, ErrConflict, "a 1 [10 50]"},
		{"replace", Entry{Kind: Replace, Name: "a", Lease: lease, Blocks: []Block{blk(5, 5)}}, nil, "a 2 [5]"},
		{"all or none", Entry{Kind: Commit, List: []Entry{{Kind: Create, Name: "b"}, {Kind: Remove, Name: "nope"}}}, ErrNotFound, "a 2 [5]"},
		{"commit", Entry{Kind: Commit, List: []Entry{{Kind: Rename, Name: "a", To: "c"}, {Kind: Create, Name: "a"}}}, nil, "a 1 [], c 2 [5]"},
		{"rename onto a file", Entry{Kind: Rename, Name: "a", To: "c"}, ErrExists, "a 1 [], c 2 [5]"},
		{"a bad name", Entry{Kind: Create, Name: "./x"}, ErrName, "a 1 [], c 2 [5]"},
		{"a commit in a commit", Entry{Kind: Commit, List: []Entry{{Kind: Commit, Name: "x"}}}, ErrEntry, "a 1 [], c 2 [5]"},
		{"an empty block", Entry{Kind: Append, Name: "a", Lease: lease, Blocks: []Block{{}}}, ErrEntry, "a 1 [], c 2 [5]"},
		{"an unknown kind", Entry{Kind: 99, Name: "a"}, ErrEntry, "a 1 [], c 2 [5]"},
		{"remove", Entry{Kind: Remove, Name: "a", Time: 1000}, nil, "c 2 [5]"},
		{"the lease has ended", Entry{Kind: Append, Name: "c", Lease: lease, Blocks: []Block{blk(6, 6)}, Time: 1}, ErrLeaseEnded, "c 2 [5]"},
		{"a lease in the past", Entry{Kind: LeaseOpen, Lease: 8, Until: 999}, ErrLeaseEnded, "c 2 [5]"},
		{"append to what is gone", Entry{Kind: Append, Name: "a", Generation: 1}, ErrConflict, "c 2 [5]"},
	}
	s := New()
	var freed []uint32
	for i, step := range steps {
		var res Result
		s, res = Apply(s, uint64(i+1), step.entry)
		if !errors.Is(res.Err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, res.Err, step.want)
		}
		var files []string
		var blocks, size int64
		for name, f := range s.Files("") {
			files = append(files, fmt.Sprint(name, " ", f.Generation, " ", lengths(f)))
			blocks += int64(f.Blocks.Len())
			size += f.Blocks.Size()
		}
		if got := strings.Join(files, ", "); got != step.files {
			t.Errorf("%s: %s, want %s", step.name, got, step.files)
		}
		if b, n := s.Size(); b != blocks || n != size {
			t.Errorf("%s: totals %d blocks, %d bytes, want %d, %d", step.name, b, n, blocks, size)
		}
		for _, f := range res.Freed {
			for _, b := range f.Blocks.All() {
				freed = append(freed, b.Length)
			}
		}
	}
	if want := []uint32{20, 30, 10, 50}; !slices.Equal(freed, want) {
		t.Errorf("freed %v, want %v", freed, want)
	}
}

func TestIdentity(t *testing.T) {
	s := New()
	apply := func(e Entry) *File {
		t.Helper()
		var res Result
		s, res = Apply(s, s.Index()+1, e)
		if res.Err != nil {
			t.Fatal(res.Err)
		}
		return res.File
	}
	a := apply(Entry{Kind: Create, Name: "a", Time: 5})
	renamed := apply(Entry{Kind: Rename, Name: "a", To: "b", Time: 6})
	replaced := apply(Entry{Kind: Replace, Name: "b", Time: 7})
	apply(Entry{Kind: Remove, Name: "b"})
	again := apply(Entry{Kind: Create, Name: "b", Time: 4})
	if renamed.ID != a.ID || replaced.ID != a.ID || replaced.Generation != 2 || again.ID == a.ID || again.Generation != 1 {
		t.Errorf("ids and generations: %+v %+v %+v %+v", a, renamed, replaced, again)
	}
	if renamed.Modified != 5 || replaced.Created != 5 || replaced.Modified != 7 || again.Created != 7 {
		t.Errorf("times: %+v %+v %+v", renamed, replaced, again)
	}
	same, res := Apply(s, s.Index(), Entry{Kind: Remove, Name: "b"})
	if same != s || !errors.Is(res.Err, ErrEntry) {
		t.Error("an index was applied twice")
	}
}

func TestRetries(t *testing.T) {
	s := New()
	apply := func(e Entry) Result {
		var res Result
		s, res = Apply(s, s.Index()+1, e)
		return res
	}
	create := Entry{Kind: Create, Name: "a", Client: 1, Seq: 1, Time: 1000}
	refused := Entry{Kind: Remove, Name: "nope", Client: 1, Seq: 2, Time: 1000}
	if res := apply(create); res.Err != nil || res.Repeated {
		t.Fatal(res)
	}
	if res := apply(refused); !errors.Is(res.Err, ErrNotFound) {
		t.Fatal(res)
	}
	apply(Entry{Kind: Remove, Name: "a"})
	if res := apply(create); res.Err != nil || !res.Repeated || s.Len() != 0 {
		t.Errorf("repeated: %+v, %d files", res, s.Len())
	}
	if res := apply(refused); !errors.Is(res.Err, ErrNotFound) || !res.Repeated {
		t.Errorf("repeated: %+v", res)
	}
	// A snapshot knows it too.
	var buf bytes.Buffer
	if err := s.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, res := Apply(restored, restored.Index()+1, create); !res.Repeated {
		t.Error("forgotten by the snapshot")
	}
	// Old by number, then old by time.
	for seq := uint64(3); seq < 3+Window; seq++ {
		apply(Entry{Kind: Create, Name: fmt.Sprint(seq), Client: 1, Seq: seq, Time: 2000})
	}
	if res := apply(create); !errors.Is(res.Err, ErrStale) {
		t.Errorf("beyond the window: %+v", res)
	}
	last := Entry{Kind: Create, Name: "z", Client: 2, Seq: 9, Time: 3000}
	apply(last)
	apply(Entry{Kind: Create, Name: "y", Time: 3000 + RetryWindow + 1})
	if res := apply(last); !errors.Is(res.Err, ErrStale) {
		t.Errorf("after the window: %+v", res)
	}
	if s.retries.Len() != 0 {
		t.Errorf("%d clients are remembered for ever", s.retries.Len())
	}
}

// TestBlocks compares the persistent list with a slice, and checks that old lists do not change.
func TestBlocks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var list Blocks
	var want []Block
	type version struct {
		list Blocks
		want []Block
	}
	var old []version
	next := byte(0)
	fresh := func(length uint32) Block {
		next++
		return Block{ID: BlockID{next, byte(rnd.Uint32()), byte(rnd.Uint32())}, Length: length}
	}
	for range 600 {
		if len(want) > 3 && rnd.IntN(4) == 0 {
			i := rnd.IntN(len(want) - 1)
			j := min(len(want), i+2+rnd.IntN(80))
			var from, to int64
			for k, b := range want[:j] {
				if k < i {
					from += int64(b.Length)
				}
				to += int64(b.Length)
			}
			by := fresh(uint32(to - from))
			list = list.splice(from, to, by)
			want = slices.Concat(want[:i], []Block{by}, want[j:])
		} else {
			var more []Block
			for range 1 + rnd.IntN(70) {
				more = append(more, fresh(1+rnd.Uint32N(9)))
			}
			list = list.Append(more...)
			want = slices.Concat(want, more)
		}
		old = append(old, version{list, want})
	}
	for i, v := range old {
		var got []Block
		off := int64(0)
		for start, b := range v.list.All() {
			if start != off {
				t.Fatalf("version %d: a block at %d instead of %d", i, start, off)
			}
			off += int64(b.Length)
			got = append(got, b)
		}
		if !slices.Equal(got, v.want) || v.list.Len() != len(v.want) || v.list.Size() != off {
			t.Fatalf("version %d differs", i)
		}
	}
	off := int64(0)
	for i, b := range want {
		at := off + rnd.Int64N(int64(b.Length))
		for start, found := range list.From(at) {
			if start != off || found != b {
				t.Fatalf("block %d: byte %d found in the block at %d", i, at, start)
			}
			break
		}
		off += int64(b.Length)
	}
}

func TestSnapshot(t *testing.T) {
	s := New()
	apply := func(e Entry) {
		t.Helper()
		var res Result
		if s, res = Apply(s, s.Index()+1, e); res.Err != nil {
			t.Fatal(res.Err)
		}
	}
	apply(Entry{Kind: LeaseOpen, Lease: 3, Time: 50, Until: 99})
	for i := range 3000 {
		apply(Entry{Kind: Append, Name: fmt.Sprint("f", i%3), Lease: 3, Blocks: []Block{blk(byte(i), uint32(i+1))}, Time: 60})
	}
	apply(Entry{Kind: Create, Name: "empty"})
	var buf bytes.Buffer
	if err := s.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	data := buf.Bytes()
	got, err := Restore(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := got.Snapshot(&again); err != nil || !bytes.Equal(again.Bytes(), data) {
		t.Error("a restored state gives another snapshot", err)
	}
	if b, n := got.Size(); b != 3000 || n != 3000*3001/2 || got.Index() != s.Index() || got.Time() != 60 {
		t.Errorf("%d blocks, %d bytes, index %d, time %d", b, n, got.Index(), got.Time())
	}
	// The lease goes on, and ends.
	if _, res := Apply(got, got.Index()+1, Entry{Kind: Append, Name: "x", Lease: 3, Time: 98, Blocks: []Block{blk(1, 1)}}); res.Err != nil {
		t.Error(res.Err)
	}
	if _, res := Apply(got, got.Index()+1, Entry{Kind: Append, Name: "x", Lease: 3, Time: 99, Blocks: []Block{blk(1, 1)}}); !errors.Is(res.Err, ErrLeaseEnded) {
		t.Error(res.Err)
	}
	for cut := 0; cut < len(data); cut += 997 {
		if _, err := Restore(bytes.NewReader(data[:cut])); err == nil {
			t.Errorf("a snapshot cut to %d bytes is taken", cut)
		}
	}
	if _, err := Restore(bytes.NewReader(append(slices.Clone(data), 0))); err == nil {
		t.Error("a snapshot with something behind it is taken")
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "a/b.csv", "über/ä", "a b", "..a", "a.", strings.Repeat("x", MaxName)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "/a", "./a", "../a", "a/../b", "a/./b", "a//b", "a/", "~/a", "file://a", "kafka://b/t", "a\x00b", "a\nb", "a*", "a?", "[a]", `a\b`, "\xff", strings.Repeat("x", MaxName+1), ".", ".."} {
		if err := CheckName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestLongFile holds that a small append to a file of many blocks costs no more memory than one to
// a short file, by a wide margin.
func TestLongFile(t *testing.T) {
	s, res := Apply(New(), 1, Entry{Kind: LeaseOpen, Lease: 1, Until: math.MaxInt64})
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	appendOne := func() {
		if s, res = Apply(s, s.Index()+1, Entry{Kind: Append, Name: "f", Lease: 1, Blocks: []Block{blk(1, 1)}}); res.Err != nil {
			t.Fatal(res.Err)
		}
	}
	cost := func() float64 {
		const n = 2000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			appendOne()
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / n
	}
	short := cost()
	for s.blocks < 200_000 {
		appendOne()
	}
	if long := cost(); long > 4*short+4096 {
		t.Errorf("an append takes %.0f bytes of memory, to a short file %.0f", long, short)
	}
}

func FuzzApply(f *testing.F) {
	for _, e := range []Entry{
		{Kind: Create, Name: "a", Client: 1, Seq: 1},
		{Kind: LeaseOpen, Lease: 1, Until: 5, Time: 1},
		{Kind: Append, Name: "a", Lease: 1, Blocks: []Block{blk(1, 10)}, File: 1, Generation: 1, Version: 2},
		{Kind: Merge, Name: "a", Lease: 1, Count: 1, First: BlockID{1}, Last: BlockID{1}, Blocks: []Block{blk(2, 10)}},
		{Kind: Commit, List: []Entry{{Kind: Rename, Name: "a", To: "b"}, {Kind: Remove, Name: "b"}}},
	} {
		data, err := Encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, data)
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		s, _ := Apply(New(), 1, Entry{Kind: LeaseOpen, Lease: 1, Until: 1 << 40})
		s, _ = Apply(s, 2, Entry{Kind: Append, Name: "a", Lease: 1, Blocks: []Block{blk(1, 10), blk(2, 20)}})
		for i, data := range [][]byte{one, two} {
			e, err := Decode(data)
			if err != nil {
				continue
			}
			encoded, err := Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Decode(encoded); err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
				t.Fatalf("%+v reads back as %+v, %v", e, again, err)
			}
			next, res := Apply(s, uint64(i+3), e)
			same, resAgain := Apply(s, uint64(i+3), e)
			var a, b bytes.Buffer
			if err := errors.Join(next.Snapshot(&a), same.Snapshot(&b)); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(res.Err) != fmt.Sprint(resAgain.Err) || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Fatal("not a pure function")
			}
			s = next
			for name, file := range s.Files("") {
				if CheckName(name) != nil || file.ID == 0 || file.Generation == 0 {
					t.Fatalf("%q: %+v", name, file)
				}
			}
			var buf bytes.Buffer
			if err := s.Snapshot(&buf); err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(&buf); err != nil {
				t.Fatalf("its own snapshot: %v", err)
			}
		}
	})
}

func FuzzRestore(f *testing.F) {
	s, _ := Apply(New(), 1, Entry{Kind: LeaseOpen, Lease: 1, Until: 1 << 40})
	s, _ = Apply(s, 2, Entry{Kind: Append, Name: "a", Lease: 1, Client: 4, Seq: 1, Blocks: []Block{blk(1, 10), blk(2, 20)}})
	var buf bytes.Buffer
	if err := s.Snapshot(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(bytes.NewReader(data))
		if err != nil {
			return
		}
		Apply(s, math.MaxUint64, Entry{Kind: Create, Name: "x", Client: 1, Seq: 1, Time: math.MaxInt64})
	})
}
