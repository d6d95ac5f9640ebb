package blocks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// still is a log that does not go on.
type still struct{ s *state.State }

func (l still) State() *state.State { return l.s }

func (l still) WaitApplied(_ context.Context, index uint64) (*state.State, error) {
	if index > l.s.Index() {
		return nil, errors.New("it will not come")
	}
	return l.s, nil
}

// twoServers is a log with the servers 1 and 2, of which the second came into the ring at index 5.
func twoServers(t *testing.T) still {
	t.Helper()
	s := state.New()
	for i, e := range []state.Entry{
		{Kind: state.Found, Cluster: state.ID{9}},
		{Kind: state.Join, Node: state.ID{1}, Incarnation: 1, Name: "n1", Addr: "n1"}, {Kind: state.Ready, Node: state.ID{1}},
		{Kind: state.Join, Node: state.ID{2}, Incarnation: 1, Name: "n2", Addr: "n2"}, {Kind: state.Ready, Node: state.ID{2}},
		{Kind: state.Set, Name: "x", Value: "y"},
	} {
		var r state.Result
		if s, r = state.Apply(s, uint64(i+1), e); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	return still{s}
}

// open opens the block store of a server on a disk.
func open(t *testing.T, disk *simdisk.Disk, n byte, dial Dial) *Placed {
	t.Helper()
	local, err := OpenLocal(t.Context(), LocalConfig{FS: disk, Self: state.Holder{Node: state.ID{n}, Incarnation: 3}, Log: twoServers(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	return NewPlaced(PlacedConfig{Local: local, Views: &Views{}, Dial: dial, Logger: zap.NewNop()})
}

// served is the connection to a server's block store.
func served(t *testing.T, p *Placed) Dial {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	api.RegisterBlocksServer(s, &Service{Placed: p})
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func(string) (grpc.ClientConnInterface, error) { return conn, nil }
}

// of gives a block of so many bytes, and these.
func of(n int) (namespace.Block, []byte) {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(data)
	return namespace.Block{ID: block.NewID(), Length: uint32(n), CRC: checksum(data)}, data
}

func put(t *testing.T, l *Local, b namespace.Block, data []byte) {
	t.Helper()
	if err := tryPut(t, l, b, data); err != nil {
		t.Fatal(err)
	}
}

func tryPut(t *testing.T, l *Local, b namespace.Block, data []byte) error {
	t.Helper()
	if len(data) <= block.MaxSmall {
		return l.PutSmall(t.Context(), Head{}, []Small{{Block: b, Data: data}})
	}
	w, err := l.NewBlock(t.Context(), Head{}, b.ID)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Finish(b)
}

const (
	small = 1000
	large = 4*block.Chunk + 10
)

// TestPutRefused: a server stores nothing that is not what the block says.
func TestPutRefused(t *testing.T) {
	l := open(t, simdisk.New(), 1, nil).local
	for _, n := range []int{small, large} {
		b, data := of(n)
		for what, wrong := range map[string]namespace.Block{
			"checksum": {ID: b.ID, Length: b.Length, CRC: b.CRC ^ 1},
			"length":   {ID: b.ID, Length: b.Length - 1, CRC: b.CRC},
		} {
			if err := tryPut(t, l, wrong, data); err == nil || l.store.Len() > 0 {
				t.Errorf("%d bytes, wrong %s: %v, and %d blocks are there", n, what, err, l.store.Len())
			}
		}
	}
	good, data := of(small)
	bad, _ := of(small)
	err := l.PutSmall(t.Context(), Head{}, []Small{{Block: good, Data: data}, {Block: bad, Data: data[1:]}})
	if err == nil || l.store.Len() > 0 {
		t.Errorf("one of two is wrong: %v, and %d are there", err, l.store.Len())
	}
}

// TestPowerLost: what a server has said to have is there after a loss of power at that moment.
func TestPowerLost(t *testing.T) {
	for name, store := range map[string]func(t *testing.T, p, other *Placed, b namespace.Block, data []byte) error{
		"written": func(t *testing.T, p, _ *Placed, b namespace.Block, data []byte) error {
			return tryPut(t, p.local, b, data)
		},
		"got": func(t *testing.T, p, other *Placed, b namespace.Block, data []byte) error {
			put(t, other.local, b, data)
			return p.Fetch(t.Context(), Head{}, b, []state.ID{{2}})
		},
		"got while it was being written": func(t *testing.T, p, _ *Placed, b namespace.Block, data []byte) error {
			unnamed(t, p.local, b, data)
			return p.Fetch(t.Context(), Head{}, b, nil)
		},
		"asked for while it was being written": func(t *testing.T, p, _ *Placed, b namespace.Block, data []byte) error {
			unnamed(t, p.local, b, data)
			resp, err := (&Service{Placed: p}).Have(t.Context(), &api.HaveRequest{Read: true, Blocks: []*api.Block{Message(b)}})
			if err == nil && !resp.GetHave()[0] {
				err = errors.New("it is not there")
			}
			return err
		},
	} {
		for _, n := range []int{small, large} {
			disk := simdisk.New()
			other := open(t, simdisk.New(), 2, nil)
			p := open(t, disk, 1, served(t, other))
			b, data := of(n)
			if err := store(t, p, other, b, data); err != nil {
				t.Fatal(name, err)
			}
			disk.Stop()
			for seed := range uint64(8) {
				again := open(t, disk.Restart(false, seed), 1, nil).local
				got := make([]byte, n)
				if err := again.Read(t.Context(), b, 0, got, false); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, %d bytes, seed %d: %v", name, n, seed, err)
				}
			}
		}
	}
}

// unnamed stores a block as a LocalWriter does that is stopped before the name of a large one is durable.
func unnamed(t *testing.T, l *Local, b namespace.Block, data []byte) {
	t.Helper()
	if len(data) <= block.MaxSmall {
		put(t, l, b, data)
		return
	}
	w, err := l.NewBlock(t.Context(), Head{}, b.ID)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		_, err = w.w.FinishIf(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestHave: a server says to have what is whole on its disk, by which ring, and nothing by a log that it has not.
func TestHave(t *testing.T) {
	disk := simdisk.New()
	p := open(t, disk, 1, nil)
	s := &Service{Placed: p}
	var list []*api.Block
	for _, n := range []int{small, large} {
		whole, data := of(n)
		flipped, more := of(n + 1)
		absent, _ := of(n)
		put(t, p.local, whole, data)
		put(t, p.local, flipped, more)
		list = append(list, Message(whole), Message(flipped), Message(absent))
		if n == small {
			for _, name := range disk.Files() { // the flipped one is the last in its segment
				if e, err := disk.Stat(name); err == nil && strings.HasPrefix(name, "segments/") {
					_ = disk.FlipBit(name, 8*(e.Size-100))
				}
			}
		} else if err := disk.FlipBit("blocks/"+flipped.ID.String(), 8*(3*block.Chunk)); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		req  *api.HaveRequest
		want []bool // of each size: a whole one, a flipped one, one that is not there
	}{
		{&api.HaveRequest{}, []bool{true, true, false}},
		{&api.HaveRequest{Read: true, Epoch: 5, Index: 6}, []bool{true, false, false}},
		{&api.HaveRequest{}, []bool{true, false, false}},
	} {
		step.req.Blocks = list
		resp, err := s.Have(t.Context(), step.req)
		if err != nil || !slices.Equal(resp.GetHave(), slices.Concat(step.want, step.want)) {
			t.Fatalf("%v: %v, %v", step.req.GetRead(), resp.GetHave(), err)
		}
		if id := (state.ID{1}); !bytes.Equal(resp.GetNode(), id[:]) || resp.GetIncarnation() != 3 || resp.GetEpoch() != 5 {
			t.Errorf("%v", resp)
		}
	}
	for _, req := range []*api.HaveRequest{{Epoch: 7}, {Index: 7}} {
		if resp, err := s.Have(t.Context(), req); status.Code(err) != codes.Aborted {
			t.Errorf("behind in the log: %v, %v", resp, err)
		}
	}
}

// TestWrongQuestion: who asks for a block that is here, with another checksum or length, gets an error, and the copy stays in use.
func TestWrongQuestion(t *testing.T) {
	dial := served(t, open(t, simdisk.New(), 2, nil))
	for _, n := range []int{small, large} {
		b, data := of(n)
		disk := simdisk.New()
		put(t, open(t, disk, 1, nil).local, b, data)
		p := open(t, disk.Restart(true, 0), 1, dial) // has nothing in memory
		for what, wrong := range map[string]namespace.Block{
			"checksum": {ID: b.ID, Length: b.Length, CRC: b.CRC ^ 1},
			"length":   {ID: b.ID, Length: b.Length - 1, CRC: b.CRC},
		} {
			ask := func(way string, err error) {
				t.Helper()
				if err == nil {
					t.Errorf("%d bytes, wrong %s: %s gives no error", n, what, way)
				}
				if !p.local.Has(b) || p.local.bad.count() > 0 {
					t.Fatalf("%d bytes, wrong %s: %s takes the copy out of use", n, what, way)
				}
			}
			buf := make([]byte, wrong.Length)
			ask("Read", p.Read(t.Context(), wrong, 0, buf, false))
			ask("Local.Read", p.local.Read(t.Context(), wrong, 0, buf, true))
			if n == large {
				_, err := p.Sums(t.Context(), wrong)
				ask("Sums", err)
				_, err = p.local.Sums(t.Context(), wrong)
				ask("Local.Sums", err)
			}
			ask("Fetch", p.Fetch(t.Context(), Head{}, wrong, nil))
			ask("a put", tryPut(t, p.local, wrong, buf))
		}
		if err := p.local.Verify(t.Context(), b); err != nil {
			t.Error(err)
		}
	}
}

// answer is a server's answer to a GetRequest.
type answer struct {
	grpc.ClientStream
	list []*api.BlockData
}

func (a *answer) Recv() (*api.BlockData, error) {
	if len(a.list) == 0 {
		return nil, io.EOF
	}
	m := a.list[0]
	a.list = a.list[1:]
	return m, nil
}

// TestLiar: whatever a server gives in place of a block, what is passed on is the block as far as it goes, and an error follows.
func TestLiar(t *testing.T) {
	const c = block.Chunk
	little, short := of(small)
	b, data := of(large)
	sums := func(data []byte) *api.BlockData {
		m := &api.BlockData{}
		for part := range slices.Chunk(data, c) {
			m.Sums = append(m.Sums, checksum(part))
		}
		return m
	}
	part := func(data []byte) *api.BlockData { return &api.BlockData{Data: data} }
	flipped := slices.Clone(data)
	flipped[c+5] ^= 1
	other := slices.Clone(short)
	other[5] ^= 1
	for _, tc := range []struct {
		name     string
		b        namespace.Block
		from, to int64
		said     []*api.BlockData
		good     int64 // bytes that are passed on
		whole    bool  // and these are all
	}{
		{"the block", b, 0, large, []*api.BlockData{sums(data), part(data)}, large, true},
		{"the block, bit by bit", b, 0, large, []*api.BlockData{sums(data), part(data[:2*c]), {}, part(data[2*c : 4*c]), part(data[4*c:])}, large, true},
		{"a part", b, c, 2 * c, []*api.BlockData{sums(data), part(data[c : 2*c])}, c, true},
		{"no sums", b, 0, large, []*api.BlockData{part(data)}, 0, false},
		{"sums of something else", b, 0, large, []*api.BlockData{sums(flipped), part(flipped)}, 0, false},
		{"too few sums", b, 0, large, []*api.BlockData{sums(data[:4*c]), part(data)}, 0, false},
		{"other sums later", b, 0, large, []*api.BlockData{sums(data), part(data[:c]), sums(flipped), part(flipped[c:])}, c, false},
		{"a wrong byte", b, 0, large, []*api.BlockData{sums(data), part(flipped)}, 0, false},
		{"a wrong byte later", b, 0, large, []*api.BlockData{sums(data), part(flipped[:c]), part(flipped[c:])}, c, false},
		{"another part", b, 0, large, []*api.BlockData{sums(data), part(data[c : 2*c])}, 0, false},
		{"the same twice", b, 0, large, []*api.BlockData{sums(data), part(data[:c]), part(data[:c])}, c, false},
		{"a part of a chunk", b, 0, large, []*api.BlockData{sums(data), part(data[:c-1])}, 0, false},
		{"the end cut off", b, 0, large, []*api.BlockData{sums(data), part(data[:4*c]), part(data[4*c : large-1])}, 4 * c, false},
		{"too little", b, 0, large, []*api.BlockData{sums(data), part(data[:4*c])}, 4 * c, false},
		{"nothing", b, 0, large, nil, 0, false},
		{"more than was asked for", b, 0, c, []*api.BlockData{sums(data), part(data[:2*c])}, 0, false},
		{"more than there is", b, 0, large, []*api.BlockData{sums(data), part(append(slices.Clone(data), 0))}, 0, false},
		{"a small block", little, 0, small, []*api.BlockData{part(short)}, small, true},
		{"another small block", little, 0, small, []*api.BlockData{part(other)}, 0, false},
		{"a part of a small block", little, 0, small, []*api.BlockData{part(short[:500]), part(short[500:])}, 0, false},
		{"more than a small block", little, 0, small, []*api.BlockData{part(append(slices.Clone(short), 0))}, 0, false},
	} {
		call := func(context.Context, *api.GetRequest, ...grpc.CallOption) (grpc.ServerStreamingClient[api.BlockData], error) {
			return &answer{list: tc.said}, nil
		}
		known := newSums()
		var got []byte
		done, err := known.receive(t.Context(), call, tc.b, tc.from, tc.to, func(p []byte) error {
			got = append(got, p...)
			return nil
		})
		want := data
		if tc.b == little {
			want = short
		}
		if (err == nil) != tc.whole || done != tc.good || !bytes.Equal(got, want[tc.from:tc.from+tc.good]) {
			t.Errorf("%s: %d bytes, %v", tc.name, done, err)
		}
		if list, ok := known.Get(b.ID); ok && !slices.Equal(list, sums(data).GetSums()) {
			t.Errorf("%s: wrong sums are remembered", tc.name)
		}
	}
}
