package blocks

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// messageBytes is how many bytes of a block one message carries: a whole number of chunks.
const messageBytes = 8 * block.Chunk

// Message is what the wire has for a block.
func Message(b namespace.Block) *api.Block {
	return &api.Block{Id: b.ID[:], Length: b.Length, Crc: b.CRC}
}

// FromMessage reads a block off the wire.
func FromMessage(m *api.Block) (namespace.Block, error) {
	b := namespace.Block{Length: m.GetLength(), CRC: m.GetCrc()}
	if copy(b.ID[:], m.GetId()) != len(b.ID) || len(m.GetId()) != len(b.ID) || b.Length == 0 || b.Length > namespace.MaxBlock {
		return b, status.Errorf(codes.InvalidArgument, "not a block: an id of %d bytes, and %d bytes of content", len(m.GetId()), m.GetLength())
	}
	return b, nil
}

func headMessage(h Head) *api.PutHead {
	return &api.PutHead{Lease: h.Lease, Index: h.Index, Epoch: h.Epoch}
}

// HeadOf reads a head off the wire.
func HeadOf(m *api.PutHead) Head {
	return Head{Lease: m.GetLease(), Index: m.GetIndex(), Epoch: m.GetEpoch()}
}

func holderOf(node []byte, incarnation uint64) (state.Holder, error) {
	h := state.Holder{Incarnation: incarnation}
	if copy(h.Node[:], node) != len(h.Node) {
		return h, errors.New("the answer does not say from which server it is")
	}
	return h, nil
}

// StatusOf turns an error into what the wire says of it.
func StatusOf(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.Unknown {
		return err
	}
	code := codes.Internal
	var corrupt *block.CorruptError
	switch {
	case errors.Is(err, ErrFull):
		code = codes.ResourceExhausted
	case errors.Is(err, ErrAway):
		code = codes.Unavailable
	case errors.As(err, &corrupt), errors.Is(err, ErrNoCopy):
		code = codes.DataLoss
	case errors.Is(err, ErrTooFew):
		code = codes.Aborted
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	}
	return status.Error(code, err.Error())
}

// errorOf is what a status means here.
func errorOf(err error) error {
	if err == nil {
		return nil
	}
	text := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.ResourceExhausted:
		return fmt.Errorf("%w: %s", ErrFull, text)
	case codes.Canceled:
		return fmt.Errorf("%s: %w", text, context.Canceled)
	case codes.NotFound, codes.DataLoss:
		return &lossError{text}
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument:
		return err // no other server will do it either
	}
	return errors.New(text)
}

// lossError says that what was asked for is not where it was asked for, or damaged there.
type lossError struct{ text string }

func (e *lossError) Error() string { return e.text }

// isLoss tells whether an error says that there is no copy that is whole where one was asked for, rather than that nobody answered.
func isLoss(err error) bool {
	var loss *lossError
	var corrupt *block.CorruptError
	return errors.As(err, &loss) || errors.As(err, &corrupt)
}
