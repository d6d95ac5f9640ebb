package coordinator

import (
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/cluster/state"
)

// What errors.Is finds in the errors of a coordinator.
var (
	// ErrUnavailable means that the request was not applied, and may be sent again.
	ErrUnavailable = errors.New("the cluster takes no changes now")
	// ErrUnknown means that the request may or may not be applied; sending it again with its client and
	// sequence tells.
	ErrUnknown = errors.New("the change may still take effect")
	// ErrClock means that the request's time is too far ahead.
	ErrClock = errors.New("the clock of who sent the request is too far ahead of the cluster's")
	// ErrNoSpace means that the leader's disk is full, and takes only what makes room.
	ErrNoSpace = errors.New("the disk of the cluster's leader is full")
)

// NotLeaderError says that this node does not lead. It is an ErrUnavailable.
type NotLeaderError struct {
	Leader state.ID // zero: nobody is known to
	Addr   string   // of the leader
	Why    string   // there is none, as far as it is known here
}

func (e *NotLeaderError) Error() string {
	if e.Leader.IsZero() {
		return fmt.Sprintf("%v: there is no leader%s", ErrUnavailable, e.Why)
	}
	return fmt.Sprintf("%v here: node %s at %s leads", ErrUnavailable, e.Leader.Short(), e.Addr)
}

// Unwrap gives ErrUnavailable.
func (e *NotLeaderError) Unwrap() error { return ErrUnavailable }
