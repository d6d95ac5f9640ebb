package editor

import "strings"

// search is the search through the history that Ctrl-R begins.
type search struct {
	query string
	at    int    // index of the entry found
	found bool   // whether any entry holds the query
	saved string // what was being written
	place int    // and the cursor in it
}

// find looks for the query in the entries from index on, by steps of by, and
// passes over entries like the one shown. It reports whether there is one.
func (s *search) find(entries []string, from, by int) bool {
	query := strings.ToLower(s.query)
	for i := from; i >= 0 && i < len(entries); i += by {
		if s.found && i != s.at && entries[i] == entries[s.at] {
			continue
		}
		if strings.Contains(strings.ToLower(entries[i]), query) {
			s.at, s.found = i, true
			return true
		}
	}
	return false
}

// where is the place of the query in the entry found.
func (s *search) where(entry string) int {
	return max(0, strings.Index(strings.ToLower(entry), strings.ToLower(s.query)))
}
