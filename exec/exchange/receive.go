package exchange

import (
	"context"
	"io"
)

// unordered takes messages as they come.
type unordered struct{ from link }

func (r *unordered) Next(ctx context.Context) (Message, error) {
	m, ok, err := r.from.receive(ctx)
	if err != nil {
		return Message{}, err
	}
	if !ok {
		return Message{}, io.EOF
	}
	return m, nil
}

func (r *unordered) Stop() {
	r.from.stop()
	r.from.drain()
}

// bySplit puts the rows of many tasks into the order of the source's splits.
// Each task reads splits in ascending order and each split is read by one task,
// so the task whose next message has the lowest split holds what comes next.
// A task that is ahead waits when its channel is full: that bounds the window.
type bySplit struct {
	from  []*pipe
	heads []*Message // the next message of each producer, where known
	ended []bool
}

func newBySplit(from []*pipe) *bySplit {
	return &bySplit{from: from, heads: make([]*Message, len(from)), ended: make([]bool, len(from))}
}

func (r *bySplit) Next(ctx context.Context) (Message, error) {
	for {
		if err := r.fill(ctx); err != nil {
			return Message{}, err
		}
		first := -1
		for i, h := range r.heads {
			if h != nil && (first < 0 || h.Split < r.heads[first].Split) {
				first = i
			}
		}
		if first < 0 {
			return Message{}, io.EOF
		}
		m := *r.heads[first]
		r.heads[first] = nil
		if m.Batch != nil {
			return m, nil
		}
	}
}

// fill waits until the next message of every producer that goes on is known.
func (r *bySplit) fill(ctx context.Context) error {
	for i, p := range r.from {
		if r.heads[i] != nil || r.ended[i] {
			continue
		}
		m, ok, err := p.receive(ctx)
		if err != nil {
			return err
		}
		if !ok {
			r.ended[i] = true
			continue
		}
		r.heads[i] = &m
	}
	return nil
}

func (r *bySplit) Stop() {
	for i, p := range r.from {
		p.stop()
		if h := r.heads[i]; h != nil {
			h.Release()
			r.heads[i] = nil
		}
		p.drain()
	}
}
