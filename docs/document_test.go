package docs_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// document is a page, cut into what the test runs and the text between.
// The parts, written one after the other, are the file again.
type document struct{ parts []*part }

// part is a fenced block, a row of the table of what is refused, or a line of prose.
type part struct {
	kind string // of a block the word behind the fence, or refused, or "" for prose
	arg  string // NAME of a file block; fails or setup of commands; what is refused
	text string // the content; of a refusal its example
	want string // of a refusal the message
	line int
}

// kinds are the blocks that mean something here; all others are prose.
var kinds = []string{"file", "rql", "rql-later", "sh", "csv", "text", "error"}

// refused marks a row of the table in the section of that name.
const (
	refused        = "refused"
	refusedSection = "## Not yet"
	fence          = "```"
)

func readDocument(path string) (*document, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &document{}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	section := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "## ") {
			section = line
		}
		p := &part{text: line, line: i + 1}
		d.parts = append(d.parts, p)
		if info, ok := strings.CutPrefix(line, fence); ok {
			end := slices.Index(lines[i+1:], fence)
			if end < 0 {
				return nil, fmt.Errorf("%s:%d: a block that is never closed", path, i+1)
			}
			body := lines[i+1 : i+1+end]
			i += end + 1
			word, arg, _ := strings.Cut(info, " ")
			if slices.Contains(kinds, word) {
				p.kind, p.arg, p.text = word, arg, join(body)
			} else {
				p.text = strings.Join(lines[p.line-1:i+1], "\n")
			}
			continue
		}
		if section == refusedSection && strings.HasPrefix(line, "| ") && strings.Contains(line, "`") {
			if err := p.refusal(line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		}
	}
	return d, nil
}

// refusal reads a row: | what | `example` | message |.
func (p *part) refusal(line string) error {
	cells := strings.Split(strings.Trim(line, "| "), " | ")
	if len(cells) != 3 {
		return fmt.Errorf("a row of %d cells, not 3", len(cells))
	}
	p.kind, p.arg, p.text, p.want = refused, cells[0], strings.Trim(cells[1], "`"), cells[2]
	return nil
}

// answer returns the block with the output of the example at i: the next block,
// if nothing but blank lines is in between.
func (d *document) answer(i int) *part {
	for _, p := range d.parts[i+1:] {
		switch {
		case p.kind == "csv", p.kind == "text", p.kind == "error":
			return p
		case p.kind != "" || strings.TrimSpace(p.text) != "":
			return nil
		}
	}
	return nil
}

func (d *document) write(path string) error {
	var sb strings.Builder
	for _, p := range d.parts {
		switch p.kind {
		case "":
			sb.WriteString(p.text + "\n")
		case refused:
			fmt.Fprintf(&sb, "| %s | `%s` | %s |\n", p.arg, p.text, p.want)
		default:
			fmt.Fprintf(&sb, "%s\n%s%s\n", strings.TrimSpace(fence+p.kind+" "+p.arg), p.text, fence)
		}
	}
	return os.WriteFile(path, []byte(sb.String()), 0o644)
}

// hole stands in an output for what differs from run to run; alone on a line
// for any lines.
const hole = "…"

// same compares an output with the one wanted.
func same(got, want string) bool {
	if got == want || !strings.Contains(want, hole) {
		return got == want
	}
	pieces := strings.Split(want, hole)
	if !strings.HasPrefix(got, pieces[0]) {
		return false
	}
	got = got[len(pieces[0]):]
	for i, piece := range pieces[1:] {
		at := strings.Index(got, piece)
		if i == len(pieces)-2 {
			return strings.HasSuffix(got, piece)
		}
		if at < 0 {
			return false
		}
		got = got[at+len(piece):]
	}
	return true
}

func join(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
