//go:build unix

package main

import (
	"fmt"
	"html"
	"strings"

	"github.com/hinshun/vt10x"
)

// Sizes of a picture, in its units.
const (
	cellWidth  = 8.4
	cellHeight = 18
	fontSize   = 14
	margin     = 16
	bar        = 30 // of the window's title
)

// The colours of a picture: the ground, text, what is faint, and the sixteen of ANSI.
const (
	ground = "#1b1f27"
	frame  = "#2a303b"
	plain  = "#d7dae0"
	faint  = "#6b7385"
)

var palette = [16]string{
	"#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
	"#6b7385", "#ef8891", "#b1d796", "#efd08f", "#82c2f7", "#d694ea", "#74cdd8", "#ffffff",
}

// Bits of vt10x.Glyph.Mode.
const (
	reversed   = 1 << 0
	underlined = 1 << 1
	emboldened = 1 << 2
)

// svg draws the lines of a screen that hold something as a window.
func svg(title string, screen vt10x.Terminal) string {
	screen.Lock()
	defer screen.Unlock()
	columns, lines := screen.Size()
	rows := make([][]vt10x.Glyph, lines)
	for y := range rows {
		rows[y] = make([]vt10x.Glyph, columns)
		for x := range rows[y] {
			rows[y][x] = screen.Cell(x, y)
		}
	}
	for len(rows) > 0 && blank(rows[len(rows)-1]) {
		rows = rows[:len(rows)-1]
	}
	width := float64(columns)*cellWidth + 2*margin
	height := float64(len(rows)*cellHeight + 2*margin + bar)
	var sb strings.Builder
	fmt.Fprintf(&sb, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d">`+"\n", width, height, width, fontSize)
	fmt.Fprintf(&sb, "<title>%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&sb, `<rect width="%.0f" height="%.0f" rx="8" fill="%s"/>`+"\n", width, height, ground)
	fmt.Fprintf(&sb, `<path d="M0 %d V8 a8 8 0 0 1 8 -8 H%.0f a8 8 0 0 1 8 8 V%d Z" fill="%s"/>`+"\n", bar, width-8, bar, frame)
	for i, colour := range []string{palette[1], palette[3], palette[2]} {
		fmt.Fprintf(&sb, `<circle cx="%d" cy="%d" r="5" fill="%s"/>`+"\n", margin+5+i*18, bar/2, colour)
	}
	for y, row := range rows {
		top := float64(bar + margin + y*cellHeight)
		for x := 0; x < len(row); {
			n := 1
			for x+n < len(row) && look(row[x+n]) == look(row[x]) {
				n++
			}
			run(&sb, row[x:x+n], float64(margin)+float64(x)*cellWidth, top)
			x += n
		}
	}
	sb.WriteString("</svg>\n")
	return sb.String()
}

func blank(row []vt10x.Glyph) bool {
	for _, g := range row {
		if char(g) != ' ' || g.BG != vt10x.DefaultBG {
			return false
		}
	}
	return true
}

func char(g vt10x.Glyph) rune {
	if g.Char == 0 {
		return ' '
	}
	return g.Char
}

// style is what cells of one piece of text have in common.
type style struct {
	text, back       string
	bold, underlined bool
}

// look is how a cell looks. Lines of boxes and trees are faint, for the
// emulator does not keep that a program made them so, and bars have a colour.
func look(g vt10x.Glyph) style {
	s := style{text: colour(g.FG, plain), back: colour(g.BG, ""), bold: g.Mode&emboldened != 0, underlined: g.Mode&underlined != 0}
	if g.Mode&reversed != 0 && s.back == "" {
		s.text, s.back = ground, plain
	}
	if r := char(g); g.FG == vt10x.DefaultFG {
		switch {
		case r >= '─' && r <= '╿', r == '░':
			s.text, s.bold = faint, false
		case r >= '▁' && r <= '▏':
			s.text = palette[4]
		}
	}
	return s
}

// colour is one of the palette, of the 256 of xterm, or of all.
func colour(c vt10x.Color, otherwise string) string {
	switch {
	case c == vt10x.DefaultFG || c == vt10x.DefaultBG:
		return otherwise
	case c < 16:
		return palette[c]
	case c >= 232 && c < 256:
		v := 8 + 10*(c-232)
		return fmt.Sprintf("#%02x%02x%02x", v, v, v)
	case c < 232:
		step := func(n vt10x.Color) vt10x.Color {
			if n == 0 {
				return 0
			}
			return 55 + 40*n
		}
		c -= 16
		return fmt.Sprintf("#%02x%02x%02x", step(c/36), step(c/6%6), step(c%6))
	}
	return fmt.Sprintf("#%06x", uint32(c)&0xffffff)
}

// run draws cells of one look, stretched to the grid whatever the font.
func run(sb *strings.Builder, cells []vt10x.Glyph, x, top float64) {
	s := look(cells[0])
	width := float64(len(cells)) * cellWidth
	if s.back != "" {
		fmt.Fprintf(sb, `<rect x="%.1f" y="%.0f" width="%.1f" height="%d" fill="%s"/>`+"\n", x, top, width, cellHeight, s.back)
	}
	var text strings.Builder
	for _, g := range cells {
		text.WriteRune(char(g))
	}
	words := strings.TrimRight(text.String(), " ")
	lead := len(words) - len(strings.TrimLeft(words, " "))
	words = words[lead:]
	if words == "" {
		return
	}
	attributes := ""
	if s.bold {
		attributes += ` font-weight="bold"`
	}
	if s.underlined {
		attributes += ` text-decoration="underline"`
	}
	fmt.Fprintf(sb, `<text x="%.1f" y="%.1f" fill="%s" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>`+"\n",
		x+float64(lead)*cellWidth, top+13.5, s.text, float64(len([]rune(words)))*cellWidth, attributes, html.EscapeString(words))
}
