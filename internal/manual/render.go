package manual

import (
	"io"
	"strconv"
	"strings"
)

// narrowest is the width below which text is no longer fitted.
const narrowest = 30

// Render writes a topic for a terminal of that many columns, with the colours
// of ANSI if wanted: headings, paragraphs filled to the width, code indented,
// tables in columns, links as their text. The error is that of w.
func Render(w io.Writer, t Topic, width int, color bool) error {
	return markdown(w, t.text, width, color)
}

// markdown writes a page as Render does a topic.
func markdown(w io.Writer, page string, width int, color bool) error {
	p := &printer{width: max(width, narrowest), color: color}
	for i, b := range read(page, color) {
		if i > 0 {
			p.w.WriteByte('\n')
		}
		p.block(b)
	}
	_, err := io.WriteString(w, p.w.String())
	return err
}

// printer writes blocks one under the other.
type printer struct {
	w     strings.Builder
	width int
	color bool
}

func (p *printer) block(b block) {
	switch b.kind {
	case headingBlock:
		p.heading(b)
	case codeBlock:
		p.code(b)
	case listBlock:
		p.list(b)
	case tableBlock:
		p.table(b.rows)
	default:
		p.text(b.text, "")
	}
}

// heading is bold, or without colours underlined.
func (p *printer) heading(b block) {
	p.text(b.text, "")
	if !p.color {
		line := "─"
		if b.level == 1 {
			line = "═"
		}
		p.put("", []span{{strings.Repeat(line, min(length(b.text), p.width)), 0}})
	}
}

// codeIndent sets code off from text.
const codeIndent = "    "

// code writes the lines of a block as they are; one that is too long goes on
// below, further in. What a program answered is faint, what one types is not.
func (p *printer) code(b block) {
	var s style
	kind, name, _ := strings.Cut(b.info, " ")
	switch kind {
	case "csv", "text", "error", "file":
		s = faint
	}
	if kind == "file" {
		p.put(codeIndent, []span{{name + ":", bold}})
	}
	for _, line := range b.lines {
		for j, part := range breakLine(line, p.width-len(codeIndent)) {
			if j > 0 {
				part = "  " + part
			}
			p.put(codeIndent, []span{{part, s}})
		}
	}
}

// list writes its items behind bullets or numbers.
func (p *printer) list(b block) {
	for i, text := range b.items {
		bullet := "- "
		if b.first > 0 {
			bullet = strconv.Itoa(b.first+i) + ". "
		}
		p.text(text, bullet)
	}
}

// text fills text to the width, the first line behind a bullet and the others below its text.
func (p *printer) text(spans []span, bullet string) {
	indent := bullet
	for _, line := range fill(spans, p.width-len(bullet)) {
		p.put(indent, line)
		indent = strings.Repeat(" ", len(bullet))
	}
}

// put writes one line.
func (p *printer) put(indent string, line []span) {
	if length(line) > 0 {
		p.w.WriteString(indent)
	}
	p.spans(line)
	p.w.WriteByte('\n')
}
