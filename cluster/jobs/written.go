package jobs

import (
	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// detach takes what the part's sinks wrote: the blocks, and how to tell another server of the files.
func (p *part) detach(opener Opener) ([]namespace.Block, *api.PartOver, error) {
	over := &api.PartOver{}
	writers := opener.Writers()
	if len(writers) == 0 {
		return nil, over, nil
	}
	entries, err := p.w.cfg.Store.Detach(p.ctx, writers...)
	if err != nil {
		return nil, nil, err
	}
	var all []namespace.Block
	for _, e := range entries {
		all = append(all, e.Blocks...)
	}
	for _, e := range entries {
		staged, err := p.w.cfg.Backend.StagedOf(e.Blocks)
		if err != nil {
			return all, nil, err
		}
		file := &api.WrittenFile{}
		for _, s := range staged {
			file.Blocks = append(file.Blocks, &api.StagedBlock{Staged: files.StageResponse(s.Block, s.Holders), Lease: s.Head.Lease, Index: s.Head.Index})
		}
		if file.Entry, err = namespace.Encode(e); err != nil {
			return all, nil, err
		}
		over.Files = append(over.Files, file)
	}
	return all, over, nil
}

// giveUp lets go of blocks. Those that an entry names stay.
func (p *part) giveUp(list []namespace.Block) {
	ids := make([]namespace.BlockID, len(list))
	for i, b := range list {
		ids[i] = b.ID
	}
	p.w.cfg.Backend.Free(ids)
}

// adopt has this server's store name what a part wrote.
func adopt(b *files.Backend, list []*api.WrittenFile) ([]namespace.Entry, error) {
	var entries []namespace.Entry
	for _, f := range list {
		e, err := namespace.Decode(f.GetEntry())
		if err != nil {
			return nil, err
		}
		for _, m := range f.GetBlocks() {
			blk, err := blocks.FromMessage(m.GetStaged().GetBlock())
			if err != nil {
				return nil, err
			}
			holders, err := blocks.HoldersOf(m.GetStaged().GetHolders())
			if err != nil {
				return nil, err
			}
			b.Adopt(files.Staged{Block: blk, Head: blocks.Head{Lease: m.GetLease(), Index: m.GetIndex()}, Holders: holders})
		}
		entries = append(entries, e)
	}
	return entries, nil
}
