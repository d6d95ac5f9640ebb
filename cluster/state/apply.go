package state

import (
	"fmt"
	"strconv"

	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// Bounds of what an entry may hold.
const (
	MaxName     = 64  // bytes of the name of a node, token or setting
	MaxAddr     = 255 // bytes of an address
	MaxValue    = 4096
	MaxEntry    = 1 << 20 // bytes of an entry as Encode gives it; who proposes looks
	maxTokens   = 10_000
	maxSettings = 10_000
	maxTime     = 1 << 61 // µs
)

// Result is what came of an entry.
type Result struct {
	Err      error // a *Refusal, or nil
	Repeated bool  // the entry was applied before, with this Err; it changed nothing now
	Files    namespace.Result
	Batch    []Result // of each of a batch
}

// Apply gives the state after one more entry. It is pure and total: whatever the entry, the
// result is a state, and a refusal leaves all but index and log time as it was. index must exceed
// that of s; else s itself comes back.
func Apply(s *State, index uint64, e Entry) (*State, Result) {
	if index <= s.index {
		return s, Result{Err: &Refusal{Reason: ErrEntry, Detail: fmt.Sprintf("entry %d after %d", index, s.index)}}
	}
	next := *s
	next.index = index
	at := e.Time
	switch e.Kind {
	case Files:
		at = e.Files.Time
	case Batch:
		for _, part := range e.Batch {
			at = max(at, part.Files.Time)
		}
	}
	next.logTime = max(s.logTime, min(at, maxTime))
	next.retries = s.retries.Expire(next.logTime)
	switch e.Kind {
	case Files:
		return &next, next.applyFiles([]Entry{e})[0]
	case Batch:
		return &next, Result{Batch: next.applyFiles(e.Batch)}
	}
	remembered := e.Client != 0 && e.Kind != JobCommit // the job itself tells whether it was applied
	if remembered {
		switch code, verdict := next.retries.Recall(e.Client, e.Seq, e.Time, next.logTime); verdict {
		case retry.Stale:
			return &next, Result{Err: &Refusal{Reason: ErrStale, Name: e.Name}}
		case retry.Done:
			res := Result{Repeated: true}
			if code != 0 {
				res.Err = &Refusal{Reason: reasons[code], Name: e.Name}
			}
			return &next, res
		}
	}
	changed := next
	err := changed.apply(e)
	if err == nil {
		next = changed
	}
	if remembered {
		next.retries = next.retries.Remember(e.Client, e.Seq, next.logTime, codeOf(err))
	}
	return &next, Result{Err: err}
}

// applyFiles applies entries of the namespace.
func (s *State) applyFiles(entries []Entry) []Result {
	parts := make([]namespace.Entry, len(entries))
	for i, e := range entries {
		parts[i] = e.Files
	}
	var of []namespace.Result
	s.files, of = namespace.ApplyAll(s.files, s.index, parts, func(i int) error { return s.checkHeld(entries[i]) })
	results := make([]Result, len(of))
	for i, r := range of {
		results[i] = Result{Err: r.Err, Repeated: r.Repeated, Files: r}
	}
	return results
}

// apply changes s, a copy of its own; after a refusal s is thrown away.
func (s *State) apply(e Entry) error {
	switch e.Kind {
	case Tick:
		s.files, _ = namespace.Apply(s.files, s.index, namespace.Entry{Kind: namespace.Tick, Time: e.Time})
		return nil
	case Found:
		if !s.cluster.IsZero() && s.cluster != e.Cluster || e.Cluster.IsZero() {
			return &Refusal{Reason: ErrCluster}
		}
		s.cluster = e.Cluster
		return nil
	case Join, Ready, Leave, MarkDown, MarkUp, Evict, Drained:
		return s.applyNode(e)
	case Set, TokenAdd, TokenRemove:
		return s.applyNamed(e)
	case JobSubmit, JobAttempt, JobFail, JobEnd, JobCommit:
		return s.applyJob(e)
	}
	return &Refusal{Reason: ErrEntry, Detail: fmt.Sprintf("unknown kind %d", e.Kind)}
}

// applyNamed changes settings and tokens.
func (s *State) applyNamed(e Entry) error {
	if err := CheckName(e.Name); err != nil {
		return err
	}
	token, exists := s.tokens.Get([]byte(e.Name))
	switch e.Kind {
	case Set:
		if n, err := strconv.Atoi(e.Value); e.Name == ReplicasSetting && (err != nil || n < 1 || n > MaxReplicas) {
			return &Refusal{Reason: ErrEntry, Name: e.Name, Detail: fmt.Sprintf("1 to %d copies can be kept of a block", MaxReplicas)}
		}
		if len(e.Value) > MaxValue || s.settings.Len() >= maxSettings {
			return &Refusal{Reason: ErrEntry, Name: e.Name, Detail: "too long a value, or too many settings"}
		}
		if e.Value == "" {
			s.settings, _, _ = s.settings.Delete([]byte(e.Name))
		} else {
			s.settings, _, _ = s.settings.Insert([]byte(e.Name), e.Value)
		}
	case TokenAdd:
		switch {
		case exists && token.Hash == e.Hash && token.Role == e.Value:
		case exists:
			return &Refusal{Reason: ErrToken, Name: e.Name}
		case e.Value != "read" && e.Value != "write" && e.Value != "admin":
			return &Refusal{Reason: ErrEntry, Name: e.Name, Detail: "a token's role is read, write or admin"}
		case s.tokens.Len() >= maxTokens:
			return &Refusal{Reason: ErrEntry, Name: e.Name, Detail: "too many tokens"}
		default:
			s.tokens, _, _ = s.tokens.Insert([]byte(e.Name), Token{Name: e.Name, Role: e.Value, Hash: e.Hash, Made: s.logTime})
		}
	case TokenRemove:
		if !exists {
			return &Refusal{Reason: ErrNoToken, Name: e.Name}
		}
		s.tokens, _, _ = s.tokens.Delete([]byte(e.Name))
	}
	return nil
}

// CheckName accepts names of nodes, tokens and settings: those that need no quotes anywhere.
func CheckName(name string) error {
	ok := len(name) > 0 && len(name) <= MaxName
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return &Refusal{Reason: ErrEntry, Name: fmt.Sprintf("%.70s", name), Detail: fmt.Sprintf("a name is 1 to %d letters, digits, '-', '_' and '.'", MaxName)}
	}
	return nil
}
