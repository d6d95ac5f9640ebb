package namespace

import "slices"

// recall finds what came of a request that was applied before, or refuses one
// too old to tell. A repeated request keeps its time, and a result is kept for RetryWindow
// after the request was applied, which was no earlier: so a request within the
// window that is not remembered was never applied.
func (s *State) recall(e Entry) (Result, bool) {
	stale := Result{Err: &Refusal{Reason: ErrStale, Name: shortName(e.Name)}}
	if e.Time < s.logTime-RetryWindow || e.Seq == 0 {
		return stale, true
	}
	c, ok := s.clients.Get(key(e.Client))
	if !ok {
		return Result{}, false
	}
	at, found := slices.BinarySearchFunc(c.results, e.Seq, func(r remembered, seq uint64) int {
		switch {
		case r.seq < seq:
			return -1
		case r.seq > seq:
			return 1
		}
		return 0
	})
	if found {
		res := Result{Repeated: true}
		if code := c.results[at].code; code != 0 {
			res.Err = &Refusal{Reason: reasons[code], Name: shortName(e.Name)}
		}
		return res, true
	}
	if e.Seq <= c.floor {
		return stale, true
	}
	return Result{}, false
}

// remember keeps the result of a request, and forgets the client's oldest beyond Window.
func (s *State) remember(e Entry, code uint8) {
	c := &client{last: s.logTime}
	if old, ok := s.clients.Get(key(e.Client)); ok {
		c.floor = old.floor
		c.results = old.results
	}
	at := len(c.results)
	for at > 0 && c.results[at-1].seq > e.Seq {
		at--
	}
	c.results = slices.Insert(slices.Clone(c.results), at, remembered{seq: e.Seq, code: code})
	if len(c.results) > Window {
		c.floor = c.results[0].seq
		c.results = c.results[1:]
	}
	s.clients, _, _ = s.clients.Insert(key(e.Client), c)
}
