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

// Text writes lines cut to so many columns of a terminal, with … at the end of
// those that are longer; with 0 as they are. The error is that of w.
func Text(w io.Writer, text string, columns int) error {
	if columns <= 0 {
		_, err := io.WriteString(w, text)
		return err
	}
	var sb strings.Builder
	for line := range strings.Lines(text) {
		bare, ended := strings.CutSuffix(line, "\n")
		bare, _ = shorten(bare, columns)
		sb.WriteString(bare)
		if ended {
			sb.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, sb.String())
	return err
}
