package manual

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// TestAgainstGoldmark reads every page twice: as the program does, and with a library that knows all of
// Markdown. Where they differ, or the library finds what the program does not know, the page has to say it
// otherwise or the reader in blocks.go has to learn it.
func TestAgainstGoldmark(t *testing.T) {
	texts := map[string]string{
		"code": "```\nopen\n\n", "code 2": "    a\n\n      b\n\n\ntext\n    goes on", "code 3": "text\n```sh\n\n a\n```\ntext", "none": "", "blank": "\n \n",
		"spans":  "`a` `` b`c `` ``` ` `` ` ``` `no ``end` `` ` `` a`` `x\ny`",
		"stars":  "2 * 3 * 4, **a** *b*, *c `d*` e* `f` **g `h`** **`count(*)` i \\* j**, **no end",
		"escape": "\\`a\\` \\*b\\* \\[c](d) \\\\ \\e \\",
		"links":  "[a](b) [c] (d) [e [f](g) [h](i [`j]` *k* \\] l](m) [n]",
		"breaks": "a<br>b < c <b",
		"lists":  "- a\n  b\n- `c`\n\ntext\n- d\n\n3. e\n4. f\n   g\n# h\n- i",
		"heads":  "#no\n# a `b`\ntext\n## **c** d\n####### no",
		"tables": "|a|b|\n|-|---|\n|`c \\| d`| e \\| f |\n| <br> | |\n| | |\n\nno | table\ntext\n\ng | h\n-|-\ni | j\n# k",
		"notes":  "<!-- a\n# b -->\ntext\n<!-- c -->\n- d",
	}
	for _, topic := range Topics() {
		texts[topic.Name] = topic.text
	}
	for name, page := range texts {
		for _, color := range []bool{false, true} {
			want := known{t: t, page: name, src: []byte(page), reader: reader{quote: !color}}
			want.document()
			wants, gots := dump(want.blocks), dump(read(page, color))
			for i := range max(len(wants), len(gots)) {
				if i >= len(wants) || i >= len(gots) || wants[i] != gots[i] {
					t.Errorf("%s: block %d is read as %v, and by goldmark as %v", name, i, gots[i:min(i+1, len(gots))], wants[i:min(i+1, len(wants))])
					break
				}
			}
		}
	}
}

// dump writes blocks down for comparison. Where text of one style is cut into spans does not matter.
func dump(blocks []block) []string {
	show := func(list []span) string {
		s, last := "", style(0)
		for _, sp := range list {
			if sp.style != last {
				s += fmt.Sprintf("{%d}", sp.style)
				last = sp.style
			}
			s += sp.text
		}
		return s
	}
	var list []string
	for _, b := range blocks {
		s := fmt.Sprintf("%d %d %q %q %q %d", b.kind, b.level, show(b.text), b.info, b.lines, b.first)
		for _, item := range b.items {
			s += fmt.Sprintf(" - %q", show(item))
		}
		for _, row := range b.rows {
			s += " |"
			for i, cell := range row {
				if i < len(b.rows[0]) {
					s += fmt.Sprintf(" %q |", show(cell))
				}
			}
			s += strings.Repeat(` "" |`, max(len(b.rows[0])-len(row), 0))
		}
		list = append(list, s)
	}
	return list
}

// known turns what goldmark reads into what we know.
type known struct {
	reader
	t    *testing.T
	page string
	src  []byte
}

func (k *known) unknown(n ast.Node) {
	k.t.Errorf("%s: goldmark finds a %s, which the program cannot read", k.page, n.Kind())
}

func (k *known) document() {
	doc := parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(parser.DefaultInlineParsers()...),
		parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	).Parse(text.NewReader(k.src))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			k.add(block{kind: headingBlock, level: n.Level, text: k.spans(n, bold)})
		case *ast.Paragraph:
			k.add(block{text: k.spans(n, 0)})
		case *ast.FencedCodeBlock:
			b := block{kind: codeBlock, lines: k.lines(n)}
			if n.Info != nil {
				b.info = string(n.Info.Value(k.src))
			}
			k.add(b)
		case *ast.CodeBlock:
			k.add(block{kind: codeBlock, lines: k.lines(n)})
		case *ast.List:
			b := block{kind: listBlock, first: n.Start}
			for item := n.FirstChild(); item != nil; item = item.NextSibling() {
				if item.ChildCount() != 1 || item.FirstChild().Kind() != ast.KindTextBlock {
					k.unknown(item.LastChild())
				}
				b.items = append(b.items, k.spans(item.FirstChild(), 0))
			}
			k.add(b)
		case *extast.Table:
			b := block{kind: tableBlock}
			for row := n.FirstChild(); row != nil; row = row.NextSibling() {
				s := style(0)
				if row.Kind() == extast.KindTableHeader {
					s = bold
				}
				var cells [][]span
				for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
					cells = append(cells, k.spans(cell, s))
				}
				b.rows = append(b.rows, cells)
			}
			k.add(b)
		case *ast.HTMLBlock: // a comment
			if !strings.HasPrefix(k.lines(n)[0], "<!--") {
				k.unknown(n)
			}
		default:
			k.unknown(n)
		}
	}
}

func (k *known) lines(n ast.Node) []string {
	var list []string
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		list = append(list, strings.TrimRight(string(line.Value(k.src)), "\n"))
	}
	return list
}

func (k *known) spans(n ast.Node, s style) []span {
	var list []span
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			list = append(list, span{string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(c.Segment.Value(k.src))))), s})
			if c.HardLineBreak() {
				k.unknown(c)
			} else if c.SoftLineBreak() {
				list = append(list, span{" ", s})
			}
		case *ast.CodeSpan:
			list = append(list, k.code(strings.ReplaceAll(k.raw(c), "\n", " "), s))
		case *ast.Emphasis:
			bit := italic
			if c.Level > 1 {
				bit = bold
			}
			list = append(list, k.spans(c, s|bit)...)
		case *ast.Link:
			list = append(list, k.spans(c, s)...)
		case *ast.RawHTML:
			tag := c.Segments.At(0)
			if string(tag.Value(k.src)) != "<br>" {
				k.unknown(c)
			}
			list = append(list, span{"\n", 0})
		default:
			k.unknown(c)
		}
	}
	return list
}

// raw is the text of a code span.
func (k *known) raw(n *ast.CodeSpan) string {
	s := ""
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		s += string(c.(*ast.Text).Segment.Value(k.src))
	}
	return s
}
