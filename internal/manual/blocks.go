package manual

import (
	"strconv"
	"strings"
)

// blockKind is what a block is.
type blockKind uint8

const (
	textBlock blockKind = iota
	headingBlock
	codeBlock
	listBlock
	tableBlock
)

// block is a part of a page that stands by itself.
type block struct {
	kind  blockKind
	level int        // of a heading
	text  []span     // of a heading or a paragraph
	info  string     // of code: what stands behind its fence
	lines []string   // of code
	items [][]span   // of a list
	first int        // number of a list's first item; 0: it has bullets
	rows  [][][]span // of a table: rows, cells; the first row is its head
}

// reader reads Markdown, as much of it as the pages in docs use: headings, paragraphs, lists of short items,
// fenced and indented code, tables, comments; in text code spans, bold and italic type, links and <br>.
// What it does not know stays as it is written.
//
// Readers of all Markdown compile patterns and fill tables when they are loaded, which every query would
// pay for. A test holds this one to goldmark on every page.
type reader struct {
	quote  bool     // code spans between backticks: there are no colours to tell them by
	lines  []string // what is left
	blocks []block  // what was read
}

// read cuts a page into its blocks.
func read(page string, color bool) []block {
	r := &reader{quote: !color, lines: strings.Split(strings.TrimSuffix(page, "\n"), "\n")}
	for len(r.lines) > 0 {
		r.next()
	}
	return r.blocks
}

// next reads a block, or skips an empty line or a comment.
func (r *reader) next() {
	line := r.lines[0]
	level, title := headingOf(line)
	switch {
	case strings.TrimSpace(line) == "":
		r.lines = r.lines[1:]
	case level > 0:
		r.lines = r.lines[1:]
		r.add(block{kind: headingBlock, level: level, text: r.inline(title, bold)})
	case strings.HasPrefix(line, fence):
		r.fenced()
	case strings.HasPrefix(line, codeIndent):
		r.indented()
	case strings.HasPrefix(line, "<!--"):
		r.take(func(i int, _ string) bool { return i == 0 || !strings.Contains(r.lines[i-1], "-->") })
	case len(r.lines) > 1 && isRule(r.lines[1]) && len(cells(line)) == len(cells(r.lines[1])):
		r.table()
	default:
		if number, _ := item(line); number >= 0 {
			r.list()
			return
		}
		text := r.take(func(i int, line string) bool { return i == 0 || !begins(line) })
		r.add(block{text: r.inline(joined(text), 0)})
	}
}

func (r *reader) add(b block) { r.blocks = append(r.blocks, b) }

// take gives the lines before the first that does not belong to the others, and leaves them behind. The
// caller owns them.
func (r *reader) take(belongs func(i int, line string) bool) []string {
	n := 0
	for n < len(r.lines) && belongs(n, r.lines[n]) {
		n++
	}
	taken := r.lines[:n]
	r.lines = r.lines[n:]
	return taken
}

// begins reports whether a line ends the text before it.
func begins(line string) bool {
	level, _ := headingOf(line)
	number, _ := item(line)
	return strings.TrimSpace(line) == "" || level > 0 || number >= 0 || strings.HasPrefix(line, fence) || strings.HasPrefix(line, "<!--")
}

// headingOf is the level of a heading, and its text; 0 is none.
func headingOf(line string) (level int, title string) {
	hashes, title, ok := strings.Cut(line, " ")
	if !ok || hashes == "" || len(hashes) > 6 || strings.Trim(hashes, "#") != "" {
		return 0, ""
	}
	return len(hashes), strings.TrimSpace(title)
}

// fence stands before and after code.
const fence = "```"

func (r *reader) fenced() {
	info := strings.TrimSpace(strings.TrimPrefix(r.lines[0], fence))
	r.lines = r.lines[1:]
	lines := r.take(func(_ int, line string) bool { return strings.TrimSpace(line) != fence })
	if len(r.lines) > 0 {
		r.lines = r.lines[1:]
	}
	r.add(block{kind: codeBlock, info: info, lines: lines})
}

func (r *reader) indented() {
	var lines []string
	for _, line := range r.take(func(_ int, line string) bool {
		return strings.HasPrefix(line, codeIndent) || strings.TrimSpace(line) == ""
	}) {
		lines = append(lines, strings.TrimPrefix(line, codeIndent))
	}
	for strings.TrimSpace(lines[len(lines)-1]) == "" { // the first is not empty
		lines = lines[:len(lines)-1]
	}
	r.add(block{kind: codeBlock, lines: lines})
}

// item is the number before an item of a list, 0 for a bullet, and where its text begins; -1 is no item.
func item(line string) (number, at int) {
	if strings.HasPrefix(line, "- ") {
		return 0, 2
	}
	digits, _, ok := strings.Cut(line, ". ")
	if number, err := strconv.Atoi(digits); ok && err == nil && number > 0 {
		return number, len(digits) + 2
	}
	return -1, 0
}

func (r *reader) list() {
	b := block{kind: listBlock}
	b.first, _ = item(r.lines[0])
	for len(r.lines) > 0 {
		number, at := item(r.lines[0])
		if number < 0 || (number == 0) != (b.first == 0) {
			break
		}
		text := r.take(func(i int, line string) bool { return i == 0 || !begins(line) && strings.HasPrefix(line, "  ") })
		text[0] = text[0][at:]
		b.items = append(b.items, r.inline(joined(text), 0))
	}
	r.add(b)
}

// joined is the text of lines as one. They are the caller's to change.
func joined(lines []string) string {
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

// isRule reports whether a line is the second of a table: | --- | --- |
func isRule(line string) bool {
	return strings.Contains(line, "|") && strings.Contains(line, "-") && strings.Trim(line, "|- ") == ""
}

func (r *reader) table() {
	rows := r.take(func(i int, line string) bool { return i < 2 || !begins(line) })
	b := block{kind: tableBlock}
	for i, line := range rows {
		s := style(0)
		switch i {
		case 0:
			s = bold
		case 1:
			continue
		}
		var row [][]span
		for _, text := range cells(line) {
			row = append(row, r.inline(text, s))
		}
		b.rows = append(b.rows, row)
	}
	r.add(b)
}

// cells cuts a line of a table at its bars. A bar behind a backslash is one of the text, in code, too.
func cells(line string) []string {
	line = strings.TrimPrefix(strings.TrimSpace(line), "|")
	var list []string
	text := ""
	for {
		before, after, bar := strings.Cut(line, "|")
		if escaped, ok := strings.CutSuffix(before, `\`); ok && bar {
			text, line = text+escaped+"|", after
			continue
		}
		text = strings.TrimSpace(text + before)
		if !bar && text == "" { // behind the last bar
			return list
		}
		list = append(list, text)
		if !bar {
			return list
		}
		text, line = "", after
	}
}
