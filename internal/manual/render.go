package manual

import (
	"io"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// narrowest is the width below which text is no longer fitted.
const narrowest = 30

// Render writes a topic for a terminal of that many columns, with the colours
// of ANSI if wanted: headings, paragraphs filled to the width, code indented,
// tables in columns, links as their text. The error is that of w.
func Render(w io.Writer, t Topic, width int, color bool) error {
	return Markdown(w, t.text, width, color)
}

// Markdown writes any text in Markdown as Render does a topic.
//
// The text is parsed by goldmark, for Markdown has many corners (code spans in
// cells of tables, escapes); what to show is decided here, for the ready-made
// writers for terminals bring more code than all of rainsql's prompt.
func Markdown(w io.Writer, page string, width int, color bool) error {
	src := []byte(page)
	p := &printer{src: src, width: max(width, narrowest), color: color}
	p.blocks(newParser().Parse(text.NewReader(src)), "")
	_, err := io.WriteString(w, p.w.String())
	return err
}

// newParser reads Markdown with tables. goldmark.New would bring its writer of
// HTML along.
func newParser() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(parser.DefaultInlineParsers()...),
		parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
}

// printer writes blocks one under the other.
type printer struct {
	w     strings.Builder
	src   []byte
	width int
	color bool
	begun bool // something stands above
}

// blocks writes the children of n, each line behind the indent.
func (p *printer) blocks(n ast.Node, indent string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		p.block(c, indent)
	}
}

func (p *printer) block(n ast.Node, indent string) {
	switch n := n.(type) {
	case *ast.Heading:
		p.gap()
		p.heading(n, indent)
	case *ast.Paragraph:
		p.gap()
		p.lines(p.inline(n, 0), indent, indent)
	case *ast.TextBlock: // a paragraph in a tight list
		p.lines(p.inline(n, 0), indent, indent)
	case *ast.FencedCodeBlock:
		p.gap()
		info := ""
		if n.Info != nil {
			info = string(n.Info.Value(p.src))
		}
		p.code(n, info, indent)
	case *ast.CodeBlock:
		p.gap()
		p.code(n, "", indent)
	case *ast.List:
		p.gap()
		p.list(n, indent)
	case *ast.Blockquote:
		p.blocks(n, indent+"  ")
	case *extast.Table:
		p.gap()
		p.table(n, indent)
	case *ast.ThematicBreak:
		p.gap()
		p.put(indent, []span{{strings.Repeat("─", p.width-len(indent)), faint}})
	case *ast.HTMLBlock: // a comment; our pages have no other HTML
	default: // what our pages do not have is shown as it is, not lost
		p.gap()
		p.code(n, "", indent)
	}
}

// heading is bold, or without colours underlined.
func (p *printer) heading(n *ast.Heading, indent string) {
	title := p.inline(n, bold)
	p.lines(title, indent, indent)
	if !p.color {
		line := "─"
		if n.Level == 1 {
			line = "═"
		}
		p.put(indent, []span{{strings.Repeat(line, min(length(title), p.width-len(indent))), 0}})
	}
}

// gap is the empty line between blocks.
func (p *printer) gap() {
	if p.begun {
		p.w.WriteByte('\n')
	}
	p.begun = true
}

// codeIndent sets code off from text.
const codeIndent = "    "

// code writes the lines of a block as they are; one that is too long goes on
// below, further in. What a program answered is faint, what one types is not.
func (p *printer) code(n ast.Node, info, indent string) {
	var s style
	kind, name, _ := strings.Cut(info, " ")
	switch kind {
	case "csv", "text", "error", "file":
		s = faint
	}
	if kind == "file" {
		p.put(indent+codeIndent, []span{{name + ":", bold}})
	}
	lines := n.Lines()
	for i := range lines.Len() {
		segment := lines.At(i)
		line := strings.TrimRight(string(segment.Value(p.src)), "\n")
		for j, part := range breakLine(line, p.width-len(indent)-len(codeIndent)) {
			if j > 0 {
				part = "  " + part
			}
			p.put(indent+codeIndent, []span{{part, s}})
		}
	}
}

// list writes its items behind bullets or numbers.
func (p *printer) list(n *ast.List, indent string) {
	number := n.Start
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		bullet := "- "
		if n.IsOrdered() {
			bullet = strconv.Itoa(number) + ". "
			number++
		}
		hang := indent + strings.Repeat(" ", len(bullet))
		for k := c.FirstChild(); k != nil; k = k.NextSibling() {
			switch {
			case k == c.FirstChild() && (k.Kind() == ast.KindTextBlock || k.Kind() == ast.KindParagraph):
				if !n.IsTight && c != n.FirstChild() {
					p.gap()
				}
				p.lines(p.inline(k, 0), indent+bullet, hang)
			default:
				p.block(k, hang)
			}
		}
	}
}

// lines fills text to the width: the first line behind one indent, the others behind another.
func (p *printer) lines(spans []span, first, rest string) {
	for i, line := range fill(spans, p.width-runes(rest)) {
		if i == 0 {
			p.put(first, line)
		} else {
			p.put(rest, line)
		}
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
