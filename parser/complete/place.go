package complete

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// place is the word, name or string at the cursor.
type place struct {
	from, to int  // the bytes of it; to is behind the cursor where the word goes on there
	inner    int  // where its text begins, behind a quote
	quote    byte // see Want.Quote
}

// placeAt finds what is being typed at the cursor; ok is false where nothing can
// be completed: in a comment, in a number, behind a closing quote.
func placeAt(text string, cursor int) (p place, ok bool) {
	p = place{from: cursor, to: cursor, inner: cursor}
	head := text[:cursor]
	toks, errs := lex.Tokens("", head)
	if n := len(errs); n > 0 {
		if e := errs[n-1]; e.End.Offset == cursor || strings.HasPrefix(head[e.Start.Offset:], "/*") {
			return wrongAt(text, cursor, e)
		}
	}
	toks = toks[:len(toks)-1] // EOF
	if len(toks) == 0 {
		return p, true
	}
	t := toks[len(toks)-1]
	if t.Pos.Offset+len(t.Value) != cursor {
		return p, true
	}
	switch t.Type {
	case lex.Op:
		return p, true
	case lex.Comment:
		// A comment of a line goes on until the line ends; the other kind is closed.
		return p, !strings.HasPrefix(t.Value, "--")
	case lex.String, lex.Quoted, lex.Number, lex.Unit:
		return place{}, false
	case lex.Param:
		p.from, p.inner, p.quote = t.Pos.Offset, t.Pos.Offset+1, '$'
	default:
		p.from, p.inner = t.Pos.Offset, t.Pos.Offset
	}
	p.to = wordEnd(text, cursor)
	return p, true
}

// wrongAt is placeAt for what is no token, or none yet.
func wrongAt(text string, cursor int, e *lex.Error) (place, bool) {
	p := place{from: e.Start.Offset, inner: e.Start.Offset, to: cursor}
	switch e.Stands {
	case lex.String, lex.Quoted:
		q := text[p.from]
		if q >= utf8.RuneSelf || strings.HasPrefix(text[p.from+1:cursor], string(q)) {
			return place{}, false // typographic quotes; an empty name
		}
		p.inner, p.quote = p.from+1, q
		p.to = closing(text, cursor, q)
	case lex.Param:
		if text[p.from] != '$' {
			return place{}, false
		}
		p.inner, p.quote = p.from+1, '$'
		p.to = wordEnd(text, cursor)
	case lex.Ident: // letters that need quotes
		p.to = wordEnd(text, cursor)
	default:
		return place{}, false
	}
	return p, true
}

// wordEnd is where the word ends that the cursor is in.
func wordEnd(text string, cursor int) int {
	for i, r := range text[cursor:] {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return cursor + i
		}
	}
	return len(text)
}

// closing is the end of the quoted text that the cursor is in. A quote further
// on closes it if no blank is in between; otherwise it more likely opens another.
func closing(text string, cursor int, q byte) int {
	n := strings.IndexFunc(text[cursor:], func(r rune) bool { return r == rune(q) || unicode.IsSpace(r) })
	if n >= 0 && text[cursor+n] == q {
		return cursor + n + 1
	}
	return cursor
}

// barePath finds a path that is typed without a quote: it is offered with them.
func barePath(head string) (from int, ok bool) {
	from = strings.LastIndexAny(head, " \t\r\n(,;") + 1
	for _, p := range []string{"./", "../", "~/", "/"} {
		if strings.HasPrefix(head[from:], p) && !strings.HasPrefix(head[from:], "/*") && !strings.ContainsAny(head[from:], "'\"`") {
			return from, true
		}
	}
	return 0, false
}

// wordOf is the word that a token is, upper case, or "".
func wordOf(t lexer.Token) string {
	if t.Type == lex.Ident {
		return strings.ToUpper(t.Value)
	}
	return lex.WordOf(t)
}
