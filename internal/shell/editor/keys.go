package editor

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// keys are the keys that edit, by the names of tea.Key.Keystroke: those of GNU
// Readline's emacs mode, and those of a modern keyboard.
var keys = map[string]func(*buffer){
	"left":           func(b *buffer) { b.place(b.left()) },
	"ctrl+b":         func(b *buffer) { b.place(b.left()) },
	"right":          func(b *buffer) { b.place(b.right()) },
	"ctrl+f":         func(b *buffer) { b.place(b.right()) },
	"alt+b":          func(b *buffer) { b.place(b.wordLeft()) },
	"alt+left":       func(b *buffer) { b.place(b.wordLeft()) },
	"ctrl+left":      func(b *buffer) { b.place(b.wordLeft()) },
	"alt+f":          func(b *buffer) { b.place(b.wordRight()) },
	"alt+right":      func(b *buffer) { b.place(b.wordRight()) },
	"ctrl+right":     func(b *buffer) { b.place(b.wordRight()) },
	"home":           func(b *buffer) { b.place(b.lineStart()) },
	"ctrl+a":         func(b *buffer) { b.place(b.lineStart()) },
	"end":            func(b *buffer) { b.place(b.lineEnd()) },
	"ctrl+e":         func(b *buffer) { b.place(b.lineEnd()) },
	"ctrl+home":      func(b *buffer) { b.place(0) },
	"alt+<":          func(b *buffer) { b.place(0) },
	"ctrl+end":       func(b *buffer) { b.place(len(b.text)) },
	"alt+>":          func(b *buffer) { b.place(len(b.text)) },
	"backspace":      func(b *buffer) { b.erase(b.left(), b.at) },
	"ctrl+h":         func(b *buffer) { b.erase(b.left(), b.at) },
	"delete":         func(b *buffer) { b.erase(b.at, b.right()) },
	"ctrl+w":         func(b *buffer) { b.kill(b.spaceLeft(), b.at) },
	"alt+backspace":  func(b *buffer) { b.kill(b.wordLeft(), b.at) },
	"ctrl+backspace": func(b *buffer) { b.kill(b.wordLeft(), b.at) },
	"alt+d":          func(b *buffer) { b.kill(b.at, b.wordRight()) },
	"ctrl+delete":    func(b *buffer) { b.kill(b.at, b.wordRight()) },
	"ctrl+k":         killLine,
	"ctrl+u":         func(b *buffer) { b.kill(b.lineStart(), b.at) },
	"ctrl+y":         func(b *buffer) { b.change(b.at, b.at, b.cut, other) },
	"ctrl+t":         (*buffer).transpose,
	"ctrl+_":         (*buffer).undo,
	"ctrl+/":         (*buffer).undo,
	"alt+_":          (*buffer).redo,
	"alt+/":          (*buffer).redo,
	"alt+enter":      func(b *buffer) { b.insert("\n") },
	"shift+enter":    func(b *buffer) { b.insert("\n") },
	"ctrl+o":         func(b *buffer) { b.insert("\n") },
}

// killLine cuts to the end of the line, and there the end of the line itself.
func killLine(b *buffer) {
	if end := b.lineEnd(); end > b.at {
		b.kill(b.at, end)
	} else {
		b.kill(b.at, b.right())
	}
}

// action is what a key asks of the program around the text.
type action int

const (
	none    action = iota
	accept         // the input is finished
	cancel         // it is given up
	quit           // no more input
	clear          // draw the screen anew
	suspend        // give the terminal back to the shell
)

// key acts on a key.
func (m *model) key(k tea.KeyPressMsg) action {
	name := k.Keystroke()
	m.hint = ""
	if m.search != nil {
		if m.searchKey(k, name) {
			return none
		}
	}
	if m.menu != nil && m.menuKey(name) {
		return none
	}
	if act, ok := keys[name]; ok {
		act(&m.buf)
		m.narrow()
		return none
	}
	switch name {
	case "enter", "ctrl+j", "kpenter":
		m.menu = nil
		if m.cfg.Finished(m.buf.text) {
			return accept
		}
		if m.buf.at == len(m.buf.text) && strings.HasSuffix(m.buf.text, "\n") {
			m.hint = m.cfg.Stuck // an empty line is no end
		}
		m.buf.insert("\n")
	case "tab":
		m.complete()
	case "up":
		m.vertical(-1)
	case "down":
		m.vertical(1)
	case "ctrl+p":
		m.fromHistory(-1)
	case "ctrl+n":
		m.fromHistory(1)
	case "pgup":
		m.rows(-m.page())
	case "pgdown":
		m.rows(m.page())
	case "ctrl+r":
		m.menu = nil
		m.search = &search{saved: m.buf.text, place: m.buf.at, at: len(m.cfg.History.Entries())}
	case "ctrl+c":
		return cancel
	case "ctrl+d":
		if m.buf.text == "" {
			return quit
		}
		if m.buf.at == len(m.buf.text) {
			m.hint = m.cfg.Stuck
		}
		m.buf.erase(m.buf.at, m.buf.right())
		m.narrow()
	case "ctrl+l":
		return clear
	case "ctrl+z":
		return suspend
	default:
		if k.Text != "" {
			m.apart(k.Text)
			m.buf.insert(k.Text)
			m.narrow()
		}
	}
	return none
}

// paste puts pasted text in: line ends as one, and nothing run.
func (m *model) paste(text string) {
	m.menu, m.search = nil, nil
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.TrimRight(strings.ReplaceAll(text, "\r", "\n"), "\n") // what ends a copied line is no line more
	m.buf.change(m.buf.at, m.buf.at, strings.ToValidUTF8(text, "\uFFFD"), other)
}

// vertical moves by a row of the screen, beyond the first or last one through
// the history.
func (m *model) vertical(by int) {
	m.menu = nil
	l := arrange(m.buf.text, m.buf.at, m.textWidth())
	if y := l.y + by; y >= 0 && y < len(l.rows) {
		m.rows(by)
		return
	}
	m.fromHistory(by)
}

// rows moves by rows of the text, as far as there are.
func (m *model) rows(by int) {
	m.menu = nil
	l := arrange(m.buf.text, m.buf.at, m.textWidth())
	goal := m.buf.goal
	if goal < 0 {
		goal = l.x
	}
	m.buf.place(l.at(m.buf.text, goal, min(max(l.y+by, 0), len(l.rows)-1)))
	m.buf.goal = goal
}

func (m *model) fromHistory(by int) {
	m.menu = nil
	if text, ok := m.recall.step(by, m.buf.text); ok {
		m.buf.set(text)
	}
}

// searchKey acts on a key of the search; it reports whether the key was for it.
// Any other key takes what was found, and then does what it does.
func (m *model) searchKey(k tea.KeyPressMsg, name string) bool {
	s, entries := m.search, m.cfg.History.Entries()
	switch {
	case name == "ctrl+r":
		s.find(entries, s.at-1, -1)
	case name == "ctrl+s":
		s.find(entries, s.at+1, 1)
	case name == "backspace" || name == "ctrl+h":
		if s.query != "" {
			b := buffer{text: s.query, at: len(s.query)}
			s.query = s.query[:b.left()]
		}
		s.found = false
		s.find(entries, len(entries)-1, -1)
	case name == "ctrl+g" || name == "ctrl+c":
		m.buf.set(s.saved)
		m.buf.at = s.place
		m.search = nil
		return true
	case k.Text != "":
		s.query += k.Text
		if from := min(s.at, len(entries)-1); !s.find(entries, from, -1) {
			s.found = false
		}
	default:
		m.search = nil
		m.recall.reset()
		return name == "esc"
	}
	if s.found && s.query != "" {
		m.buf.set(entries[s.at])
		m.buf.at = s.where(entries[s.at])
	}
	return true
}
