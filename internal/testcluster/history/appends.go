package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rainsql/rainsql/sdfs"
)

// Appends is what clients appended to a few files and read of them. It is safe for concurrent use.
type Appends struct {
	mu    sync.Mutex
	ops   []porcupine.Operation
	wrong []error
}

// addition is an append of a token to a file, or, without one, a look at it; content is what a look found.
type addition struct{ file, token string }

type content struct {
	unknown bool
	text    string
}

// appendModel is what the store promises of a file: it is what was appended to it, in one order. At the end that order is known, from
// what the files hold then (final), so that no other needs to be tried: the state is how much of it there is.
func appendModel(final map[string]string) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byFile := map[string][]porcupine.Operation{}
			for _, op := range history {
				name := op.Input.(addition).file
				byFile[name] = append(byFile[name], op)
			}
			var parts [][]porcupine.Operation
			for _, p := range byFile {
				parts = append(parts, p)
			}
			return parts
		},
		Init: func() any { return 0 },
		Step: func(s, in, out any) (bool, any) {
			n, a, c := s.(int), in.(addition), out.(content)
			whole := final[a.file]
			switch {
			case a.token == "":
				return c.text == whole[:n], s
			case !strings.Contains(" "+whole, " "+a.token):
				return c.unknown, s // it never took effect
			}
			return strings.HasPrefix(whole[n:], a.token), n + len(a.token)
		},
	}
}

// Finish has a client look at the files once nobody appends any more, and gives what they hold.
func (h *Appends) Finish(ctx context.Context, s *sdfs.Store) (map[string]string, error) {
	final := map[string]string{}
	for i := range appendedFiles {
		name := fmt.Sprint("appended", i)
		c, says, err := askAppends(ctx, s, addition{file: name})
		if !says || err != nil {
			return nil, fmt.Errorf("%s cannot be looked at: %w", name, err)
		}
		final[name] = c.text
	}
	return final, nil
}

// appendedFiles is to how many files clients append.
const appendedFiles = 2

// Work has one client append and look until ctx ends, some of it with little patience.
func (h *Appends) Work(ctx context.Context, s *sdfs.Store, id int, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, uint64(id)))
	for i := 0; ctx.Err() == nil; i++ {
		in := addition{file: fmt.Sprint("appended", rnd.IntN(appendedFiles))}
		if rnd.IntN(2) == 0 {
			in.token = fmt.Sprintf("%d.%d ", id, i)
		}
		h.do(s, id, in, time.Duration(500+rnd.IntN(6000))*time.Millisecond)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rnd.IntN(500)) * time.Millisecond):
		}
	}
}

func (h *Appends) do(s *sdfs.Store, id int, in addition, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	op := porcupine.Operation{ClientId: id, Input: in, Call: time.Now().UnixNano()}
	out, says, err := askAppends(ctx, s, in)
	op.Output, op.Return = out, time.Now().UnixNano()
	if out.unknown {
		op.Return = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.wrong = append(h.wrong, fmt.Errorf("%+v: %w", in, err))
	}
	if says {
		h.ops = append(h.ops, op)
	}
}

func askAppends(ctx context.Context, s *sdfs.Store, in addition) (c content, says bool, err error) {
	if in.token != "" {
		err := s.Append(ctx, in.file, []byte(in.token))
		switch {
		case err == nil:
			return c, true, nil
		case errors.Is(err, sdfs.ErrUnknown):
			return content{unknown: true}, true, nil
		}
		return c, false, nil // nothing was changed
	}
	f, err := s.OpenFile(ctx, in.file)
	if errors.Is(err, sdfs.ErrNotFound) {
		return c, true, nil
	}
	if err != nil {
		return c, false, nil // a look that came to nothing says nothing
	}
	defer f.Close() //nolint:errcheck // only read
	var text strings.Builder
	if _, err := io.Copy(&text, io.NewSectionReader(f, 0, f.Size())); err != nil {
		return c, false, fmt.Errorf("an open file could not be read: %w", err)
	}
	return content{text: text.String()}, true, nil
}

// Count is how many operations say something, and of how many of them the outcome is not known.
func (h *Appends) Count() (all, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, op := range h.ops {
		if op.Output.(content).unknown {
			unknown++
		}
	}
	return len(h.ops), unknown
}

// Check tells what is wrong with the history, after which the files hold what Finish gave.
func (h *Appends) Check(final map[string]string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 {
		return errors.Join(h.wrong...)
	}
	return judge(porcupine.CheckOperationsTimeout(appendModel(final), h.ops, 5*time.Minute), len(h.ops))
}
