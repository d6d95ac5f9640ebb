package analyze

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
)

// Respell looks again at errors of the grammar in a broken statement: where the
// text at one of them is the name of a column that needs quotes, such as order
// date, it says so instead. It changes the diagnostics.
func (a *Analyzer) Respell(st *ast.Statement, diags []*parser.Diagnostic) {
	pipe, ok := st.Body.(*ast.Pipeline)
	if !ok || pipe == nil {
		return
	}
	for _, d := range diags {
		at := d.Start.Offset
		if at < st.Pos.Offset || at > st.EndPos.Offset {
			continue
		}
		for _, e := range a.scopeAt(pipe, at).visible() {
			from, ok := spelledAt(a.src, at, e.name)
			if !ok {
				continue
			}
			d.Start.Column -= utf8.RuneCountInString(a.src[from:at])
			d.Start.Offset = from
			d.End = d.Start
			d.End.Offset += len(e.name)
			d.End.Column += utf8.RuneCountInString(e.name)
			d.Msg, d.Hint = "this name needs double quotes", respelled(e.name)
			break
		}
	}
}

// respell is the hint about a name that is the beginning of one that needs quotes,
// such as order-id, or "".
func (a *Analyzer) respell(n ast.Node, s *scope) string {
	start, _ := n.Extent()
	for _, e := range s.visible() {
		if _, ok := spelledAt(a.src, start.Offset, e.name); ok {
			return respelled(e.name)
		}
	}
	return ""
}

// scopeAt is what the verbs of a pipeline that end before an offset make, or an
// empty scope where they have errors.
func (a *Analyzer) scopeAt(pipe *ast.Pipeline, offset int) *scope {
	before := &ast.Pipeline{Span: pipe.Span, From: pipe.From}
	for _, v := range pipe.Verbs {
		if _, end := v.Extent(); end.Offset >= offset {
			break
		}
		before.Verbs = append(before.Verbs, v)
	}
	a.inLet++ // whatever is wrong has been or will be reported elsewhere
	defer func() { a.inLet-- }()
	for range 2 {
		if before.From == nil && len(before.Verbs) == 0 {
			break
		}
		t := a.pipeline(before)
		if t != nil && !t.scope.poison && !slices.ContainsFunc(t.scope.entries, func(e entry) bool { return e.poison }) {
			return t.scope
		}
		// The verb before may be the one that the name cut short.
		before.Verbs = before.Verbs[:max(len(before.Verbs)-1, 0)]
	}
	return &scope{}
}

// spelledAt reports whether the byte at an offset of src is part of the name, written
// without quotes, and where it begins. The name is one that needs quotes.
func spelledAt(src string, at int, name string) (from int, ok bool) {
	plain := !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if plain || name == "" {
		return 0, false
	}
	for from = max(at-len(name)+1, 0); from <= at && from+len(name) <= len(src); from++ {
		if strings.EqualFold(src[from:from+len(name)], name) && !joins(src, from) && !joins(src, from+len(name)) {
			return from, true
		}
	}
	return 0, false
}

// joins reports that what stands before and behind an offset is one word, or in quotes.
func joins(src string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(src[:at])
	behind, _ := utf8.DecodeRuneInString(src[at:])
	return inWord(before) && inWord(behind) || strings.ContainsRune("\"`'", before) || strings.ContainsRune("\"`'", behind)
}

func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func respelled(name string) string {
	return fmt.Sprintf(`did you mean "%s"?`, strings.ReplaceAll(name, `"`, `""`))
}
