package shell

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// mostHistory is how many entries are kept.
const mostHistory = 5000

// history is what was entered, in a file of one JSON string a line. Sessions
// that run at once add to the same file; each sees the others' at its start.
// It implements editor.History.
type history struct {
	path    string // "": not kept
	torn    bool   // the file ends in the midst of a line
	entries []string
}

// openHistory reads the history. Where it cannot be read or written it returns
// one that lasts for the session, and why.
func openHistory(path string) (*history, error) {
	h := &history{}
	if path == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, err
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return h, err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b)+1)
	for lines.Scan() {
		var text string
		if json.Unmarshal(lines.Bytes(), &text) == nil && text != "" { // a line cut short by a crash is passed over
			h.entries = append(h.entries, text)
		}
	}
	if len(h.entries) > 2*mostHistory {
		h.entries = h.entries[len(h.entries)-mostHistory:]
		if err := rewrite(path, h.entries); err != nil {
			return h, err
		}
	}
	h.path, h.torn = path, len(b) > 0 && b[len(b)-1] != '\n'
	return h, nil
}

// rewrite replaces the file, so that it does not grow for ever.
func rewrite(path string, entries []string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, e := range entries {
		if err == nil {
			_, err = w.Write(line(e))
		}
	}
	if err = errors.Join(err, w.Flush(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func line(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // a < is to be read as one
	if e.Encode(text) != nil {
		return nil // a string always has a form
	}
	return b.Bytes()
}

// Entries implements editor.History.
func (h *history) Entries() []string { return h.entries }

// Add implements editor.History. What begins with a blank is not kept, nor what
// is the same as the entry before.
func (h *history) Add(text string) {
	if text == "" || text[0] == ' ' || strings.TrimSpace(text) == "" {
		return
	}
	text = strings.TrimSpace(text)
	if n := len(h.entries); n > 0 && h.entries[n-1] == text {
		return
	}
	h.entries = append(h.entries, text)
	if h.path == "" {
		return
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // the session remembers it all the same
	}
	entry := line(text)
	if h.torn {
		entry = append([]byte("\n"), entry...)
	}
	_, werr := f.Write(entry) // in one write, so that sessions do not mix
	h.torn = werr != nil
	if errors.Join(werr, f.Close()) != nil {
		h.path = "" // a full disk: no more tries
	}
}
