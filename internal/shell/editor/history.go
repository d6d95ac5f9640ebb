package editor

// History is what was entered before, oldest first.
type History interface {
	// Entries returns all entries. The caller does not change them.
	Entries() []string
	// Add appends an entry.
	Add(text string)
}

// recall is the walk through the history with the arrow keys. What was being
// written waits at its end.
type recall struct {
	history History
	at      int // index of the entry shown; len(entries) is the draft
	draft   string
}

func (r *recall) reset() { r.at = len(r.history.Entries()) }

// step moves by one entry and returns the text to show; ok is false at either end.
func (r *recall) step(by int, current string) (text string, ok bool) {
	entries := r.history.Entries()
	r.at = min(r.at, len(entries))
	to := r.at + by
	if to < 0 || to > len(entries) {
		return "", false
	}
	if r.at == len(entries) {
		r.draft = current
	}
	r.at = to
	if to == len(entries) {
		return r.draft, true
	}
	return entries[to], true
}
