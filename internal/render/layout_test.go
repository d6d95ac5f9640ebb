package render

import (
	"slices"
	"testing"
)

func TestArrange(t *testing.T) {
	number := func(head, cells int) column { return column{head: head, cells: cells} }
	text := func(head, cells int) column { return column{head: head, cells: cells, cutable: true} }
	for _, tt := range []struct {
		name   string
		cols   []column
		room   int
		shown  []int
		widths []int
	}{
		{"no bound", []column{number(3, 5), text(6, 300)}, 0, []int{0, 1}, []int{5, 300}},
		{"just fits", []column{number(3, 5), text(6, 10)}, 22, []int{0, 1}, []int{5, 10}},
		// 80 - 7 for the frame - 5: the text gets the rest.
		{"text is cut", []column{number(3, 5), text(6, 300)}, 80, []int{0, 1}, []int{5, 68}},
		// 60 - 10 - 5 = 45 for two texts of 20 and 100: the narrow one keeps its width.
		{"the widest first", []column{text(1, 20), number(1, 5), text(1, 100)}, 60, []int{0, 1, 2}, []int{20, 5, 25}},
		// 60 - 10 - 5 = 45, both want more: 23 and 22.
		{"evenly", []column{text(1, 90), number(1, 5), text(1, 100)}, 60, []int{0, 1, 2}, []int{23, 5, 22}},
		{"a name longer than its numbers", []column{number(40, 5), number(3, 18)}, 40, []int{0, 1}, []int{15, 18}},
		// At least 12 each: 4*15+1 = 61 do not fit in 50. Of 50, 1 is the last bar, 4 the mark: 45 are three columns.
		{"columns left out", []column{text(1, 50), text(1, 50), text(1, 50), text(1, 50)}, 50, []int{0, 1, -1, 3}, []int{12, 12, 1, 12}},
		{"what is free is shared", []column{text(1, 50), text(1, 50), text(1, 50), text(1, 50)}, 40, []int{0, -1, 3}, []int{15, 1, 14}},
		{"one is always shown", []column{number(1, 18), number(1, 18), number(1, 18)}, 20, []int{0, -1}, []int{12, 1}},
		{"no columns", nil, 10, []int{}, []int{}},
		{"a very narrow terminal", []column{text(1, 30)}, 3, []int{0}, []int{1}},
	} {
		got := arrange(tt.cols, tt.room)
		if !slices.Equal(got.shown, tt.shown) || !slices.Equal(got.widths, tt.widths) {
			t.Errorf("%s: %v, want %v %v", tt.name, got, tt.shown, tt.widths)
		}
	}
}

// Whatever the columns, a line is no longer than the terminal is wide, unless
// that is too narrow for anything.
func TestArrangeFits(t *testing.T) {
	for room := 12; room < 120; room++ {
		for n := 1; n < 12; n++ {
			cols := make([]column, n)
			for i := range cols {
				cols[i] = column{head: 1 + (i*7+n)%13, cells: (i*i*5 + n*3 + room) % 47, cutable: i%3 != 0}
			}
			l := arrange(cols, room)
			total := frame(len(l.widths))
			for _, w := range l.widths {
				total += w
			}
			if total > room {
				t.Errorf("room %d, columns %v: %v takes %d", room, cols, l, total)
			}
		}
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
		width   int
	}{
		{"abc", 3, "abc", 3},
		{"abcd", 3, "ab…", 3},
		{"日本語", 6, "日本語", 6},
		{"日本語", 5, "日本…", 5},
		{"日本語", 4, "日…", 3},                        // half a character cannot be shown
		{"e\u0301e\u0301", 2, "e\u0301e\u0301", 2}, // combining accents take no room
		{"👩‍👩‍👧x", 2, "…", 1},
		{"👩‍👩‍👧x", 3, "👩‍👩‍👧x", 3},
		{"abc", 1, "…", 1},
		{"abc", 0, "", 0},
	} {
		got, w := shorten(tt.text, tt.columns)
		if got != tt.want || w != tt.width {
			t.Errorf("%q in %d: %q %d, want %q %d", tt.text, tt.columns, got, w, tt.want, tt.width)
		}
	}
}
