package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/rainsql/rainsql/exec/op"
)

// Kind is what a frame says.
type Kind uint8

// The kinds of frames.
const (
	Batch    Kind = iota + 1 // rows
	EndSplit                 // all rows of a split have been sent
	Close                    // the producer sends no more
	Error                    // the producer failed
	Credit                   // from a consumer: it has taken so many batches and ends of splits
	Enough                   // from a consumer: it wants no more

	inPieces // what follows are the messages of a frame of so many bytes; see Send
)

var kindNames = [...]string{
	Batch: "a batch", EndSplit: "the end of a split", Close: "the end", Error: "an error",
	Credit: "credit", Enough: "enough", inPieces: "a frame in several messages",
}

// String names the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Bounds of a frame, which both ends keep to.
const (
	MaxBytes = 256 << 20 // of a frame
	MaxRows  = 4 << 20   // of a batch, and of any array that takes no bytes
	MaxText  = 16 << 10  // bytes of an error; what is longer is cut

	MaxCredit = 1 << 16 // given at once

	maxTexts = 1024 // separate pieces of text in a frame or dictionary, and buffers of one column of views
	maxDepth = 64   // of nested types
)

// Message is what a frame carries.
type Message struct {
	Consumer, Producer int // tasks
	Kind               Kind
	Split              int       // of Batch and EndSplit; -1: none. Of Credit, how much of it
	Batch              *op.Batch // of Batch, without a selection
	Text               string    // of Error
}

// The head of a frame. Unlike what follows it has fixed places.
const (
	magic    = "RF\x01" // the last byte is the version
	headSize = 32

	atKind     = 3
	atDescribe = 4 // where the description ends
	atConsumer = 8
	atProducer = 12
	atSplit    = 16
	atRows     = 24
	atColumns  = 28
)

// counts tells whether the place of the split means something.
func (k Kind) counts() bool { return k == Batch || k == EndSplit || k == Credit || k == inPieces }

func align(n int) int { return (n + 7) &^ 7 }

// appendHead writes the head of m. The end of the description is set by the caller.
func appendHead(b []byte, m *Message, rows, columns int) ([]byte, error) {
	for _, task := range []int{m.Consumer, m.Producer} {
		if task < 0 || task > math.MaxInt32 {
			return nil, fmt.Errorf("task %d cannot be named in a frame", task)
		}
	}
	if m.Split < -1 {
		return nil, fmt.Errorf("split %d cannot be named in a frame", m.Split)
	}
	b = append(append(b, magic...), byte(m.Kind))
	le := binary.LittleEndian
	b = le.AppendUint32(b, headSize)
	b = le.AppendUint32(b, uint32(m.Consumer))
	b = le.AppendUint32(b, uint32(m.Producer))
	b = le.AppendUint64(b, uint64(m.Split))
	b = le.AppendUint32(b, uint32(rows))
	return le.AppendUint32(b, uint32(columns)), nil
}

// head is what parseHead finds.
type head struct {
	Message
	describe      int
	rows, columns int
}

// parseHead reads the first bytes of a frame and checks them.
func parseHead(b []byte) (h head, err error) {
	if len(b) < headSize {
		return h, fmt.Errorf("%d bytes are too few for a frame", len(b))
	}
	if len(b) > MaxBytes {
		return h, fmt.Errorf("%d bytes are more than a frame may have", len(b))
	}
	if string(b[:len(magic)]) != magic {
		return h, fmt.Errorf("it begins with %q, which no frame of this version does", b[:len(magic)])
	}
	le := binary.LittleEndian
	consumer, producer, split := le.Uint32(b[atConsumer:]), le.Uint32(b[atProducer:]), int64(le.Uint64(b[atSplit:]))
	describe, rows, columns := le.Uint32(b[atDescribe:]), le.Uint32(b[atRows:]), le.Uint32(b[atColumns:])
	switch {
	case consumer > math.MaxInt32 || producer > math.MaxInt32:
		return h, errors.New("it names a task that cannot be")
	case split < -1 || split > math.MaxInt:
		return h, errors.New("it names a split that cannot be")
	case int64(describe) < headSize || int64(describe) > int64(len(b)):
		return h, errors.New("its description ends outside of it")
	case rows > MaxRows:
		return h, fmt.Errorf("%d rows are more than a batch may have", rows)
	}
	h.Message = Message{Consumer: int(consumer), Producer: int(producer), Kind: Kind(b[atKind]), Split: int(split)}
	h.describe, h.rows, h.columns = int(describe), int(rows), int(columns)
	switch h.Kind {
	case Batch:
		return h, nil
	case EndSplit, Close, Error, Credit, Enough, inPieces:
		if rows != 0 || columns != 0 || describe != headSize || h.Kind != Error && len(b) != headSize || !h.Kind.counts() && split != -1 {
			return h, fmt.Errorf("%s comes with more than belongs to it", h.Kind)
		}
		switch {
		case h.Kind == Credit && (split < 1 || split > MaxCredit):
			return h, fmt.Errorf("%d is no credit", split)
		case h.Kind == inPieces && (split <= MaxMessage || split > MaxBytes):
			return h, fmt.Errorf("%d bytes are no frame in several messages", split)
		}
		return h, nil
	}
	return h, fmt.Errorf("there is no %s", h.Kind)
}
