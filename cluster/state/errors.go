package state

import (
	"errors"
	"slices"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// The reasons for which an entry is refused, beside those of package namespace. A refusal
// changes nothing.
var (
	ErrNoNode   = errors.New("no such node in the cluster")
	ErrNameUsed = errors.New("another node has this name")
	ErrEvicted  = errors.New("the node has left the cluster for good: a new data directory makes it a new node")
	ErrOutdated = errors.New("the node has been started anew since")
	ErrStatus   = errors.New("not while the node is what it is")
	ErrCluster  = errors.New("it belongs to another cluster")
	ErrNoToken  = errors.New("no such token")
	ErrToken    = errors.New("there is a token of this name")
	ErrNoJob    = errors.New("no such job in the cluster")
	ErrJobOver  = errors.New("the job has ended")
	ErrAttempt  = errors.New("another attempt of the job has taken its place")
	ErrJobs     = errors.New("too many jobs wait or run")
	ErrEntry    = namespace.ErrEntry
	ErrStale    = namespace.ErrStale
)

// reasons lists the reasons by the number they have in snapshots and on the wire; 0 stands for
// success. Those of a namespace entry are not among them: that remembers its own.
var reasons = []error{nil, ErrEntry, ErrStale, ErrNoNode, ErrNameUsed, ErrEvicted, ErrOutdated, ErrStatus, ErrCluster, ErrNoToken, ErrToken, ErrNoJob, ErrJobOver, ErrAttempt, ErrJobs}

// Refusal is why an entry was refused, by the cluster or by its namespace; errors.Is finds its reason.
type Refusal = namespace.Refusal

func codeOf(err error) uint8 {
	for code, reason := range reasons {
		if code > 0 && errors.Is(err, reason) {
			return uint8(code)
		}
	}
	return 0
}

// Reasons lists the reasons of refusals.
func Reasons() []error { return slices.Clone(reasons[1:]) }
