package manual

import "strings"

// between stands between the columns of a table.
const between = "  "

// table writes rows in columns, each as wide as it must be if there is room
// for that, and cells on several lines otherwise.
func (p *printer) table(rows [][][]span) {
	for _, cells := range rows {
		for _, text := range cells {
			if len(text) == 1 && text[0].style&coded != 0 {
				text[0].text = strings.Trim(text[0].text, "`") // a column of names needs no quotes
			}
		}
	}
	room := p.width - len(between)*(len(rows[0])-1)
	widths := fit(rows, room)
	loose := false // cells on several lines want air between the rows
	laid := make([][][][]span, len(rows))
	for i, cells := range rows {
		laid[i] = make([][][]span, len(widths))
		for c := range widths {
			if c < len(cells) && len(cells[c]) > 0 {
				laid[i][c] = fill(cells[c], widths[c])
			}
			loose = loose || len(laid[i][c]) > 2
		}
	}
	for i, cells := range laid {
		if i > 1 && loose {
			p.w.WriteByte('\n')
		}
		if i == 0 && empty(rows[0]) {
			continue // Markdown has no table without a head
		}
		p.row(cells, widths)
		if i == 0 {
			var rule []string
			for _, w := range widths {
				rule = append(rule, strings.Repeat("─", w))
			}
			p.put("", []span{{strings.Join(rule, between), faint}})
		}
	}
}

// empty reports whether no cell says anything.
func empty(cells [][]span) bool {
	for _, c := range cells {
		if length(c) > 0 {
			return false
		}
	}
	return true
}

// row writes the lines of its cells side by side.
func (p *printer) row(cells [][][]span, widths []int) {
	height := 1
	for _, c := range cells {
		height = max(height, len(c))
	}
	for i := range height {
		var line []span
		pad := 0
		for c, w := range widths {
			var text []span
			if i < len(cells[c]) {
				text = cells[c][i]
			}
			if len(text) > 0 { // blanks only before something
				line = append(line, span{strings.Repeat(" ", pad), 0})
				line = append(line, text...)
				pad = 0
			}
			pad += w - length(text) + len(between)
		}
		p.put("", line)
	}
}

// fit chooses the widths of columns: the longest cell of each, or where that
// is too much, less of the widest ones.
func fit(rows [][][]span, room int) []int {
	widths := make([]int, len(rows[0]))
	for _, cells := range rows {
		for c := range min(len(cells), len(widths)) {
			widths[c] = max(widths[c], longest(cells[c]), 1)
		}
	}
	room = max(room, len(widths))
	for total := sum(widths); total > room; total-- {
		widest := 0
		for c, w := range widths {
			if w > widths[widest] {
				widest = c
			}
		}
		widths[widest]--
	}
	return widths
}

// longest is how many columns the longest line of a cell takes.
func longest(cell []span) int {
	most, from := 0, 0
	for i, s := range cell {
		if s.text == "\n" {
			most, from = max(most, length(cell[from:i])), i+1
		}
	}
	return max(most, length(cell[from:]))
}

func sum(list []int) int {
	n := 0
	for _, v := range list {
		n += v
	}
	return n
}
