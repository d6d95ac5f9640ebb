package parser

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
)

// Diagnostic is one error in a text: where, what is wrong, what to do.
type Diagnostic struct {
	Start, End lexer.Position // the words at fault, [Start, End)
	Msg        string
	Hint       string // what to do; may be empty
}

// Error is "file:line:column: message", without the source line.
func (d *Diagnostic) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", d.Start.Filename, d.Start.Line, d.Start.Column, d.Msg)
}

func diagAt(start, end lexer.Position, msg, hint string) *Diagnostic {
	return &Diagnostic{Start: start, End: end, Msg: msg, Hint: hint}
}

// At makes a diagnostic about a node.
func At(n ast.Node, hint, format string, args ...any) *Diagnostic {
	start, end := n.Extent()
	return diagAt(start, end, fmt.Sprintf(format, args...), hint)
}

// Diagnostics is every error of one text, in the order of the text. As an error
// it prints all of them with source lines and carets.
type Diagnostics struct {
	Source string
	List   []*Diagnostic
}

// maxErrors is how many errors are shown; who reads the fiftieth has the wrong file.
const maxErrors = 50

// Error renders the diagnostics, the first fifty of them.
func (d *Diagnostics) Error() string {
	list := slices.Clone(d.List)
	slices.SortStableFunc(list, func(a, b *Diagnostic) int { return cmp.Compare(a.Start.Offset, b.Start.Offset) })
	var sb strings.Builder
	for i, one := range list[:min(len(list), maxErrors)] {
		if i > 0 {
			sb.WriteByte('\n')
		}
		one.render(&sb, d.Source)
	}
	if more := len(list) - maxErrors; more > 0 {
		fmt.Fprintf(&sb, "\nand %d more errors", more)
	}
	return sb.String()
}

// Err returns d, or nil when it is empty.
func (d *Diagnostics) Err() error {
	if len(d.List) == 0 {
		return nil
	}
	return d
}

// maxWidth is how long a source line is shown at most, with its number, in
// runes: carets below a line that a terminal has broken point at nothing.
const maxWidth = 79

// render writes the message, the source line and the caret range under the words at fault.
func (d *Diagnostic) render(sb *strings.Builder, src string) {
	sb.WriteString(d.Error())
	if d.Start.Offset > len(src) {
		return
	}
	from := strings.LastIndexByte(src[:d.Start.Offset], '\n') + 1
	line := src[from:]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	line = strings.TrimRight(line, "\r \t")
	at := min(d.Start.Offset-from, len(line))
	end := at + len(strings.TrimRight(clampRange(src, d.Start.Offset, d.End.Offset, from+len(line)), " \t\r\n"))
	before, marked, behind := line[:at], line[at:end], line[end:]
	number := fmt.Sprintf("%3d", d.Start.Line)
	before, marked, behind = window(before, marked, behind, maxWidth-len(number)-len(" | "))
	fmt.Fprintf(sb, "\n%s | %s%s%s\n", number, printable(before), printable(marked), printable(behind))
	carets := strings.Repeat("^", max(1, utf8.RuneCountInString(printable(marked))))
	fmt.Fprintf(sb, "%s | %s%s", strings.Repeat(" ", len(number)), blanks(before), carets)
	if d.Hint != "" {
		sb.WriteString(" " + d.Hint)
	}
}

func clampRange(src string, start, end, limit int) string {
	end = min(max(start, end), limit, len(src))
	if start >= end {
		return ""
	}
	return src[start:end]
}

// window cuts a long line to what surrounds the fault, in so many runes.
func window(before, marked, behind string, room int) (string, string, string) {
	b, m, e := []rune(before), []rune(marked), []rune(behind)
	if len(b)+len(m)+len(e) <= room {
		return before, marked, behind
	}
	if most := room * 2 / 3; len(m) > most {
		m = append(m[:most-1], '…')
		e = nil
	}
	left := min(len(b), max((room-len(m))/2, room-len(m)-len(e)))
	right := min(len(e), room-len(m)-left)
	if left < len(b) {
		b = append([]rune{'…'}, b[len(b)-left+1:]...)
	}
	if right < len(e) {
		e = append(e[:right-1], '…')
	}
	return string(b), string(m), string(e)
}

// printable shows what a terminal would act on as a mark instead.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '·'
		}
		return r
	}, s)
}

func blanks(s string) string { return strings.Repeat(" ", utf8.RuneCountInString(s)) }
