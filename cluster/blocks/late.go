package blocks

import (
	"sync"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
)

// lates tells which servers are late with the small blocks that they are sent: alive, with a disk that takes seconds. Such a server gets one group at
// a time, until it has one in time; writers step over it meanwhile, so that neither they nor the memory for what they
// leave behind depend on how slow it is. The zero value is of servers that were never late. It is safe for concurrent use.
type lates struct {
	mu    sync.Mutex
	peers map[state.ID]*peer // of which something is known
}

type peer struct {
	under int  // groups on their way to it
	late  bool // one has taken too long, and none since then has not
}

// begin is the sending of a group to a server, which is late if it takes longer than that. It gives false where the server should be passed over; with
// must it is asked all the same. end must follow.
func (l *lates) begin(id state.ID, slow time.Duration, must bool) (end func(error), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.peers[id]
	if one == nil {
		one = &peer{}
		if l.peers == nil {
			l.peers = map[state.ID]*peer{}
		}
		l.peers[id] = one
	}
	if one.late && one.under > 0 && !must {
		return nil, false
	}
	one.under++
	timer := time.AfterFunc(slow, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		one.late = true
	})
	return func(err error) {
		inTime := timer.Stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		one.under--
		if inTime && err == nil { // an error says nothing of the disk
			one.late = false
		}
		if one.under == 0 && !one.late {
			delete(l.peers, id)
		}
	}, true
}
