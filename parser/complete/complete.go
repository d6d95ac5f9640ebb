// Package complete tells what fits at a place of an RQL text that is being
// typed: which words, and which kinds of names. It reads the tokens before the
// place by the language's grammar, forgivingly, and knows nothing of tables,
// types or files; whoever does turns its answer into names.
package complete

import (
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// Kind is a set of kinds of names.
type Kind uint

// The kinds of names that may fit.
const (
	Columns      Kind = 1 << iota // of the innermost pipeline, or of what Qualifier names
	Tables                        // the qualifiers by which columns can be reached
	Scalars                       // functions of values
	Aggregates                    // functions of groups
	Windows                       // functions that need OVER
	EventWindows                  // tumble and its like
	Macros                        // functions that CREATE FUNCTION made
	Sources                       // names that can be read: those of LET, and table functions
	Files                         // paths to read
	Targets                       // paths to write
	Programs                      // paths of external programs
	Types
	Settings
	Options   // the names of options, of Use
	Values    // what the option or statement named by Option may be set to
	Params    // $name
	Common    // with Columns: only those that both sides of a JOIN have
	DateParts // of extract
)

// Word is a word of the grammar that fits.
type Word struct {
	Text   string // as fmt writes it; may be two words, such as LEFT JOIN
	Verb   bool   // it begins a verb or a statement
	Rarely bool   // a synonym, or seldom meant: to be shown where its beginning is typed
}

// Pipeline is a pipeline that is open at the place.
type Pipeline struct {
	From, To int   // bytes of the text: what comes before the verb at the place
	Starts   []int // where its source and each of its verbs begin, in From..To
	Join     bool  // the last verb is a JOIN as far as its source: columns of both sides fit
	Close    bool  // a ) in place of the byte at To makes it whole
	Sees     bool  // it stands in an expression, so that it sees the columns of the one around it
}

// Want is what fits at a place. The zero Want is nothing.
type Want struct {
	From, To  int    // the bytes that take the place of a completion
	Typed     string // what of them stands before the cursor, without the quote
	Quote     byte   // the quote that begins them: ' " ` or 0; $ of a parameter
	Kinds     Kind
	Words     []Word
	Qualifier []string   // what stands before the dot at the place; Element where an index does
	Pipelines []Pipeline // outermost first
	Arguments []string   // parameters of the function that is being created
	Option    string     // lower case; whose value is wanted; or DatePart, or Zone
	Use       Use        // where the option stands
	Params    []string   // the $names that stand elsewhere in the text
	Statement int        // where the statement at the place begins; whole statements stand before it
}

// Element stands in a qualifier for an element of a list.
const Element = "[]"

// What stands for an option where a text of an expression is one of a few.
const (
	DatePart = "date part"
	Zone     = "time zone"
)

// Use is what options belong to.
type Use string

// What has options.
const (
	OfSource  Use = "source"
	OfSink    Use = "sink"
	OfProgram Use = "program"
	OfExplain Use = "explain"
	OfSetting Use = "setting" // SET name = value, where a statement begins
)

// At returns what fits at a byte offset of a text, which may be unfinished or
// wrong in any way.
func At(text string, cursor int) Want {
	cursor = min(max(cursor, 0), len(text))
	for cursor > 0 && cursor < len(text) && !utf8.RuneStart(text[cursor]) {
		cursor--
	}
	if from, ok := barePath(text[:cursor]); ok {
		want := read(text[:from], from)
		if want.Kinds&(Files|Targets|Programs) != 0 {
			want.Kinds, want.Words = want.Kinds&(Files|Targets|Programs), nil
			want.To, want.Typed = cursor, text[from:cursor]
			return want
		}
	}
	p, ok := placeAt(text, cursor)
	if !ok {
		return Want{From: cursor, To: cursor}
	}
	want := read(text[:p.from], p.from)
	want.From, want.To, want.Typed, want.Quote = p.from, p.to, text[p.inner:cursor], p.quote
	want.restrict()
	want.Params = params(text, p.from)
	return want
}

// restrict leaves only what the beginning of the typed text allows.
func (w *Want) restrict() {
	switch w.Quote {
	case '\'':
		w.Kinds &= Files | Targets | Programs | Values
		w.Words = nil
	case '"', '`':
		w.Kinds &= Columns | Sources
		w.Words = nil
	case '$':
		w.Kinds &= Params
		w.Words = nil
	}
}

// read walks through the text before a place.
func read(head string, at int) Want {
	toks, errs := lex.Tokens("", head)
	w := &walker{offset: at}
	for _, t := range toks {
		switch {
		case t.EOF(), t.Type == lex.Comment:
		case t.Type == lex.Op && t.Value == ";":
			w.toks = w.toks[:0]
			w.want.Statement = t.Pos.Offset + 1
		default:
			w.toks = append(w.toks, t)
		}
	}
	w.wrong = make(map[int]bool, len(errs))
	for _, e := range errs {
		w.wrong[e.Start.Offset] = true
	}
	w.run()
	for _, p := range w.open {
		w.want.Pipelines = append(w.want.Pipelines, *p)
	}
	w.want.From, w.want.To = at, at
	return w.want
}

// params lists the parameters of a text but for the one at a place.
func params(text string, but int) []string {
	toks, errs := lex.Tokens("", text)
	wrong := map[int]bool{}
	for _, e := range errs {
		wrong[e.Start.Offset] = true
	}
	var names []string
	seen := map[string]bool{}
	for _, t := range toks {
		if t.Type == lex.Param && t.Pos.Offset != but && !wrong[t.Pos.Offset] && !seen[t.Value] {
			seen[t.Value] = true
			names = append(names, strings.TrimPrefix(t.Value, "$"))
		}
	}
	return names
}

// isOp reports whether a token is that operator.
func isOp(t lexer.Token, op string) bool { return t.Type == lex.Op && t.Value == op }
