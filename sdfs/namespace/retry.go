package namespace

import "github.com/rainsql/rainsql/sdfs/retry"

// recall finds what came of a request that was applied before, or refuses one too old to tell.
func (s *State) recall(e Entry) (Result, bool) {
	code, verdict := s.retries.Recall(e.Client, e.Seq, e.Time, s.logTime)
	switch verdict {
	case retry.Stale:
		return Result{Err: &Refusal{Reason: ErrStale, Name: shortName(e.Name)}}, true
	case retry.Done:
		res := Result{Repeated: true}
		if code != 0 {
			res.Err = &Refusal{Reason: reasons[code], Name: shortName(e.Name)}
		}
		return res, true
	}
	return Result{}, false
}
