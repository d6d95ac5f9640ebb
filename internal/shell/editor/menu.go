package editor

import (
	"strings"
	"unicode/utf8"
)

// menu is the list of candidates under the text.
type menu struct {
	items    []Item
	from, to int // what the chosen one replaces
	chosen   int // -1 before any is
	top      int // the first one shown
}

// complete acts on Tab: it puts in what all candidates begin with, and shows
// them if there are several.
func (m *model) complete() {
	if m.cfg.Complete == nil {
		return
	}
	from, to, items := m.cfg.Complete(m.buf.text, m.buf.at)
	if len(items) == 0 {
		return
	}
	if len(items) == 1 {
		m.put(from, to, items[0])
		return
	}
	m.menu = &menu{items: items, from: from, to: to, chosen: -1}
	if p := common(items); len(p) > to-from && strings.EqualFold(p[:to-from], m.buf.text[from:to]) {
		m.buf.change(from, to, p, other)
		m.menu.to = from + len(p)
	}
}

// common is what all candidates begin with.
func common(items []Item) string {
	p := items[0].Text
	for _, it := range items[1:] {
		n := 0
		for n < len(p) && n < len(it.Text) && p[n] == it.Text[n] {
			n++
		}
		p = p[:n]
	}
	return strings.ToValidUTF8(p, "")
}

// put takes a candidate, and a blank behind it unless there is one.
func (m *model) put(from, to int, it Item) {
	text := it.Text
	if rest := m.buf.text[to:]; !it.Open && !strings.HasPrefix(rest, " ") {
		text += " "
	}
	m.buf.change(from, to, text, other)
	m.menu = nil
}

// choose shows another candidate in the text.
func (m *model) choose(by int) {
	mn := m.menu
	n := len(mn.items)
	if mn.chosen < 0 && by < 0 {
		mn.chosen = n
	}
	mn.chosen = ((mn.chosen+by)%n + n) % n
	text := mn.items[mn.chosen].Text
	m.buf.change(mn.from, mn.to, text, other)
	mn.to = mn.from + len(text)
}

// menuKey acts on a key of the menu; it reports whether the key was for it.
func (m *model) menuKey(name string) bool {
	switch name {
	case "tab", "down", "ctrl+n":
		if len(m.menu.items) == 1 {
			m.put(m.menu.from, m.menu.to, m.menu.items[0])
			break
		}
		m.choose(1)
	case "shift+tab", "up", "ctrl+p":
		m.choose(-1)
	case "enter", "ctrl+j":
		if m.menu.chosen < 0 {
			return false
		}
		m.put(m.menu.from, m.menu.to, m.menu.items[m.menu.chosen])
	case "esc", "ctrl+g":
		m.menu = nil
	default:
		return false
	}
	return true
}

// apart puts a blank behind a chosen candidate when a word is begun behind it.
func (m *model) apart(text string) {
	if mn := m.menu; mn != nil && mn.chosen >= 0 && !mn.items[mn.chosen].Open {
		if r, _ := utf8.DecodeRuneInString(text); wordRune(r) || r == '\'' || r == '"' {
			m.buf.insert(" ")
		}
	}
}

// narrow keeps an open menu to what fits what is typed meanwhile.
func (m *model) narrow() {
	if m.menu == nil {
		return
	}
	if m.menu.chosen >= 0 { // a chosen candidate stays; typing goes on behind it
		m.menu = nil
		return
	}
	from, to, items := m.cfg.Complete(m.buf.text, m.buf.at)
	if len(items) == 0 || from == to {
		m.menu = nil
		return
	}
	m.menu = &menu{items: items, from: from, to: to, chosen: -1}
}
