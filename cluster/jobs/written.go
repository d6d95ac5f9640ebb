package jobs

import (
	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// detach takes what the part's sinks wrote: the blocks, and how to tell another server of the files.
func (p *part) detach(opener Opener) ([]namespace.Block, *api.PartOver, error) {
	over := &api.PartOver{}
	writers := opener.Writers()
	if len(writers) == 0 {
		return nil, over, nil
	}
	list, err := p.w.cfg.Store.Detach(p.ctx, writers...)
	if err != nil {
		return nil, nil, err
	}
	var all []namespace.Block
	for _, w := range list {
		all = append(all, w.Entry.Blocks...)
	}
	for _, w := range list {
		staged, err := p.w.cfg.Backend.StagedOf(w.Entry.Blocks)
		if err != nil {
			return all, nil, err
		}
		file := &api.WrittenFile{Place: w.Place, Folder: w.Folder.Name, Mode: api.WriteMode(w.Folder.Mode), Spare: w.Spare}
		for _, s := range staged {
			file.Blocks = append(file.Blocks, &api.StagedBlock{Staged: files.StageResponse(s.Block, s.Holders), Lease: s.Head.Lease, Index: s.Head.Index})
		}
		if file.Entry, err = namespace.Encode(w.Entry); err != nil {
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

// adopt has this server's store name what parts wrote. free must follow, whether anything of it was named or not.
func adopt(b *files.Backend, list []*api.WrittenFile) (all []sdfs.Written, free func(), err error) {
	var ids []namespace.BlockID
	free = func() { b.Free(ids) }
	for _, f := range list {
		w := sdfs.Written{Place: f.GetPlace(), Spare: f.GetSpare(), Folder: sdfs.Folder{Name: f.GetFolder(), Mode: sdfs.Mode(f.GetMode())}}
		if w.Entry, err = namespace.Decode(f.GetEntry()); err != nil {
			return nil, free, err
		}
		for _, m := range f.GetBlocks() {
			blk, err := blocks.FromMessage(m.GetStaged().GetBlock())
			if err != nil {
				return nil, free, err
			}
			holders, err := blocks.HoldersOf(m.GetStaged().GetHolders())
			if err != nil {
				return nil, free, err
			}
			b.Adopt(files.Staged{Block: blk, Head: blocks.Head{Lease: m.GetLease(), Index: m.GetIndex()}, Holders: holders})
			ids = append(ids, blk.ID)
		}
		all = append(all, w)
	}
	return all, free, nil
}
