package namespace

import (
	"errors"
	"fmt"
	"math"
	"slices"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// Result is what came of an entry.
type Result struct {
	Err      error   // a *Refusal, or nil
	Repeated bool    // the entry was applied before, with this Err; it changed nothing now
	File     *File   // the file as it is after a single Create, Replace, Append, Rename or Merge
	Freed    []Freed // what no manifest names any more
}

// Freed is blocks that a file gave up.
type Freed struct {
	File   uint64
	Blocks Blocks
}

// Apply gives the state after one more entry. It is pure and total: whatever the
// entry, the result is a state, and a refusal leaves all but index, log time and
// what ended with it as it was. index must exceed that of s; else s itself comes back.
func Apply(s *State, index uint64, e Entry) (*State, Result) {
	s, res := ApplyAll(s, index, []Entry{e}, nil)
	return s, res[0]
}

// ApplyAll is Apply for several entries that stand at one index of the log; each takes effect, or is refused, by itself and in their
// order. admit, if not nil, may refuse the one at a place among them, with a *Refusal, once it is known not to be a repeated one.
func ApplyAll(s *State, index uint64, entries []Entry, admit func(i int) error) (*State, []Result) {
	results := make([]Result, len(entries))
	if index <= s.index {
		for i := range results {
			results[i].Err = &Refusal{Reason: ErrEntry, Detail: fmt.Sprintf("entry %d after %d", index, s.index)}
		}
		return s, results
	}
	for i, e := range entries {
		admitted := func() error { return nil }
		if admit != nil {
			admitted = func() error { return admit(i) }
		}
		s, results[i] = s.next(index, e, admitted)
	}
	return s, results
}

// next gives the state after one more entry, which stands at an index no lower than that of s.
func (s *State) next(index uint64, e Entry, admit func() error) (*State, Result) {
	next := *s
	next.index = index
	next.logTime = max(s.logTime, min(e.Time, maxTime))
	next.expire()
	if e.Client != 0 {
		if res, done := next.recall(e); done {
			return &next, res
		}
	}
	changed := next
	res := Result{Err: admit()}
	if res.Err == nil {
		res = changed.apply(e)
	}
	if res.Err == nil {
		next = changed
	}
	if e.Client != 0 && !again(res.Err) {
		next.retries = next.retries.Remember(e.Client, e.Seq, next.logTime, codeOf(res.Err))
	}
	return &next, res
}

// again tells whether a request that was refused may be sent again with other blocks, or under another lease: then it must not
// be answered with the refusal.
func again(err error) bool { return errors.Is(err, ErrHolders) || errors.Is(err, ErrLeaseEnded) }

// apply changes s, a copy of its own; after a refusal s is thrown away.
func (s *State) apply(e Entry) Result {
	switch e.Kind {
	case Tick:
		return Result{}
	case LeaseOpen, LeaseRenew, LeaseClose:
		return Result{Err: s.lease(e)}
	case Commit, Create, Replace, Append, Rename, Remove, Merge:
	default:
		return Result{Err: &Refusal{Reason: ErrEntry, Detail: fmt.Sprintf("unknown kind %d", e.Kind)}}
	}
	parts := []Entry{e}
	if e.Kind == Commit {
		parts = e.List
		if len(parts) == 0 || len(parts) > MaxList {
			return Result{Err: &Refusal{Reason: ErrEntry, Detail: fmt.Sprintf("a commit of %d changes", len(parts))}}
		}
	}
	if err := s.checkLeases(e, parts); err != nil {
		return Result{Err: err}
	}
	c := change{State: s, txn: s.files.Txn()}
	for _, part := range parts {
		file, err := c.one(part, e.Kind == Commit)
		if err != nil {
			return Result{Err: err}
		}
		if e.Kind != Commit {
			c.res.File = file
		}
	}
	s.files = c.txn.CommitOnly()
	return c.res
}

func (s *State) checkLeases(e Entry, parts []Entry) error {
	if e.Lease == 0 && !slices.ContainsFunc(parts, func(p Entry) bool { return len(p.Blocks) > 0 }) {
		return nil
	}
	for _, id := range append([]uint64{e.Lease}, e.Leases...) {
		if _, ok := s.leases.Get(key(id)); !ok {
			return &Refusal{Reason: ErrLeaseEnded}
		}
	}
	return nil
}

// change is an entry being applied.
type change struct {
	*State
	txn *iradix.Txn[*File]
	res Result
}

func (c *change) one(e Entry, inList bool) (*File, error) {
	refuse := func(reason error, detail string) (*File, error) {
		return nil, &Refusal{Reason: reason, Name: shortName(e.Name), Detail: detail}
	}
	if inList && (e.Kind == Merge || e.Kind == Commit || len(e.List) > 0) {
		return refuse(ErrEntry, "a commit holds creates, replaces, appends, renames and removes only")
	}
	if err := CheckName(e.Name); err != nil {
		return nil, err
	}
	added, err := checkBlocks(e.Blocks)
	if err != nil {
		return refuse(ErrEntry, err.Error())
	}
	old, exists := c.txn.Get([]byte(e.Name))
	expects := e.File != 0 || e.Generation != 0 || e.Version != 0
	if e.Kind == Create && exists {
		return refuse(ErrExists, "")
	}
	if !exists && (e.Kind == Rename || e.Kind == Remove || e.Kind == Merge) {
		return refuse(ErrNotFound, "")
	}
	if e.Kind != Create && expects {
		if !exists {
			return refuse(ErrConflict, "it was removed")
		}
		if !expected(e, old) {
			return refuse(ErrConflict, "")
		}
	}

	if !exists {
		old = &File{Created: c.logTime}
	}
	file := *old
	file.Version, file.Modified = c.index, c.logTime
	switch e.Kind {
	case Create, Replace:
		if exists {
			c.free(old)
			c.bytes -= old.Blocks.Size()
			c.blocks -= int64(old.Blocks.Len())
		}
		file.Blocks = Blocks{}.Append(e.Blocks...)
		file.Generation++
	case Append:
		if old.Blocks.Size() > maxSize-added {
			return refuse(ErrEntry, "the file would be too large")
		}
		file.Blocks = old.Blocks.Append(e.Blocks...)
		file.Generation = max(file.Generation, 1)
	case Rename:
		if err := CheckName(e.To); err != nil {
			return nil, err
		}
		if _, taken := c.txn.Get([]byte(e.To)); taken {
			return nil, &Refusal{Reason: ErrExists, Name: shortName(e.To)}
		}
		file.Modified = old.Modified // the content is what it was
		c.txn.Delete([]byte(e.Name))
		c.txn.Insert([]byte(e.To), &file)
		return &file, nil
	case Remove:
		c.free(old)
		c.txn.Delete([]byte(e.Name))
		c.bytes -= old.Blocks.Size()
		c.blocks -= int64(old.Blocks.Len())
		return nil, nil
	case Merge:
		run, err := findRun(old.Blocks, e)
		if err != nil {
			return nil, err
		}
		file.Version, file.Modified = old.Version, old.Modified
		file.Blocks = old.Blocks.splice(e.Offset, e.Offset+run.Size(), e.Blocks[0])
		c.res.Freed = append(c.res.Freed, Freed{File: old.ID, Blocks: run})
		c.blocks -= int64(run.Len()) - 1
		c.txn.Insert([]byte(e.Name), &file)
		return &file, nil
	default:
		return refuse(ErrEntry, fmt.Sprintf("unknown kind %d in a commit", e.Kind))
	}
	if !exists {
		c.lastID++
		file.ID = c.lastID
	}
	c.bytes += added
	c.blocks += int64(len(e.Blocks))
	c.txn.Insert([]byte(e.Name), &file)
	return &file, nil
}

func (c *change) free(f *File) {
	if f.Blocks.Len() > 0 {
		c.res.Freed = append(c.res.Freed, Freed{File: f.ID, Blocks: f.Blocks})
	}
}

func expected(e Entry, f *File) bool {
	return (e.File == 0 || e.File == f.ID) && (e.Generation == 0 || e.Generation == f.Generation) &&
		(e.Version == 0 || e.Version == f.Version)
}

// checkBlocks gives the bytes in blocks.
func checkBlocks(blocks []Block) (int64, error) {
	var total int64
	for _, b := range blocks {
		if b.Length == 0 || b.Length > MaxBlock {
			return 0, fmt.Errorf("block %s has %d bytes, 1 to %d are allowed", b.ID, b.Length, MaxBlock)
		}
		total += int64(b.Length)
	}
	return total, nil
}

// findRun finds the blocks that a merge replaces. Ids are never reused and a merge only
// lessens their number, so first, last and count tell whether the run is as it was.
func findRun(blocks Blocks, e Entry) (Blocks, error) {
	gone := &Refusal{Reason: ErrConflict, Name: shortName(e.Name), Detail: "the blocks to merge are no longer there"}
	if len(e.Blocks) != 1 || e.Count < 1 || e.Count > blocks.Len() || e.Offset < 0 {
		return Blocks{}, gone
	}
	run := make([]Block, 0, e.Count)
	for start, b := range blocks.From(e.Offset) {
		if len(run) == 0 && (start != e.Offset || b.ID != e.First) {
			return Blocks{}, gone
		}
		run = append(run, b)
		if len(run) == e.Count {
			break
		}
	}
	list := Blocks{}.Append(run...)
	if len(run) != e.Count || run[len(run)-1].ID != e.Last || list.Size() != int64(e.Blocks[0].Length) {
		return Blocks{}, gone
	}
	return list, nil
}

func (s *State) lease(e Entry) error {
	if e.Lease == 0 {
		return &Refusal{Reason: ErrEntry, Detail: "a lease without id"}
	}
	_, open := s.leases.Get(key(e.Lease))
	switch {
	case e.Kind == LeaseOpen && open:
		return &Refusal{Reason: ErrExists, Detail: fmt.Sprintf("lease %x", e.Lease)}
	case e.Kind != LeaseOpen && !open:
		return &Refusal{Reason: ErrLeaseEnded}
	case e.Kind == LeaseClose:
		s.leases, _, _ = s.leases.Delete(key(e.Lease))
		return nil
	}
	until := min(e.Until, s.logTime+MaxLease)
	if until <= s.logTime {
		return &Refusal{Reason: ErrLeaseEnded}
	}
	s.leases, _, _ = s.leases.Insert(key(e.Lease), until)
	s.nextEnd = min(s.nextEnd, until)
	return nil
}

// expire ends what log time has passed by.
func (s *State) expire() {
	if s.logTime >= s.nextEnd {
		txn := s.leases.Txn()
		s.nextEnd = math.MaxInt64
		s.leases.Root().Walk(func(k []byte, end int64) bool {
			if end <= s.logTime {
				txn.Delete(k)
			} else {
				s.nextEnd = min(s.nextEnd, end)
			}
			return false
		})
		s.leases = txn.CommitOnly()
	}
	s.retries = s.retries.Expire(s.logTime)
}
