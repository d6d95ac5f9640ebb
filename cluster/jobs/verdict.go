package jobs

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/exec/task"
)

// peerError is that another server does not do its part.
type peerError struct {
	peer state.ID
	err  error
}

func (e *peerError) Error() string { return status.Convert(e.err).Message() }
func (e *peerError) Unwrap() error { return e.err }

// verdict says what an error of a part means for its job: whether the query has failed, as it would anywhere, or this attempt of it.
func verdict(err error) *api.PartOver {
	if err == nil {
		return &api.PartOver{}
	}
	over := &api.PartOver{End: api.PartEnd_QUERY, Reason: err.Error()}
	var peer *peerError
	var way *link.Error
	switch {
	case errors.As(err, &peer):
		over.End, over.Peer = api.PartEnd_SURROUNDINGS, peer.peer[:]
	case errors.As(err, &way):
		over.End, over.Peer = api.PartEnd_SURROUNDINGS, way.Peer[:]
	case errors.As(err, new(*task.InternalError)):
		over.End = api.PartEnd_INTERNAL
	case passing(err):
		over.End = api.PartEnd_SURROUNDINGS
	}
	return over
}

// passing tells whether an error is one of the cluster's state at the moment.
func passing(err error) bool {
	for _, e := range []error{blocks.ErrTooFew, client.ErrUnreachable, client.ErrUnavailable, client.ErrUnknown, errStopping, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	if st, ok := status.FromError(err); ok {
		switch st.Code() {
		case codes.Unavailable, codes.Aborted, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted:
			return true
		}
	}
	return false
}
