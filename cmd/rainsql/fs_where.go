package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

const locateText = `Lists the blocks of a file, a row for each copy: first those of the owners, in
the order in which the ring comes to them, then others. position is the block's
on the ring, node_position the first of the node's behind it. state is

  here      the node has it
  missing   it belongs there, and is not there (yet)
  unknown   it belongs there, and the node does not answer
  stand-in  it is there, and belongs elsewhere`

const storeText = `Lists what each node holds: how many positions it has on the ring and what
share of the blocks comes to it first; blocks and the bytes they take on disk,
those among them that nobody wants any more (dead), and those about to be
removed (trash); bytes in memory; free bytes on the disk; blocks that should be
there and are not (missing); copies found damaged since the node was started
(bad). Of a node that does not answer only what others know of it is listed.

With NODE it lists the blocks that this node holds, in the order of the ring.`

// ringText is a position on the ring.
func ringText(at uint64) string { return fmt.Sprintf("%016x", at) }

// copiesTable is what fs locate gives.
func copiesTable() listing.Table {
	var t listing.Table
	t.Column("offset", types.INT)
	t.Column("bytes", types.INT)
	for _, name := range []string{"block", "position", "node", "node_position", "state"} {
		t.Column(name, types.STRING)
	}
	return t
}

func (f *fsFlags) locate(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		t := copiesTable()
		if s.remote == nil {
			err := s.eachBlock(ctx, args[0], func(off int64, b namespace.Block) {
				t.Add(off, b.Length, b.ID, ringText(place.Position(b.ID)), localNode, nil, files.CopyHere)
			})
			if err != nil {
				return err
			}
			return f.show(t)
		}
		list, err := s.remote.Locate(ctx, args[0])
		if err != nil {
			return err
		}
		for _, at := range list {
			for _, c := range at.GetCopies() {
				var pos any
				if c.Position != nil {
					pos = ringText(c.GetPosition())
				}
				t.Add(at.GetOffset(), at.GetBlock().GetLength(), namespace.BlockID(at.GetBlock().GetId()), ringText(at.GetPosition()), c.GetName(), pos, c.GetState())
			}
		}
		return f.show(t)
	})
}

// eachBlock gives the blocks of a file.
func (s *fileStore) eachBlock(ctx context.Context, name string, give func(off int64, b namespace.Block)) error {
	file, err := s.OpenFile(ctx, name)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	for off, b := range file.Blocks() {
		give(off, b)
	}
	return nil
}

func (f *fsFlags) store(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		if len(args) > 0 {
			return f.held(ctx, s, args[0])
		}
		t := listing.Texts("node", "state", "answers")
		t.Column("positions", types.INT)
		t.Column("share", types.FLOAT)
		for _, name := range []string{"blocks", "disk_bytes", "dead_bytes", "trash_bytes", "memory_bytes", "cache_bytes", "free_bytes", "missing", "bad"} {
			t.Column(name, types.INT)
		}
		if s.remote == nil {
			u := s.embedded.Usage()
			t.Add(localNode, "active", "yes", nil, 1, u.Blocks, u.DiskBytes, u.DeadBytes, u.TrashBytes, u.MemoryBytes, u.CacheBytes, nil, nil, nil)
			return f.show(t)
		}
		all, err := s.remote.Servers(ctx)
		if err != nil {
			return err
		}
		for _, n := range all.GetServers() {
			row := []any{n.GetName(), n.GetStatus(), "no", n.GetPositions(), fmt.Sprintf("%.4f", n.GetShare()), nil, nil, nil, nil, nil, nil, nil, nil, nil}
			if u := n.GetUsage(); u != nil {
				row = append(row[:5], u.GetBlocks(), u.GetDiskBytes(), u.GetDeadBytes(), u.GetTrashBytes(), u.GetMemoryBytes(), u.GetCacheBytes(), known(u.GetFreeBytes()), u.GetMissing(), u.GetBad())
				row[2] = "yes"
			}
			t.Add(row...)
		}
		return f.show(t)
	})
}

// known is a number, or NULL for one that is not known.
func known(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}

// held lists the blocks that a node holds.
func (f *fsFlags) held(ctx context.Context, s *fileStore, node string) error {
	t := listing.Texts("block", "position")
	t.Column("bytes", types.INT)
	t.Column("file", types.STRING)
	t.Column("offset", types.INT)
	t.Column("owner", types.STRING)
	if s.remote == nil {
		if err := embeddedNode(node); err != nil {
			return err
		}
		return f.heldHere(ctx, s, t)
	}
	id, err := s.node(ctx, node)
	if err != nil {
		return err
	}
	list, err := s.remote.Held(ctx, id)
	if err != nil {
		return err
	}
	for _, b := range list {
		var file, off any
		if b.GetFile() != "" {
			file, off = b.GetFile(), b.GetOffset()
		}
		owner := "no"
		if b.GetOwner() {
			owner = "yes"
		}
		block := namespace.BlockID(b.GetBlock().GetId())
		t.Add(block, ringText(place.Position(block)), b.GetBlock().GetLength(), file, off, owner)
	}
	return f.show(t)
}

// heldHere lists the blocks of the files of the embedded store.
func (f *fsFlags) heldHere(ctx context.Context, s *fileStore, t listing.Table) error {
	all, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	for _, info := range all {
		err := s.eachBlock(ctx, info.Name, func(off int64, b namespace.Block) {
			t.Add(b.ID, ringText(place.Position(b.ID)), b.Length, info.Name, off, "yes")
		})
		if err != nil {
			return err
		}
	}
	return f.show(t)
}

func (f *fsFlags) du(cmd *cobra.Command, _ []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		t := listing.Table{}
		t.Column("what", types.STRING)
		t.Column("count", types.INT)
		t.Column("bytes", types.INT)
		var rows [][]any
		if s.remote == nil {
			rows = usageRows(s.embedded.Usage())
		} else {
			all, err := s.remote.Servers(ctx)
			if err != nil {
				return err
			}
			rows = clusterRows(all)
		}
		for _, row := range rows {
			t.Add(row...)
		}
		return f.show(t)
	})
}

// usageRows is what fs du gives of the embedded store.
func usageRows(u sdfs.Usage) [][]any {
	return [][]any{
		{"files", u.Files, u.LogicalBytes},
		{"blocks", u.Blocks, u.DiskBytes},
		{"dead", nil, u.DeadBytes},
		{"log", nil, u.LogBytes},
		{"trash", nil, u.TrashBytes},
		{"memory tier", nil, u.MemoryBytes},
		{"cache", nil, u.CacheBytes},
	}
}

// clusterRows is what fs du gives of a cluster: sums over the nodes that answer.
func clusterRows(all *api.FilesUsageResponse) [][]any {
	var sum api.UsageResponse
	answer, silent := 0, 0
	for _, n := range all.GetServers() {
		u := n.GetUsage()
		if u == nil {
			silent++
			continue
		}
		answer++
		sum.Blocks += u.GetBlocks()
		sum.DiskBytes += u.GetDiskBytes()
		sum.DeadBytes += u.GetDeadBytes()
		sum.TrashBytes += u.GetTrashBytes()
		sum.MemoryBytes += u.GetMemoryBytes()
		sum.CacheBytes += u.GetCacheBytes()
		sum.FreeBytes += max(0, u.GetFreeBytes())
	}
	return [][]any{
		{"files", all.GetFiles(), all.GetBytes()},
		{"blocks", all.GetBlocks(), nil},
		{"copies", sum.GetBlocks(), sum.GetDiskBytes()},
		{"dead", nil, sum.GetDeadBytes()},
		{"trash", nil, sum.GetTrashBytes()},
		{"memory tier", nil, sum.GetMemoryBytes()},
		{"cache", nil, sum.GetCacheBytes()},
		{"free", nil, sum.GetFreeBytes()},
		{"nodes that answer", answer, nil},
		{"nodes that do not", silent, nil},
	}
}
