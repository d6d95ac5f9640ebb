package editor

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// buffer is text with a cursor in it, and what editing it takes: the way back,
// and what was cut. A position is an offset in bytes, always between graphemes.
type buffer struct {
	text string
	at   int

	goal   int // the column that moving up and down keeps, -1 after any other move
	cut    string
	past   []snapshot
	future []snapshot
	last   edit // what the last change was, so that like changes are undone together
}

type snapshot struct {
	text string
	at   int
}

// edit is a kind of change.
type edit int

const (
	moved edit = iota
	typed
	erased
	killed
	other
)

// maxUndo bounds the memory of the way back.
const maxUndo = 500

// set replaces the whole text, with the cursor at its end, and forgets the way back.
func (b *buffer) set(text string) {
	*b = buffer{text: text, at: len(text), goal: -1, cut: b.cut}
}

// change replaces [from, to) and leaves the cursor behind what it put there.
func (b *buffer) change(from, to int, with string, kind edit) {
	if kind != b.last || kind == other || strings.ContainsAny(with, " \n") {
		b.past = append(b.past, snapshot{b.text, b.at})
		if len(b.past) > maxUndo {
			b.past = b.past[1:]
		}
	}
	b.future = nil
	b.text = b.text[:from] + with + b.text[to:]
	b.at = from + len(with)
	b.last, b.goal = kind, -1
}

func (b *buffer) insert(s string) { b.change(b.at, b.at, s, typed) }

// place moves the cursor.
func (b *buffer) place(at int) {
	b.at, b.last, b.goal = at, moved, -1
}

func (b *buffer) undo() {
	if n := len(b.past); n > 0 {
		b.future = append(b.future, snapshot{b.text, b.at})
		b.restore(b.past[n-1])
		b.past = b.past[:n-1]
	}
}

func (b *buffer) redo() {
	if n := len(b.future); n > 0 {
		b.past = append(b.past, snapshot{b.text, b.at})
		b.restore(b.future[n-1])
		b.future = b.future[:n-1]
	}
}

func (b *buffer) restore(s snapshot) {
	b.text, b.at, b.last, b.goal = s.text, s.at, moved, -1
}

// left and right are the positions one grapheme away.
func (b *buffer) left() int {
	start := b.lineStart()
	if b.at == start {
		return max(b.at-1, 0)
	}
	at := start
	for it := graphemes.FromString(b.text[start:b.at]); it.Next(); {
		at = start + it.Start()
	}
	return at
}

func (b *buffer) right() int {
	if it := graphemes.FromString(b.text[b.at:]); it.Next() {
		return b.at + it.End()
	}
	return b.at
}

// wordRune reports whether a rune is part of a word; marks belong to the letter before.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' || r == '$'
}

// wordLeft is the start of the word at or before the cursor.
func (b *buffer) wordLeft() int {
	at := b.at
	for seen := false; at > 0; {
		r, n := utf8.DecodeLastRuneInString(b.text[:at])
		if seen && !wordRune(r) {
			break
		}
		seen = seen || wordRune(r)
		at -= n
	}
	return at
}

// wordRight is the end of the word at or behind the cursor.
func (b *buffer) wordRight() int {
	at := b.at
	for seen := false; at < len(b.text); {
		r, n := utf8.DecodeRuneInString(b.text[at:])
		if seen && !wordRune(r) {
			break
		}
		seen = seen || wordRune(r)
		at += n
	}
	return at
}

// spaceLeft is the start of the run of non-blanks before the cursor, what
// Ctrl-W cuts in a shell.
func (b *buffer) spaceLeft() int {
	at := len(strings.TrimRightFunc(b.text[:b.at], unicode.IsSpace))
	for at > 0 {
		r, n := utf8.DecodeLastRuneInString(b.text[:at])
		if unicode.IsSpace(r) {
			break
		}
		at -= n
	}
	return at
}

func (b *buffer) lineStart() int { return strings.LastIndexByte(b.text[:b.at], '\n') + 1 }

func (b *buffer) lineEnd() int {
	if i := strings.IndexByte(b.text[b.at:], '\n'); i >= 0 {
		return b.at + i
	}
	return len(b.text)
}

// kill cuts [from, to). Cuts in a row gather, so that yank gives all of it back.
func (b *buffer) kill(from, to int) {
	if from == to {
		return
	}
	piece := b.text[from:to]
	switch {
	case b.last != killed:
		b.cut = piece
	case to == b.at:
		b.cut = piece + b.cut
	default:
		b.cut += piece
	}
	b.change(from, to, "", killed)
}

func (b *buffer) erase(from, to int) {
	if from != to {
		b.change(from, to, "", erased)
	}
}

// transpose swaps the two graphemes around the cursor, at the end of a line
// those before it.
func (b *buffer) transpose() {
	if b.at == b.lineEnd() && b.at > b.lineStart() {
		b.at = b.left()
	}
	if b.at == b.lineStart() || b.at == b.lineEnd() {
		return
	}
	from, mid, to := b.left(), b.at, b.right()
	b.change(from, to, b.text[mid:to]+b.text[from:mid], other)
}
