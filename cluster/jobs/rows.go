package jobs

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
)

// rows are those of a result on their way to the client, as frames.
type rows struct {
	r   *run
	enc *frame.Encoder
}

func newRows(r *run) (*rows, error) {
	enc, err := frame.NewEncoder(r.g.cfg.Alloc, TypesOf(r.graph.Schema))
	return &rows{r: r, enc: enc}, err
}

// TypesOf are the types of the columns of a result.
func TypesOf(schema types.Schema) []types.Type {
	list := make([]types.Type, len(schema))
	for i, c := range schema {
		list[i] = c.Type
	}
	return list
}

func (w *rows) close() { w.enc.Release() }

// rowsPiece is how many bytes of a frame one message has.
const rowsPiece = 1 << 20

// take implements operators.Receiver. It waits while the client does not read.
func (w *rows) take(_ context.Context, cols []arrow.Array, n int) (op.Flow, error) {
	if w.r.enough.Load() {
		return op.Enough, nil
	}
	f, err := w.enc.Encode(frame.Message{Kind: frame.Batch, Split: -1, Batch: &op.Batch{Cols: cols, Rows: n, Split: -1}})
	if err != nil {
		return op.Enough, err
	}
	data := make([]byte, 0, f.Len())
	for _, p := range f.Pieces() {
		data = append(data, p...)
	}
	f.Release()
	w.r.rows.Add(int64(n))
	w.r.sending.Lock()
	defer w.r.sending.Unlock()
	for len(data) > 0 {
		k := min(len(data), rowsPiece)
		m := &api.Rows{Frame: data[:k], More: k < len(data)}
		if err := w.r.stream.Send(&api.RunResponse{What: &api.RunResponse_Rows{Rows: m}}); err != nil {
			w.r.cancel(errClientGone)
			return op.Enough, errClientGone
		}
		data = data[k:]
	}
	return op.More, nil
}
