package render

import (
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Clean is text in which nothing acts on a terminal: control characters, but for
// line ends and tabs, become ·.
func Clean(text string) string {
	return replaceControls(text, func(r rune) bool { return r != '\n' && r != '\t' && control(r) })
}

// wrapIndent stands before what is left of a line that Wrap has broken.
const wrapIndent = "      "

// Wrap breaks lines longer than so many columns of a terminal between words,
// where there is a blank to break at, and sets what is left of them off; 0 is
// any number.
func Wrap(text string, columns int) string {
	if columns <= 2*len(wrapIndent) {
		return text
	}
	var sb strings.Builder
	for line := range strings.Lines(text) {
		for width(strings.TrimSuffix(line, "\n")) > columns {
			head := displaywidth.TruncateString(line, columns+1, "")
			at := strings.LastIndexByte(head, ' ')
			if strings.TrimSpace(head[:max(at, 0)]) == "" {
				break // a long word
			}
			sb.WriteString(line[:at] + "\n")
			line = wrapIndent + line[at+1:]
		}
		sb.WriteString(line)
	}
	return sb.String()
}

// leastColumn is the least room for the last column of a plan, in columns of
// the terminal; with less the line goes on below its beginning.
const leastColumn = 24

// Plan writes the lines of a plan, which are broken between words where they are
// longer than so many columns of a terminal; what is left of a line goes on below
// its operator, behind the numbers and the branches of the tree. 0 is any number
// of columns. The error is that of w.
func Plan(w io.Writer, text string, columns int) error {
	if columns > 0 {
		var sb strings.Builder
		for line := range strings.Lines(text) {
			sb.WriteString(hang(line, columns))
		}
		text = sb.String()
	}
	_, err := io.WriteString(w, text)
	return err
}

// hang breaks one line of a plan.
func hang(line string, columns int) string {
	bare, ended := strings.CutSuffix(line, "\n")
	if width(bare) <= columns {
		return line
	}
	at := operatorAt(bare)
	indent := width(bare[:at])
	if columns-indent < leastColumn {
		at, indent = 0, min(len(wrapIndent), columns/4)
	} else {
		indent += len("  ")
	}
	var sb strings.Builder
	sb.WriteString(bare[:at])
	rest, room := bare[at:], columns-width(bare[:at])
	for width(rest) > room {
		head := displaywidth.TruncateString(rest, room+1, "")
		cut := strings.LastIndexByte(head, ' ')
		if strings.TrimSpace(head[:max(cut, 0)]) == "" { // a long word
			head = displaywidth.TruncateString(rest, room, "")
			sb.WriteString(head)
			rest = rest[len(head):]
		} else {
			sb.WriteString(rest[:cut])
			rest = rest[cut+1:]
		}
		sb.WriteString("\n" + strings.Repeat(" ", indent))
		room = columns - indent
	}
	sb.WriteString(rest)
	if ended {
		sb.WriteByte('\n')
	}
	return sb.String()
}

// operatorAt is where the operator of a line begins: behind columns of numbers,
// which are two blanks apart, and the branches of a tree.
func operatorAt(line string) int {
	at := 0
	for _, mark := range []string{"  ", "─ ", "=> "} {
		if i := strings.LastIndex(line, mark); i >= 0 {
			at = max(at, i+len(mark))
		}
	}
	return at
}
