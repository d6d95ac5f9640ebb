package lex

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// Scanner yields the tokens of one text.
type Scanner struct {
	file  string
	src   string
	off   int
	line  int
	col   int // in runes, from 1
	words map[string]lexer.TokenType
}

// Next implements lexer.Lexer.
func (s *Scanner) Next() (lexer.Token, error) {
	t, err := s.scan()
	if err != nil {
		return t, err
	}
	return t, nil
}

func (s *Scanner) pos() lexer.Position {
	return lexer.Position{Filename: s.file, Offset: s.off, Line: s.line, Column: s.col}
}

// take moves past n bytes, keeping count of lines and columns.
func (s *Scanner) take(n int) string {
	text := s.src[s.off : s.off+n]
	s.off += n
	if k := strings.Count(text, "\n"); k > 0 {
		s.line += k
		s.col = 1 + utf8.RuneCountInString(text[strings.LastIndexByte(text, '\n')+1:])
	} else {
		s.col += utf8.RuneCountInString(text)
	}
	return text
}

func (s *Scanner) token(typ lexer.TokenType, n int) lexer.Token {
	pos := s.pos()
	return lexer.Token{Type: typ, Value: s.take(n), Pos: pos}
}

func (s *Scanner) fail(n int, msg, hint string) *Error {
	start := s.pos()
	s.take(n)
	return &Error{Start: start, End: s.pos(), Msg: msg, Hint: hint}
}

// failAs is fail for what would have been a token of type typ.
func (s *Scanner) failAs(typ lexer.TokenType, n int, msg, hint string) *Error {
	e := s.fail(n, msg, hint)
	e.Stands = typ
	return e
}

func (s *Scanner) scan() (lexer.Token, *Error) {
	rest := s.src[s.off:]
	blank := len(rest) - len(strings.TrimLeft(rest, " \t\r\n\f\v"))
	s.take(blank)
	rest = rest[blank:]
	if rest == "" {
		return lexer.EOFToken(s.pos()), nil
	}
	c := rest[0]
	switch {
	case strings.HasPrefix(rest, "--"):
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		return s.token(Comment, len(strings.TrimRight(rest[:n], "\r"))), nil
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest[2:], "*/")
		if n < 0 {
			if path := s.barePattern(); path != "" {
				return lexer.Token{}, s.fail(len(rest), "this begins a comment, which is never closed", fmt.Sprintf("the name of a file stands in single quotes: '%s'", path))
			}
			return lexer.Token{}, s.fail(len(rest), "this comment is never closed", "end it with */")
		}
		return s.token(Comment, n+4), nil
	case isLetter(c):
		n := wordLen(rest)
		if n < len(rest) && rest[n] >= utf8.RuneSelf {
			if all := lettersLen(rest); all > n {
				return lexer.Token{}, s.badName(rest[:all])
			}
		}
		return s.token(s.wordType(rest[:n]), n), nil
	case c >= '0' && c <= '9', c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return s.number(rest)
	case c == '\'':
		return s.quoted(rest, String, "string")
	case c == '"', c == '`':
		return s.quoted(rest, Quoted, "quoted name")
	case c == '$':
		if n := wordLen(rest[1:]); n > 0 {
			return s.token(Param, n+1), nil
		}
		return lexer.Token{}, s.failAs(Param, 1, "a parameter needs a name after $", "write $name and pass --param name=value")
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return s.token(Op, len(op)), nil
		}
	}
	return lexer.Token{}, s.stray(rest)
}

// operators, longest first where one begins another.
var operators = []string{
	"|>", "||", "::", "<=", ">=", "<>", "!=", "!~", "==", "//", "+", "-", "*", "/", "%", "=", "<", ">", "~",
	"(", ")", "[", "]", "{", "}", ",", ".", ";", ":", "|",
}

// stray reports a run of text that begins no token, as one error.
func (s *Scanner) stray(rest string) *Error {
	n := 0
	for n < len(rest) {
		r, w := utf8.DecodeRuneInString(rest[n:])
		if n > 0 && r < utf8.RuneSelf && r != 0 && (unicode.IsPrint(r) || unicode.IsSpace(r)) {
			break
		}
		n += w
	}
	r, w := utf8.DecodeRuneInString(rest)
	switch {
	case r == utf8.RuneError && w == 1, r < ' ':
		return s.fail(n, "bytes that are not text", "a script is UTF-8 text; is this the right file?")
	case r == '“' || r == '”' || r == '‘' || r == '’':
		line, _, _ := strings.Cut(rest, "\n")
		if end := strings.IndexAny(line[w:], "“”‘’"); end >= 0 {
			_, last := utf8.DecodeRuneInString(line[w+end:])
			return s.failAs(String, w+end+last, "typographic quotes", "write 'text' or \"name\" with plain quotes")
		}
		return s.fail(w, "a typographic quote", "write 'text' or \"name\" with plain quotes")
	case r == '!':
		return s.fail(1, `unexpected "!"`, "write NOT, or != between values")
	case unicode.IsLetter(r):
		return s.badName(rest[:lettersLen(rest)])
	case strings.HasPrefix(rest, "@{"):
		return s.fail(min(1+strings.IndexByte(rest+"}", '}'), len(rest)), "RQL has no hints in @{…}", "leave them out; SET sets parallelism and limits")
	case r == '@' && len(rest) > 1 && isLetter(rest[1]):
		return s.failAs(Param, 1+wordLen(rest[1:]), `unexpected "@"`, fmt.Sprintf("a parameter is written $%s and given by --param %[1]s=value", rest[1:1+wordLen(rest[1:])]))
	case r == '?':
		return s.failAs(Param, 1, `unexpected "?"`, "a parameter is written $name and given by --param name=value")
	case strings.HasPrefix(rest, "&&"):
		return s.fail(2, `unexpected "&&"`, "write AND")
	case r == '&' || r == '^':
		return s.fail(1, fmt.Sprintf("unexpected %q", string(r)), "there are no operators on bits; xor(x, y) and bit_count(x) are functions")
	case r == '#':
		return s.fail(1, `unexpected "#"`, "a comment begins with --")
	case r == '\\':
		return s.fail(1, `unexpected "\"`, "there are no escapes; in a string, a quote is written twice")
	}
	return s.fail(n, fmt.Sprintf("unexpected character %q", r), "")
}

// badName reports a bare name with letters that need quotes.
func (s *Scanner) badName(word string) *Error {
	i := strings.IndexFunc(word, func(r rune) bool { return r >= utf8.RuneSelf })
	r, _ := utf8.DecodeRuneInString(word[i:])
	return s.failAs(Ident, len(word), fmt.Sprintf("%q is not allowed in a bare name", r), fmt.Sprintf(`write "%s"`, word))
}

// lettersLen is the length of a word of letters and digits of any script.
func lettersLen(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return i
		}
	}
	return len(s)
}

// barePattern is the pattern of files, written without quotes, in which what
// stands here is no comment, or "".
func (s *Scanner) barePattern() string {
	from := 1 + strings.LastIndexAny(s.src[:s.off], " \t\r\n(")
	end := strings.IndexAny(s.src[s.off:], " \t\r\n;)")
	if end < 0 {
		end = len(s.src) - s.off
	}
	switch before := s.src[from:s.off]; {
	case strings.HasPrefix(before, "."), strings.HasPrefix(before, "/"), strings.HasPrefix(before, "~/"):
		return s.src[from : s.off+end]
	}
	return ""
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func wordLen(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || n > 0 && isDigit(s[n])) {
		n++
	}
	return n
}

func (s *Scanner) wordType(w string) lexer.TokenType {
	if len(w) > 9 { // the longest reserved words have nine letters
		return Ident
	}
	var up [9]byte
	for i := range len(w) {
		up[i] = w[i]
		if w[i] >= 'a' && w[i] <= 'z' {
			up[i] -= 0x20
		}
	}
	if t, ok := s.words[string(up[:len(w)])]; ok {
		return t
	}
	return Ident
}

func (s *Scanner) number(rest string) (lexer.Token, *Error) {
	digits := func(i int, ok func(byte) bool) int {
		for i < len(rest) && (ok(rest[i]) || rest[i] == '_' && i+1 < len(rest) && ok(rest[i+1])) {
			i++
		}
		return i
	}
	if len(rest) > 2 && rest[0] == '0' && rest[1]|0x20 == 'x' && isHex(rest[2]) {
		n := digits(2, isHex)
		if n < len(rest) && isLetter(rest[n]) {
			return lexer.Token{}, s.failAs(Number, n+wordLen(rest[n:]), fmt.Sprintf("%q is not a hexadecimal number", rest[:n+wordLen(rest[n:])]), "")
		}
		return s.token(Number, n), nil
	}
	n := digits(0, isDigit)
	if n < len(rest) && rest[n] == '.' {
		n = digits(n+1, isDigit)
	}
	if n < len(rest) && rest[n]|0x20 == 'e' {
		exp := n + 1
		if exp < len(rest) && (rest[exp] == '+' || rest[exp] == '-') {
			exp++
		}
		if exp < len(rest) && isDigit(rest[exp]) {
			n = digits(exp, isDigit)
		}
	}
	if w := unitLen(rest[n:]); w > 0 {
		return s.token(Unit, n+w), nil
	}
	return s.token(Number, n), nil
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func unitLen(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || n > 0 && isDigit(s[n])) {
		n++
	}
	return n
}

// quoted reads text in quotes, in which the quote is doubled.
func (s *Scanner) quoted(rest string, typ lexer.TokenType, what string) (lexer.Token, *Error) {
	q := rest[0]
	for i := 1; i < len(rest); i++ {
		if rest[i] != q {
			continue
		}
		if i+1 < len(rest) && rest[i+1] == q {
			i++
			continue
		}
		if typ == Quoted && i == 1 {
			return lexer.Token{}, s.failAs(Quoted, 2, "an empty name", "a string is written in single quotes: ''")
		}
		if !utf8.ValidString(rest[:i]) {
			return lexer.Token{}, s.failAs(typ, i+1, "bytes that are not text in this "+what, "a script is UTF-8 text")
		}
		return s.token(typ, i+1), nil
	}
	// The end is missing: point at the first line only, and go on behind it.
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	return lexer.Token{}, s.failAs(typ, max(n, 1), "this "+what+" is never closed", fmt.Sprintf("end it with %c; inside, write it twice", q))
}

// Unquote removes the quotes of a String or Quoted token.
func Unquote(text string) string {
	q := text[:1]
	return strings.ReplaceAll(text[1:len(text)-1], q+q, q)
}
