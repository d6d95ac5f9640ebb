package coordinator

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// confirming is raft's transport, and notes when calls began by which other nodes took this one for the leader.
//
// raft's VerifyLeader counts every answer that comes in after it was asked, also one to a call from
// before: a leader that was stopped would believe, on waking, what lay in its sockets.
type confirming struct {
	*raft.NetworkTransport

	mu    sync.Mutex
	term  uint64
	began map[raft.ServerID]time.Time // the latest call of the term that was answered so
}

// AppendEntries is described at raft.Transport.
func (t *confirming) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	began := time.Now()
	err := t.NetworkTransport.AppendEntries(id, target, args, resp)
	if err == nil && resp.Term == args.Term {
		t.note(id, args.Term, began)
	}
	return err
}

func (t *confirming) note(id raft.ServerID, term uint64, began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if term < t.term {
		return
	}
	if term > t.term || t.began == nil {
		t.term, t.began = term, map[raft.ServerID]time.Time{}
	}
	if began.After(t.began[id]) {
		t.began[id] = began
	}
}

// since tells whether a majority of the voters, self among them, has taken this node for the leader of a term in answer
// to calls that began at some time or later.
func (t *confirming) since(self raft.ServerID, term uint64, at time.Time, servers []raft.Server) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	voters, votes := 0, 0
	for _, s := range servers {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if s.ID == self || t.term == term && !t.began[s.ID].Before(at) {
			votes++
		}
	}
	return 2*votes > voters
}
