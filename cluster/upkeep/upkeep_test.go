package upkeep

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// copied is a server's copy of the log, which a test moves on.
type copied struct {
	s     *state.State
	looks atomic.Int32
}

func (c *copied) State() *state.State { return c.s }
func (c *copied) CaughtUp() bool      { return true }

func (c *copied) Watch() (*state.State, <-chan struct{}) {
	c.looks.Add(1)
	return c.s, nil
}

func (c *copied) WaitApplied(_ context.Context, index uint64) (*state.State, error) {
	if c.s.Index() < index {
		return nil, errors.New("it will not come")
	}
	return c.s, nil
}

func (c *copied) do(t *testing.T, entries ...state.Entry) {
	t.Helper()
	for _, e := range entries {
		var r state.Result
		if c.s, r = state.Apply(c.s, c.s.Index()+1, e); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func server(n byte) state.Holder { return state.Holder{Node: state.ID{n}, Incarnation: 1} }

func about(kind state.Kind, n byte) state.Entry {
	return state.Entry{Kind: kind, Node: state.ID{n}, Incarnation: 1, Name: fmt.Sprint("n", n), Addr: fmt.Sprint("n", n)}
}

func inStore(e namespace.Entry) state.Entry { return state.Entry{Kind: state.Files, Files: e} }

// create is an entry that names a block, under lease 5.
func create(b namespace.Block, holders ...state.Holder) state.Entry {
	e := inStore(namespace.Entry{Kind: namespace.Create, Name: "f", Lease: 5, Blocks: []namespace.Block{b}})
	e.Held = state.Held{Nodes: holders, Blocks: [][]int{{}}}
	for i := range holders {
		e.Held.Blocks[0] = append(e.Held.Blocks[0], i)
	}
	return e
}

// disk is a server's block store.
type disk struct {
	*simdisk.Disk
	log    *copied
	placed *blocks.Placed
}

func open(t *testing.T, d *simdisk.Disk, n byte, log *copied, dial blocks.Dial) *disk {
	t.Helper()
	local, err := blocks.OpenLocal(t.Context(), blocks.LocalConfig{FS: d, Self: server(n), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	return &disk{d, log, blocks.NewPlaced(blocks.PlacedConfig{Local: local, Views: &blocks.Views{}, Dial: dial, Logger: zap.NewNop()})}
}

func (d *disk) upkeep(cfg Config) *Upkeep {
	cfg.Self, cfg.Log, cfg.Placed, cfg.Logger = d.placed.Self(), d.log, d.placed, zap.NewNop()
	u := &Upkeep{cfg: cfg, local: d.placed.Local(), repair: newPace(1 << 40), ctx: context.Background(), filled: make(chan struct{})}
	return u
}

// of gives a block and its content: small, or with a disk file of its own.
func of(n int) (namespace.Block, []byte) {
	data := make([]byte, n)
	return namespace.Block{ID: block.NewID(), Length: uint32(n), CRC: crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))}, data
}

func (d *disk) put(t *testing.T, h blocks.Head, b namespace.Block, data []byte) {
	t.Helper()
	if b.Length <= block.MaxSmall {
		if err := d.placed.Local().PutSmall(t.Context(), h, []blocks.Small{{Block: b, Data: data}}); err != nil {
			t.Fatal(err)
		}
		return
	}
	w, err := d.placed.Local().NewBlock(t.Context(), h, b.ID)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Finish(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCollect looks at a block again and again while the log goes on. It came under a lease at index 4, where that was opened.
func TestCollect(t *testing.T) {
	tick := state.Entry{Kind: state.Set, Name: "x", Value: "y"}
	ended := inStore(namespace.Entry{Kind: namespace.LeaseClose, Lease: 5})
	another := inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 6, Until: 1000})
	removed := inStore(namespace.Entry{Kind: namespace.Remove, Name: "f"})
	b, data := of(1000)
	named := create(b, server(1))
	type looks [][]state.Entry
	for _, tc := range []struct {
		name  string
		lease uint64 // 0: it was got for an entry
		late  int    // so much later than the log's state before the looks is that by which it came
		anew  bool   // the server was started again since
		deny  int    // so many times the leader says no
		looks looks
		want  string // what comes of each look: gone or not, whether time may settle something, by which index the leader was asked
	}{
		{"its lease is open", 5, 0, false, 0, looks{{tick}, {another}}, "waits, waits"},
		{"its lease has ended", 5, 0, false, 0, looks{{ended}}, "gone 5"},
		{"another lease is open", 5, 0, false, 0, looks{{another, ended}}, "gone 6"},
		{"it came as late as the state is", 5, 1, false, 0, looks{{ended}}, "gone 5"},
		{"it came later than the state is", 5, 2, false, 0, looks{{ended}, {tick}}, "waits, gone 6"},
		{"it was got for an entry", 0, 0, false, 0, looks{{}}, "gone 4"},
		{"it was got for an entry that this server does not know yet", 0, 0, false, 0, looks{{named}, {tick}}, "stays, stays"},
		{"it is named", 5, 0, false, 0, looks{{named}, {ended}}, "stays, stays"},
		{"it was named", 5, 0, false, 0, looks{{named}, {removed}}, "stays, gone 6"},
		{"it was named between two looks", 5, 0, false, 0, looks{{named, removed}, {ended}}, "waits, gone 7"},
		{"the leader says no at first", 5, 0, false, 2, looks{{ended}, {tick}, {tick}}, "waits 5, waits 5, gone 5"},
		{"it is named again after the leader has said no", 0, 0, false, 1, looks{{tick}, {named}, {removed}}, "waits 5, stays, gone 7"},

		{"nobody knows how it came, and a lease is open", 5, 0, true, 0, looks{{tick}, {tick}}, "waits, waits"},
		{"nobody knows how it came, and that lease has ended", 5, 0, true, 0, looks{{}, {another, ended}}, "waits, gone 6"},
		{"nobody knows how it came, and no lease is open", 5, 0, true, 0, looks{{ended}}, "gone 5"},
		{"nobody knows how it came, and two leases are open", 5, 0, true, 0, looks{{another}, {ended}}, "waits, waits"},
		{"nobody knows how it came, and it is named", 5, 0, true, 0, looks{{named}, {ended}, {removed}}, "stays, stays, gone 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := &copied{s: state.New()}
			log.do(t, state.Entry{Kind: state.Found, Cluster: state.ID{9}}, about(state.Join, 1), about(state.Ready, 1),
				inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1000}))
			d := open(t, simdisk.New(), 1, log, nil)
			before := log.s
			for range tc.late {
				log.do(t, tick)
			}
			d.put(t, blocks.Head{Lease: tc.lease, Index: 4}, b, data)
			log.s = before
			if tc.anew {
				d = open(t, d.Restart(true, 0), 1, log, nil)
			}
			asked, denials := "", tc.deny
			u := d.upkeep(Config{MayFree: func(_ context.Context, ids []namespace.BlockID, index uint64) ([]bool, error) {
				asked = fmt.Sprint(" ", index)
				denials--
				return []bool{denials < 0}, nil
			}})
			var got []string
			for _, entries := range tc.looks {
				log.do(t, entries...)
				asked = ""
				f := u.find(log.s)
				waits := u.collect(f)
				switch {
				case !u.local.Has(b) && !waits:
					got = append(got, "gone"+asked)
				case u.local.Has(b) && waits:
					got = append(got, "waits"+asked)
				case u.local.Has(b):
					got = append(got, "stays"+asked)
				default:
					got = append(got, "gone, and waits"+asked)
				}
			}
			if text := strings.Join(got, ", "); text != tc.want {
				t.Errorf("%s, want %s", text, tc.want)
			}
		})
	}
}

// TestElsewhere: server 1 has a copy that belongs on 2 and 3, and gives it up, or leaves, only if both have read theirs from their disks
// just now, by the same ring.
func TestElsewhere(t *testing.T) {
	type cluster struct {
		me, two, three *disk
		b              namespace.Block
		before         *state.State // the members changed last
	}
	for _, tc := range []struct {
		name   string
		before func(t *testing.T, c *cluster)
		after  []state.Entry // that come while server 1 looks
		want   bool
	}{
		{"both have it", func(*testing.T, *cluster) {}, nil, true},
		{"one lacks it", func(t *testing.T, c *cluster) { free(t, c.three, c.b) }, nil, false},
		{"one has a damaged copy", func(t *testing.T, c *cluster) { flip(t, c.two, c.b) }, nil, false},
		{"one goes by a later ring", func(t *testing.T, c *cluster) { c.three.log.do(t, about(state.Join, 4), about(state.Ready, 4)) }, nil, false},
		{"one is behind", func(_ *testing.T, c *cluster) { c.three.log.s = c.before }, nil, false},
		{"another server answers", func(_ *testing.T, c *cluster) { c.three.placed = c.two.placed }, nil, false},
		{"one is held dead", func(t *testing.T, c *cluster) {
			for _, d := range []*disk{c.me, c.two, c.three} {
				d.log.do(t, about(state.MarkDown, 3))
			}
		}, nil, false},
		{"the members change meanwhile", func(*testing.T, *cluster) {}, []state.Entry{about(state.Join, 4)}, false},
		{"something else changes meanwhile", func(*testing.T, *cluster) {}, []state.Entry{inStore(namespace.Entry{Kind: namespace.Create, Name: "g"})}, true},
	} {
		for _, leaves := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, leaves %v", tc.name, leaves), func(t *testing.T) {
				s := &copied{s: state.New()}
				s.do(t, state.Entry{Kind: state.Found, Cluster: state.ID{9}}, state.Entry{Kind: state.Set, Name: state.ReplicasSetting, Value: "2"})
				for n := range byte(3) {
					s.do(t, about(state.Join, n+1), about(state.Ready, n+1))
				}
				s.do(t, inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1000}))
				c := &cluster{before: s.s}
				s.do(t, about(state.Join, 5), about(state.MarkDown, 5), about(state.Leave, 5)) // the ring is the same
				if leaves {
					s.do(t, about(state.Leave, 1))
				}
				services := map[string]**disk{"n2": &c.two, "n3": &c.three}
				conns := serve(t, services)
				c.me = open(t, simdisk.New(), 1, &copied{}, func(addr string) (grpc.ClientConnInterface, error) { return conns[addr], nil })
				var data []byte
				for v := c.me.placed.ViewOf(s.s); ; { // one that belongs on 2 and 3
					c.b, data = of(300_000)
					if !slices.Contains(v.Owners(block.Position(c.b.ID)), [16]byte{1}) {
						break
					}
				}
				s.do(t, create(c.b, server(2), server(3)))
				c.me.log.s = s.s
				c.two, c.three = open(t, simdisk.New(), 2, &copied{s: s.s}, nil), open(t, simdisk.New(), 3, &copied{s: s.s}, nil)
				for _, d := range []*disk{c.me, c.two, c.three} {
					d.put(t, blocks.Head{}, c.b, data)
				}
				tc.before(t, c)
				drained := false
				u := c.me.upkeep(Config{Drained: func(context.Context) error { drained = true; return nil }})
				f := u.find(c.me.log.s)
				c.me.log.do(t, tc.after...)
				var undone, did bool
				if leaves {
					undone = u.leave(f)
					did = drained
				} else {
					if u.leave(f) || drained {
						t.Error("it leaves")
					}
					undone = u.giveUp(f)
					did = !u.local.Has(c.b)
				}
				if did != tc.want || undone == tc.want || leaves && !u.local.Has(c.b) {
					t.Errorf("%v, and something is left to be done: %v; want %v", did, undone, tc.want)
				}
			})
		}
	}
}

// TestNothingGivenUp: while somebody joins or leaves, nobody gives anything up, whatever others say to have.
func TestNothingGivenUp(t *testing.T) {
	for name, moves := range map[string][]state.Entry{
		"somebody joins":     {about(state.Join, 4)},
		"somebody leaves":    {about(state.Join, 4), about(state.Ready, 4), about(state.Leave, 4)},
		"this server leaves": {about(state.Leave, 1)},
	} {
		log := &copied{s: state.New()}
		log.do(t, state.Entry{Kind: state.Found, Cluster: state.ID{9}}, about(state.Join, 1), about(state.Ready, 1), about(state.Join, 2), about(state.Ready, 2))
		log.do(t, moves...)
		d := open(t, simdisk.New(), 1, log, func(string) (grpc.ClientConnInterface, error) {
			t.Error(name + ": another was asked")
			return nil, errors.New("nobody is there")
		})
		u := d.upkeep(Config{})
		b, data := of(1000)
		d.put(t, blocks.Head{}, b, data)
		f := u.find(log.s)
		f.surplus = []namespace.Block{b}
		if !u.giveUp(f) || !u.local.Has(b) {
			t.Error(name + ": it was given up")
		}
		f.surplus = nil
		if u.giveUp(f) {
			t.Error(name + ": there was nothing to give up, and something is left")
		}
	}
}

// TestFilled: a newcomer is filled once it has what belongs to it by a state in which it is to get something, not by one of before.
func TestFilled(t *testing.T) {
	log := &copied{s: state.New()}
	b, data := of(1000)
	log.do(t, state.Entry{Kind: state.Found, Cluster: state.ID{9}}, about(state.Join, 2), about(state.Ready, 2),
		inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1000}), create(b, server(2)))
	d := open(t, simdisk.New(), 1, log, func(string) (grpc.ClientConnInterface, error) { return nil, errors.New("it does not answer") })
	u := d.upkeep(Config{MayFree: func(context.Context, []namespace.BlockID, uint64) ([]bool, error) {
		return nil, errors.New("nobody leads")
	}})
	look := func(what string, want bool) {
		t.Helper()
		u.look(log.s)
		select {
		case <-u.Filled():
			if !want {
				t.Error(what + ": it is filled")
			}
		default:
			if want {
				t.Error(what + ": it is not filled")
			}
		}
	}
	look("before it has joined", false)
	log.do(t, about(state.Join, 1), about(state.MarkDown, 1))
	look("it is held dead", false)
	log.do(t, about(state.MarkUp, 1))
	look("it has not got its block", false)
	d.put(t, blocks.Head{}, b, data)
	look("it has its block", true)
}

// serve has the block stores answer on loopback, those that are there by the time of each call.
func serve(t *testing.T, stores map[string]**disk) map[string]grpc.ClientConnInterface {
	t.Helper()
	conns := map[string]grpc.ClientConnInterface{}
	for name, d := range stores {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer()
		api.RegisterBlocksServer(s, &lateStore{d: d})
		go func() { _ = s.Serve(lis) }()
		t.Cleanup(s.Stop)
		conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns[name] = conn
	}
	return conns
}

type lateStore struct {
	api.UnimplementedBlocksServer
	d **disk
}

func (l *lateStore) Have(ctx context.Context, req *api.HaveRequest) (*api.HaveResponse, error) {
	return (&blocks.Service{Placed: (*l.d).placed}).Have(ctx, req)
}

func free(t *testing.T, d *disk, b namespace.Block) {
	t.Helper()
	if err := d.placed.Local().Free(b.ID); err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, d *disk, b namespace.Block) {
	t.Helper()
	if err := d.FlipBit("blocks/"+b.ID.String(), 8*1000); err != nil {
		t.Fatal(err)
	}
}

// TestPokedWhileMerging: a merge that takes long keeps the upkeep from nothing, and fails in the end; after a while it is tried again.
func TestPokedWhileMerging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &copied{s: state.New()}
		l.do(t, state.Entry{Kind: state.Found, Cluster: state.ID{9}}, about(state.Join, 1), about(state.Ready, 1),
			inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1000}))
		d := open(t, simdisk.New(), 1, l, func(string) (grpc.ClientConnInterface, error) { return nil, errors.New("no") })
		e := inStore(namespace.Entry{Kind: namespace.Create, Name: "f", Lease: 5})
		e.Held.Nodes = []state.Holder{server(1)}
		for range 300 {
			b, data := of(1000)
			d.put(t, blocks.Head{Lease: 5, Index: 4}, b, data)
			e.Files.Blocks = append(e.Files.Blocks, b)
			e.Held.Blocks = append(e.Held.Blocks, []int{0})
		}
		l.do(t, e)
		var merges atomic.Int32
		u := Start(Config{
			Self: server(1), Log: l, Placed: d.placed, Logger: zap.NewNop(), Fatal: func(error) {},
			MayFree: func(context.Context, []namespace.BlockID, uint64) ([]bool, error) { return nil, errors.New("no") },
			Merge: func(ctx context.Context, _ string) error {
				merges.Add(1)
				<-ctx.Done()
				return ctx.Err()
			},
		})
		defer u.Close()
		time.Sleep(time.Minute)
		for range 50 {
			before := l.looks.Load()
			u.Poke()
			time.Sleep(time.Minute) // the longest rest
			if merges.Load() != 1 || l.looks.Load() == before {
				t.Fatalf("%d merges, and %d looks in the minute after a poke", merges.Load(), l.looks.Load()-before)
			}
		}
		time.Sleep(30 * time.Minute)
		if n := merges.Load(); n != 2 {
			t.Errorf("%d tries to merge", n)
		}
	})
}
