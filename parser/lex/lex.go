// Package lex cuts RQL text into tokens. Each reserved word is a token type of
// its own, so that the grammar matches words by type, in any case, at the cost
// of an integer comparison; all other words are Ident.
package lex

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2/lexer"
)

// The token types beside those of the reserved words.
const (
	EOF     = lexer.EOF
	Comment = lexer.EOF - iota - 1 // -- … or /* … */
	Ident                          // a word that is not reserved
	Quoted                         // "name" or `name`, with its quotes
	String                         // '…', with its quotes
	Number                         // 1, 1.5, 1e9, 0xff, 1_000
	Unit                           // 10s, 64MB: a number and letters
	Param                          // $name
	Op                             // operators and punctuation
	firstWord
)

// reserved are the words that begin a verb or a clause or join an expression.
var reserved = []string{
	"FROM", "FILTER", "WHERE", "TRANSFORM", "SELECT", "EXTEND", "SET", "DROP", "RENAME", "AGGREGATE", "GROUP",
	"BY", "EMIT", "INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "CROSS", "JOIN", "ON", "USING", "WITHIN",
	"DISTINCT", "SORT", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "UNNEST", "TEE", "INTO", "AS",
	"FOLLOW", "OVER", "AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE",
	"END", "EXISTS", "CAST", "NULL", "TRUE", "FALSE", "LET", "CREATE", "EXPLAIN",
}

type tables struct {
	symbols map[string]lexer.TokenType
	words   map[string]lexer.TokenType
	names   map[lexer.TokenType]string
}

var load = sync.OnceValue(func() *tables {
	t := &tables{
		symbols: map[string]lexer.TokenType{
			"EOF": EOF, "Comment": Comment, "Ident": Ident, "Quoted": Quoted, "String": String,
			"Number": Number, "Unit": Unit, "Param": Param, "Op": Op,
		},
		words: make(map[string]lexer.TokenType, len(reserved)),
		names: make(map[lexer.TokenType]string, len(reserved)),
	}
	for i, w := range reserved {
		typ := firstWord - lexer.TokenType(i)
		t.symbols[w], t.words[w], t.names[typ] = typ, typ, w
	}
	return t
})

// Word returns the type of a reserved word (upper case), or Ident.
func Word(upper string) lexer.TokenType {
	if t, ok := load().words[upper]; ok {
		return t
	}
	return Ident
}

// WordOf returns the reserved word that a token is, upper case, or "".
func WordOf(t lexer.Token) string { return load().names[t.Type] }

// Definition is the lexer as participle takes it.
type Definition struct{}

// Symbols implements lexer.Definition.
func (Definition) Symbols() map[string]lexer.TokenType { return load().symbols }

// Lex implements lexer.Definition.
func (Definition) Lex(filename string, r io.Reader) (lexer.Lexer, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return newScanner(filename, string(b)), nil
}

// newScanner begins behind a byte order mark, which some editors write.
func newScanner(file, src string) *Scanner {
	s := &Scanner{file: file, src: src, line: 1, col: 1, words: load().words}
	if strings.HasPrefix(src, "\ufeff") {
		s.off = len("\ufeff")
	}
	return s
}

// Error is text that is no token. Its range is [Start, End) in bytes.
type Error struct {
	Start, End lexer.Position
	Msg        string
	Hint       string
	Stands     lexer.TokenType // what it would have been, or 0
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Start, e.Msg) }

// Tokens cuts all of src. Text that is no token is reported, and stepped over or
// replaced by an empty token of the kind that was meant, so that the rest is
// still read; the tokens end with EOF.
func Tokens(file, src string) (toks []lexer.Token, errs []*Error) {
	s := newScanner(file, src)
	toks = make([]lexer.Token, 0, len(src)/5+8) // RQL has about five bytes a token, blanks included
	for {
		t, err := s.scan()
		if err != nil {
			errs = append(errs, err)
			if err.Stands != 0 {
				toks = append(toks, lexer.Token{Type: err.Stands, Value: placeholder[err.Stands], Pos: err.Start})
			}
			continue
		}
		toks = append(toks, t)
		if t.EOF() {
			return toks, errs
		}
	}
}

// placeholder is what the parser sees in place of a wrong token, so that one
// mistake makes one error.
var placeholder = map[lexer.TokenType]string{String: "''", Quoted: `"?"`, Ident: "_", Number: "0", Param: "$_"}

// Upgrade makes the lexer that participle parsers read from, comments left out.
func Upgrade(toks []lexer.Token) (*lexer.PeekingLexer, error) {
	return lexer.Upgrade(&replay{toks: toks}, Comment)
}

type replay struct{ toks []lexer.Token }

func (r *replay) Next() (lexer.Token, error) {
	t := r.toks[0]
	if len(r.toks) > 1 {
		r.toks = r.toks[1:]
	}
	return t, nil
}
