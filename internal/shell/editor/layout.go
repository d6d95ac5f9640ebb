package editor

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/clipperhouse/uax29/v2/graphemes"
)

// row is one row of the screen: a piece of a line of the text.
type row struct {
	from, to int // in the text
	first    bool
}

// layout is text cut into rows of a width, in terminal cells.
type layout struct {
	rows []row
	x, y int // of the cursor; x counts from where the text begins
}

// arrange cuts text into rows. A line that is too wide goes on in the next row;
// a cursor behind a full row stands at the start of the next one.
func arrange(text string, at, width int) layout {
	width = max(width, 1)
	var l layout
	begin := 0
	for {
		end := len(text)
		if i := strings.IndexByte(text[begin:], '\n'); i >= 0 {
			end = begin + i
		}
		l.line(text, begin, end, at, width)
		if end == len(text) {
			return l
		}
		begin = end + 1
	}
}

func (l *layout) line(text string, begin, end, at, width int) {
	from, x, first := begin, 0, true
	for it := graphemes.FromString(text[begin:end]); it.Next(); {
		w := cells(it.Value())
		pos := begin + it.Start()
		if x+w > width {
			l.rows = append(l.rows, row{from, pos, first})
			from, x, first = pos, 0, false
		}
		if pos == at {
			l.x, l.y = x, len(l.rows)
		}
		x += w
	}
	l.rows = append(l.rows, row{from, end, first})
	if at == end {
		l.x, l.y = x, len(l.rows)-1
		if x >= width {
			l.rows = append(l.rows, row{end, end, false})
			l.x, l.y = 0, len(l.rows)-1
		}
	}
}

// at is the position in the text of a place on the screen: the grapheme at or
// before column x of row y.
func (l layout) at(text string, x, y int) int {
	r := l.rows[y]
	pos, col := r.from, 0
	for it := graphemes.FromString(text[r.from:r.to]); it.Next(); {
		if col >= x {
			return pos
		}
		col += cells(it.Value())
		pos = r.from + it.End()
	}
	if y+1 < len(l.rows) && !l.rows[y+1].first && pos == r.to && r.from < r.to {
		// The end of a row that goes on is the start of the next: stay on this one.
		return r.from + lastGrapheme(text[r.from:r.to])
	}
	return pos
}

func lastGrapheme(s string) int {
	at := 0
	for it := graphemes.FromString(s); it.Next(); {
		at = it.Start()
	}
	return at
}

// tabCells is how wide a tab is shown.
const tabCells = 4

// cells is how many cells of the terminal a grapheme takes as shown shows it.
func cells(g string) int {
	if g == "\t" {
		return tabCells
	}
	return displaywidth.String(shown(g))
}

// shown is text as it may be written to a terminal: tabs as blanks, and a dot
// for what a terminal would act on.
func shown(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var sb strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			sb.WriteString(strings.Repeat(" ", tabCells))
		case control(r):
			sb.WriteRune('·')
		default:
			sb.WriteRune(r)
		}
	}
	return sb.String()
}

func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
