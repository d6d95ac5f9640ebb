package render

import (
	"slices"

	"github.com/rainsql/rainsql/expr/types"
)

// leastWidth is what names and text are not cut below.
const leastWidth = 12

// column is what a layout must know of a column, in columns of the terminal.
type column struct {
	head    int  // of its name and type
	cells   int  // of its widest value
	cutable bool // values may be cut: half a number would be another number
}

// natural is the width at which nothing of it is cut.
func (c column) natural() int { return max(1, c.head, c.cells) }

// least is the width below which it is left out rather than cut.
func (c column) least() int {
	if c.cutable {
		return min(c.natural(), leastWidth)
	}
	return max(1, c.cells, min(c.head, leastWidth))
}

// cutable reports whether the values of a type may be cut.
func cutable(t types.Type) bool {
	switch t.Kind {
	case types.String, types.Bytes, types.List, types.Struct:
		return true
	}
	return false
}

// layout is which columns a table shows and how wide.
type layout struct {
	shown  []int // columns; -1 stands for those left out
	widths []int // of shown
}

// whole reports that no column is left out.
func (l layout) whole() bool { return !slices.Contains(l.shown, -1) }

// frame is what a line has beside its cells: bars and a space at either side.
func frame(columns int) int { return 3*columns + 1 }

// arrange fits columns to a line; room 0 is without bound.
func arrange(cols []column, room int) layout {
	all := layout{shown: make([]int, len(cols)), widths: make([]int, len(cols))}
	total := frame(len(cols))
	least := total
	for i, c := range cols {
		all.shown[i], all.widths[i] = i, c.natural()
		total += c.natural()
		least += c.least()
	}
	switch {
	case room <= 0 || total <= room:
		return all
	case least > room && len(cols) > 1:
		return some(cols, room)
	}
	all.widths = share(cols, room-frame(len(cols)))
	return all
}

// some leaves out columns in the middle.
func some(cols []column, room int) layout {
	left := room - frame(1) - 1 - 3 // the mark, and the frame of its column
	var front, back []int
	next := [2]int{0, len(cols) - 1}
	for side, stuck := 0, 0; stuck < 2 && next[0] <= next[1]; side = 1 - side {
		c := next[side]
		need := cols[c].least() + 3
		if c == 0 {
			need -= 3 // counted with the frame
		}
		if need > left && len(front) > 0 {
			stuck++
			continue
		}
		left -= need
		stuck = 0
		if side == 0 {
			front = append(front, c)
			next[0]++
		} else {
			back = append(back, c)
			next[1]--
		}
	}
	slices.Reverse(back)
	shown := slices.Concat(front, []int{-1}, back)
	kept := make([]column, len(shown))
	for i, c := range shown {
		if kept[i] = (column{head: 1}); c >= 0 {
			kept[i] = cols[c]
		}
	}
	return layout{shown: shown, widths: share(kept, room-frame(len(shown)))}
}

// share gives columns their widths: as much as they want up to a common bound,
// the highest at which the sum is at most room, and never below the least.
func share(cols []column, room int) []int {
	widths := make([]int, len(cols))
	at := func(bound int) (sum int) {
		for i, c := range cols {
			widths[i] = max(c.least(), min(c.natural(), bound))
			sum += widths[i]
		}
		return sum
	}
	low, high := 0, max(room, 0)
	for low < high {
		if mid := (low + high + 1) / 2; at(mid) <= room {
			low = mid
		} else {
			high = mid - 1
		}
	}
	rest := room - at(low)
	for i, c := range cols { // what a higher bound would have given too many
		if rest > 0 && widths[i] == low && c.natural() > low {
			widths[i]++
			rest--
		}
	}
	if rest < 0 && len(cols) > 0 { // a single column of a very narrow terminal
		widths[0] = max(1, widths[0]+rest)
	}
	return widths
}
