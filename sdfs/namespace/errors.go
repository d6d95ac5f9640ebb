package namespace

import (
	"errors"
	"fmt"
	"slices"
)

// The reasons for which an entry is refused. A refusal changes nothing.
var (
	ErrNotFound   = errors.New("no such file in the store")
	ErrExists     = errors.New("the file exists already")
	ErrConflict   = errors.New("the file was changed meanwhile")
	ErrLeaseEnded = errors.New("the lease has ended")
	ErrStale      = errors.New("the request is too old to be repeated")
	ErrName       = errors.New("not a valid file name")
	ErrEntry      = errors.New("not a valid entry")
	ErrHolders    = errors.New("too few of the nodes that have the blocks are active any more")
)

// Refusal is why an entry was refused; errors.Is finds its reason.
type Refusal struct {
	Reason error  // one of the above, or of package state of the cluster
	Name   string // of the file, or of what else it is about
	Detail string
}

func (r *Refusal) Error() string {
	text := r.Reason.Error()
	if r.Name != "" || errors.Is(r.Reason, ErrName) {
		text = fmt.Sprintf("%q: %s", r.Name, text)
	}
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

// Unwrap gives the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// reasons lists the reasons by the number they have in snapshots; 0 stands for success.
var reasons = []error{nil, ErrNotFound, ErrExists, ErrConflict, ErrLeaseEnded, ErrStale, ErrName, ErrEntry, ErrHolders}

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
