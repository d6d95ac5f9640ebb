package manual

import (
	"strings"
	"unicode/utf8"
)

// style is how text looks, as bits.
type style uint8

const (
	bold style = 1 << iota
	faint
	italic
	coded // a code span
)

// span is text in one style. A "\n" alone begins a new line.
type span struct {
	text  string
	style style
}

// spans writes text with the sequences of its styles, or without colours code
// between backticks.
func (p *printer) spans(list []span) {
	for _, s := range list {
		codes := ""
		if p.color {
			for _, c := range []struct {
				bit  style
				code string
			}{{bold, "1"}, {faint, "2"}, {italic, "3"}, {coded, "36"}} {
				if s.style&c.bit != 0 {
					codes += ";" + c.code
				}
			}
		}
		if codes == "" || strings.TrimSpace(s.text) == "" {
			p.w.WriteString(s.text)
			continue
		}
		p.w.WriteString("\x1b[" + codes[1:] + "m" + s.text + "\x1b[0m")
	}
}

func runes(s string) int { return utf8.RuneCountInString(s) }

// length is how many columns the spans take.
func length(list []span) int {
	n := 0
	for _, s := range list {
		n += runes(s.text)
	}
	return n
}

// fill breaks text at its blanks into lines of at most so many columns. A word
// longer than that is broken anywhere.
func fill(list []span, width int) [][]span {
	width = max(width, 1)
	var lines [][]span
	var line, word []span
	blank := span{}
	end := func() {
		lines = append(lines, merge(line))
		line, blank = nil, span{}
	}
	put := func() {
		for len(word) > 0 {
			gap := runes(blank.text)
			switch {
			case length(line)+gap+length(word) <= width:
				if gap > 0 && len(line) > 0 {
					line = append(line, blank)
				}
				line, word, blank = append(line, word...), nil, span{}
			case len(line) > 0:
				end()
			default:
				line, word = split(word, width)
				end()
			}
		}
	}
	for _, s := range list {
		if s.text == "\n" {
			put()
			end()
			continue
		}
		for i, part := range strings.Split(s.text, " ") {
			if i > 0 {
				put()
				blank = span{" ", s.style}
			}
			if part != "" {
				word = append(word, span{part, s.style})
			}
		}
	}
	put()
	if len(line) > 0 || len(lines) == 0 {
		end()
	}
	return lines
}

// split cuts a word after so many columns.
func split(word []span, width int) (head, tail []span) {
	for i, s := range word {
		n := runes(s.text)
		if n < width {
			width -= n
			continue
		}
		r := []rune(s.text)
		head = append(head, word[:i]...)
		head = append(head, span{string(r[:width]), s.style})
		if n > width {
			tail = append(tail, span{string(r[width:]), s.style})
		}
		return head, append(tail, word[i+1:]...)
	}
	return word, nil
}

// merge joins neighbours of one style.
func merge(line []span) []span {
	var out []span
	for _, s := range line {
		if n := len(out); n > 0 && out[n-1].style == s.style {
			out[n-1].text += s.text
			continue
		}
		out = append(out, s)
	}
	return out
}

// breakLine cuts a line of code that is too long, at a blank if there is one
// in its second half. The parts behind the first leave room for two columns.
func breakLine(line string, width int) []string {
	width = max(width, 4)
	var parts []string
	r := []rune(line)
	for limit := width; len(r) > limit; limit = width - 2 {
		at := limit
		for i := limit; i > limit/2; i-- {
			if r[i] == ' ' {
				at = i
				break
			}
		}
		parts = append(parts, strings.TrimRight(string(r[:at]), " "))
		r = r[at:]
		for len(r) > 0 && r[0] == ' ' {
			r = r[1:]
		}
	}
	return append(parts, string(r))
}
