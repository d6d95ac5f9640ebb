package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

func id(n byte) ID { return ID{15: n} }

// cluster is a state that is changed by scripts.
type cluster struct {
	t     *testing.T
	s     *State
	index uint64
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t, s: New()}
	c.do(Entry{Kind: Found, Cluster: id(99)})
	return c
}

func (c *cluster) do(e Entry) Result {
	c.t.Helper()
	data, err := Encode(e)
	if err != nil {
		c.t.Fatal(err)
	}
	if e, err = Decode(data); err != nil {
		c.t.Fatal(err)
	}
	c.index++
	before := c.s
	var res Result
	c.s, res = Apply(c.s, c.index, e)
	if before.Index() != c.index-1 {
		c.t.Fatal("Apply changed what it was given")
	}
	return res
}

func (c *cluster) join(n byte, incarnation uint64) Result {
	return c.do(Entry{Kind: Join, Node: id(n), Incarnation: incarnation, Name: fmt.Sprint("n", n), Addr: "h:1", Gossip: "h:2"})
}

// TestNodes follows docs/cluster.md, "States of a node": what each entry makes of each status, and whether the
// ring changes.
func TestNodes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		script []Entry // about node 1, in incarnation 1 unless said
		want   Status
		ring   bool
		err    error // of the last
	}{
		{"joins", nil, Pending, false, nil},
		{"is ready", []Entry{{Kind: Ready}}, Active, true, nil},
		{"is ready twice", []Entry{{Kind: Ready}, {Kind: Ready}}, Active, true, nil},
		{"dies before it was ready", []Entry{{Kind: MarkDown}}, Down, false, nil},
		{"dies", []Entry{{Kind: Ready}, {Kind: MarkDown}}, Down, true, nil},
		{"was not dead", []Entry{{Kind: Ready}, {Kind: MarkDown}, {Kind: MarkUp}}, Active, true, nil},
		{"was not dead, and not ready", []Entry{{Kind: MarkDown}, {Kind: MarkUp}}, Pending, false, nil},
		{"starts anew", []Entry{{Kind: Ready}, {Kind: Join, Incarnation: 2}}, Pending, true, nil},
		{"is ready again", []Entry{{Kind: Ready}, {Kind: Join, Incarnation: 2}, {Kind: Ready, Incarnation: 2}}, Active, true, nil},
		{"news of the start before", []Entry{{Kind: Ready}, {Kind: Join, Incarnation: 2}, {Kind: MarkDown}}, Pending, true, ErrOutdated},
		{"an old start comes late", []Entry{{Kind: Join, Incarnation: 2}, {Kind: Join}}, Pending, false, ErrOutdated},
		{"leaves", []Entry{{Kind: Ready}, {Kind: Leave}}, Leaving, true, nil},
		{"has left", []Entry{{Kind: Ready}, {Kind: Leave}, {Kind: Evict}}, Evicted, false, nil},
		{"dies while it leaves", []Entry{{Kind: Ready}, {Kind: Leave}, {Kind: MarkDown}}, Down, true, nil},
		{"leaves, is held dead, and is not", []Entry{{Kind: Ready}, {Kind: Leave}, {Kind: MarkDown}, {Kind: MarkUp}}, Leaving, true, nil},
		{"leaves, dies, and starts anew", []Entry{{Kind: Ready}, {Kind: Leave}, {Kind: MarkDown}, {Kind: Join, Incarnation: 2, Name: "n1", Addr: "h:1"}, {Kind: Ready, Incarnation: 2}}, Leaving, true, nil},
		{"is made to leave when dead", []Entry{{Kind: Ready}, {Kind: MarkDown}, {Kind: Leave}}, Evicted, false, nil},
		{"is not evicted while active", []Entry{{Kind: Ready}, {Kind: Evict}}, Active, true, ErrStatus},
		{"does not come back", []Entry{{Kind: MarkDown}, {Kind: Evict}, {Kind: Join, Incarnation: 2}}, Evicted, false, ErrEvicted},
		{"is evicted twice", []Entry{{Kind: MarkDown}, {Kind: Evict}, {Kind: Evict}}, Evicted, false, nil},
	} {
		c := newCluster(t)
		c.join(2, 1)
		c.do(Entry{Kind: Ready, Node: id(2), Incarnation: 1})
		res := c.join(1, 1)
		for _, e := range tc.script {
			e.Node = id(1)
			if e.Incarnation == 0 && e.Kind != Leave && e.Kind != Evict {
				e.Incarnation = 1
			}
			if e.Kind == Join {
				e.Name, e.Addr = "n1", "h:9"
			}
			before, _ := c.s.Node(id(1))
			epoch := c.s.Epoch()
			res = c.do(e)
			after, _ := c.s.Node(id(1))
			if (before.Ring != after.Ring) != (epoch != c.s.Epoch()) {
				t.Errorf("%s: ring %v to %v, epoch %d to %d", tc.name, before.Ring, after.Ring, epoch, c.s.Epoch())
			}
		}
		n, _ := c.s.Node(id(1))
		if n.Status != tc.want || n.Ring != tc.ring || !errors.Is(res.Err, tc.err) {
			t.Errorf("%s: %v, ring %v, %v", tc.name, n.Status, n.Ring, res.Err)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	c := &cluster{t: t, s: New()}
	if res := c.join(1, 1); !errors.Is(res.Err, ErrStatus) {
		t.Error("before the cluster has an id:", res.Err)
	}
	c = newCluster(t)
	c.join(1, 1)
	c.do(Entry{Kind: Ready, Node: id(1), Incarnation: 1})
	if res := c.do(Entry{Kind: Leave, Node: id(1)}); !errors.Is(res.Err, ErrStatus) {
		t.Error("the last one left:", res.Err)
	}
	other := Entry{Kind: Join, Node: id(7), Incarnation: 1, Name: "n1", Addr: "h:1"}
	if res := c.do(other); !errors.Is(res.Err, ErrNameUsed) {
		t.Error("two of one name:", res.Err)
	}
	c.do(Entry{Kind: MarkDown, Node: id(1), Incarnation: 1})
	if res := c.do(other); res.Err != nil {
		t.Error("a wiped node in place of one that is down:", res.Err)
	}
	other.Cluster = id(5)
	if res := c.do(other); !errors.Is(res.Err, ErrCluster) {
		t.Error("of another cluster:", res.Err)
	}
	for _, bad := range []string{"", "a b", "ü", "a/b", strings.Repeat("x", 65)} {
		if res := c.do(Entry{Kind: Join, Node: id(8), Incarnation: 1, Name: bad, Addr: "h:1"}); !errors.Is(res.Err, ErrEntry) {
			t.Errorf("%q: %v", bad, res.Err)
		}
	}
}

// TestRetries: an entry that is repeated is applied once, even when others came between.
func TestRetries(t *testing.T) {
	c := newCluster(t)
	one := Entry{Kind: Set, Name: "x", Value: "1", Client: 5, Seq: 1, Time: 1000}
	c.do(one)
	c.do(Entry{Kind: Set, Name: "x", Value: "2", Client: 6, Seq: 1, Time: 1001})
	if res := c.do(one); !res.Repeated || res.Err != nil {
		t.Errorf("%+v", res)
	}
	for name, v := range c.s.Settings() {
		if name == "x" && v != "2" {
			t.Errorf("x is %s", v)
		}
	}
	file := Entry{Kind: Files, Files: namespace.Entry{Kind: namespace.Create, Name: "f", Client: 5, Seq: 2, Time: 1000}}
	c.do(file)
	c.do(Entry{Kind: Files, Files: namespace.Entry{Kind: namespace.Remove, Name: "f", Time: 1002}})
	if res := c.do(file); !res.Repeated || c.s.Files().Len() != 0 {
		t.Errorf("%+v, %d files", res, c.s.Files().Len())
	}
	late := Entry{Kind: Set, Name: "y", Value: "1", Client: 5, Seq: 3, Time: 1000}
	c.do(Entry{Kind: Set, Name: "z", Value: "1", Time: 1e12})
	if res := c.do(late); !errors.Is(res.Err, ErrStale) {
		t.Errorf("%+v", res)
	}
}

// TestSnapshot: what is restored is the same, to the byte, and goes on the same.
func TestSnapshot(t *testing.T) {
	c := newCluster(t)
	c.join(1, 1)
	c.join(2, 3)
	c.do(Entry{Kind: Ready, Node: id(2), Incarnation: 3})
	c.do(Entry{Kind: TokenAdd, Name: "etl", Value: "write", Hash: [32]byte{1}, Client: 9, Seq: 4, Time: 5})
	c.do(Entry{Kind: Set, Name: "a", Value: "b"})
	for i := range 50 {
		c.do(Entry{Kind: Files, Files: namespace.Entry{Kind: namespace.Create, Name: fmt.Sprint("f", i), Client: 3, Seq: uint64(i + 1), Time: 7}})
	}
	var first, second bytes.Buffer
	if err := c.s.Snapshot(&first); err != nil {
		t.Fatal(err)
	}
	data := bytes.Clone(first.Bytes())
	back, err := Restore(&first)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Snapshot(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, second.Bytes()) || back.Index() != c.index || back.Files().Len() != 50 {
		t.Error("the restored state is another")
	}
	for cut := range len(data) {
		if _, err := Restore(bytes.NewReader(data[:cut])); err == nil {
			t.Fatalf("cut at %d of %d it was taken for whole", cut, len(data))
		}
	}
}

// FuzzDecode: whatever bytes come, Decode gives an error or an entry that can be applied and written again.
func FuzzDecode(f *testing.F) {
	for _, e := range []Entry{
		{Kind: Found, Cluster: id(1)}, {Kind: Join, Node: id(2), Incarnation: 1, Name: "n", Addr: "a:1"},
		{Kind: TokenAdd, Name: "t", Value: "read", Hash: [32]byte{5}},
		{Kind: Files, Files: namespace.Entry{Kind: namespace.Create, Name: "x"}},
	} {
		data, err := Encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		Apply(New(), 1, e)
		if _, err := Encode(e); err != nil {
			t.Error(err)
		}
	})
}

// TestHolders: an entry is refused unless, as it is applied, min(replicas, active) of the nodes that it names for each block are
// active in that incarnation. A repeated request is answered as the first time, whoever has died since.
func TestHolders(t *testing.T) {
	c := newCluster(t)
	for n := byte(1); n <= 4; n++ {
		c.join(n, 1)
		c.do(Entry{Kind: Ready, Node: id(n), Incarnation: 1})
	}
	c.do(Entry{Kind: Files, Files: namespace.Entry{Kind: namespace.LeaseOpen, Lease: 7, Until: 1000}})
	seq := uint64(0)
	entry := func(holders []Holder, held ...[]int) Entry {
		seq++
		e := namespace.Entry{Kind: namespace.Append, Name: "a", Lease: 7, Client: 1, Seq: seq}
		for i := range held {
			e.Blocks = append(e.Blocks, namespace.Block{ID: namespace.BlockID{byte(seq), byte(i)}, Length: 1})
		}
		return Entry{Kind: Files, Files: e, Held: Held{Nodes: holders, Blocks: held}}
	}
	all := []Holder{{id(1), 1}, {id(2), 1}, {id(3), 1}, {id(4), 1}}
	for _, tc := range []struct {
		name string
		e    Entry
		want error
	}{
		{"three of four", entry(all, []int{0, 1, 2}, []int{3, 1, 0}), nil},
		{"two", entry(all, []int{0, 1, 2}, []int{3, 1}), namespace.ErrHolders},
		{"one twice", entry(all, []int{0, 1, 1}), namespace.ErrHolders},
		{"one listed twice", entry([]Holder{{id(1), 1}, {id(1), 1}, {id(2), 1}}, []int{0, 1, 2}), namespace.ErrHolders},
		{"another start", entry([]Holder{{id(1), 1}, {id(2), 2}, {id(3), 1}}, []int{0, 1, 2}), namespace.ErrHolders},
		{"a stranger", entry([]Holder{{id(1), 1}, {id(2), 1}, {id(9), 1}}, []int{0, 1, 2}), namespace.ErrHolders},
		{"a block of which nothing is said", func() Entry {
			e := entry(all, []int{0, 1, 2}, []int{0, 1, 2})
			e.Held.Blocks = e.Held.Blocks[:1]
			return e
		}(), namespace.ErrHolders},
		{"no blocks", entry(nil), nil},
	} {
		if res := c.do(tc.e); !errors.Is(res.Err, tc.want) || tc.want == nil && res.Err != nil {
			t.Errorf("%s: %v, want %v", tc.name, res.Err, tc.want)
		}
	}
	first := entry(all, []int{0, 1, 2})
	c.do(first)
	c.do(Entry{Kind: MarkDown, Node: id(1), Incarnation: 1})
	if res := c.do(first); res.Err != nil || !res.Repeated {
		t.Errorf("repeated after a holder's death: %+v", res)
	}
	if res := c.do(entry(all, []int{0, 1, 2})); !errors.Is(res.Err, namespace.ErrHolders) {
		t.Error("a node that is down counts", res.Err)
	}
	c.do(Entry{Kind: MarkDown, Node: id(4), Incarnation: 1})
	if res := c.do(entry(all, []int{1, 2})); res.Err != nil {
		t.Error("two of two that are active:", res.Err)
	}
	c.do(Entry{Kind: Set, Name: ReplicasSetting, Value: "1"})
	if res := c.do(entry(all, []int{2})); res.Err != nil {
		t.Error("one, where one is asked for:", res.Err)
	}
	if res := c.do(Entry{Kind: Set, Name: ReplicasSetting, Value: "0"}); !errors.Is(res.Err, ErrEntry) {
		t.Error(res.Err)
	}
}

// TestNeeded: as many copies as there are nodes for, those included that are only being started anew.
func TestNeeded(t *testing.T) {
	c := newCluster(t)
	needed := func(want int, when string) {
		t.Helper()
		if got := c.s.Needed(); got != want {
			t.Errorf("%s: %d, not %d", when, got, want)
		}
	}
	needed(1, "nobody")
	for n := byte(1); n <= 4; n++ {
		c.join(n, 1)
		needed(max(1, min(3, int(n)-1)), "one joins")
		c.do(Entry{Kind: Ready, Node: id(n), Incarnation: 1})
		needed(min(3, int(n)), "it is ready")
	}
	c.do(Entry{Kind: MarkDown, Node: id(1), Incarnation: 1})
	c.do(Entry{Kind: MarkDown, Node: id(2), Incarnation: 1})
	needed(2, "two of four are down")
	c.join(1, 2)
	needed(3, "one of them is started anew")
	c.do(Entry{Kind: Leave, Node: id(3)})
	needed(2, "one leaves")
}

// TestBatch: the entries of a batch stand or fall each by itself, in their order, at one index.
func TestBatch(t *testing.T) {
	c := newCluster(t)
	part := func(kind namespace.Kind, name string, seq uint64) Entry {
		return Entry{Kind: Files, Files: namespace.Entry{Kind: kind, Name: name, Client: 5, Seq: seq}}
	}
	res := c.do(Entry{Kind: Batch, Batch: []Entry{
		part(namespace.Create, "a", 1), part(namespace.Create, "a", 2), part(namespace.Create, "b", 3), part(namespace.Create, "a", 1),
	}})
	want := []string{"<nil> false", `"a": the file exists already false`, "<nil> false", "<nil> true"}
	for i, r := range res.Batch {
		if got := fmt.Sprint(r.Err, " ", r.Repeated); got != want[i] {
			t.Errorf("part %d: %s, want %s", i, got, want[i])
		}
	}
	for _, name := range []string{"a", "b"} {
		if f, ok := c.s.Files().Get(name); !ok || f.Version != c.index || f.Generation != 1 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if _, err := Decode(mustEncode(t, Entry{Kind: Batch, Batch: []Entry{{Kind: Set, Name: "x"}}})); !errors.Is(err, ErrEntry) {
		t.Error("a batch takes settings:", err)
	}
}

func mustEncode(t *testing.T, e Entry) []byte {
	t.Helper()
	data, err := Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
