package sdfs

// Usage is what a store holds and takes.
type Usage struct {
	Files        int
	LogicalBytes int64 // in all files
	Blocks       int64 // in all files
	DiskBytes    int64 // in the disk files of blocks
	DeadBytes    int64 // of these, wanted no more but not given back yet
	LogBytes     int64 // of the log since its last snapshot
	TrashBytes   int64 // about to be removed
	MemoryBytes  int64 // small blocks kept in memory
	CacheBytes   int64 // chunks kept in memory
}

// Usage tells what the store holds and takes now. A closed store takes nothing.
func (e *Embedded) Usage() Usage {
	if e.begin() != nil {
		return Usage{}
	}
	defer e.end()
	l := e.local
	state := l.snapshot()
	blocks := l.blocks.Usage()
	u := Usage{
		Files: state.Len(), DiskBytes: blocks.DiskBytes, DeadBytes: blocks.DeadBytes, TrashBytes: blocks.TrashBytes,
		MemoryBytes: blocks.MemoryBytes, CacheBytes: blocks.CacheBytes, LogBytes: l.log.Bytes(),
	}
	u.Blocks, u.LogicalBytes = state.Size()
	return u
}
