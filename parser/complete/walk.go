package complete

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// walker reads the tokens before the place as the parser would. When it has
// read them all it notes everything that it looks for next, until it comes to
// something that must be there; that is what fits.
type walker struct {
	toks   []lexer.Token // of the statement at the place; no comments
	at     int
	offset int          // of the place
	wrong  map[int]bool // offsets of tokens that stand for faulty text
	want   Want
	open   []*Pipeline // those around the walker
	last   string      // the verb that was read last
	exprs  Kind        // what an expression may hold where the walker is
	depth  int
}

// maxDepth bounds recursion: who nests deeper gets no help.
const maxDepth = 1000

// stop ends the walk: what must come next has been noted.
type stop struct{}

// stray ends the walk through a verb: it holds something that does not belong there.
type stray struct{}

// run walks through the statement.
func (w *walker) run() {
	defer func() {
		switch r := recover(); r.(type) {
		case nil, stop, stray:
		default:
			panic(r)
		}
	}()
	w.statement()
}

func (w *walker) end() bool { return w.at >= len(w.toks) }

// peek returns the token n further on, or EOF beyond either end.
func (w *walker) peek(n int) lexer.Token {
	if i := w.at + n; i >= 0 && i < len(w.toks) {
		return w.toks[w.at+n]
	}
	return lexer.EOFToken(lexer.Position{Offset: w.offset})
}

// fits notes kinds of names, if this is the place.
func (w *walker) fits(k Kind) {
	if w.end() {
		w.want.Kinds |= k
	}
}

// offer notes words, if this is the place.
func (w *walker) offer(words ...string) {
	if w.end() {
		for _, text := range words {
			w.want.Words = append(w.want.Words, Word{Text: text})
		}
	}
}

// rarely is offer for words that are shown only where they are typed.
func (w *walker) rarely(words ...string) {
	if w.end() {
		for _, text := range words {
			w.want.Words = append(w.want.Words, Word{Text: text, Rarely: true})
		}
	}
}

// fail ends this verb; at the place, the walk.
func (w *walker) fail() {
	if w.end() {
		panic(stop{})
	}
	panic(stray{})
}

// take reads one of the words, and returns it, or "".
func (w *walker) take(words ...string) string {
	if w.end() {
		return ""
	}
	have := wordOf(w.toks[w.at])
	for _, word := range words {
		if have == word {
			w.at++
			return word
		}
	}
	return ""
}

// word is take that offers the words at the place.
func (w *walker) word(words ...string) string {
	w.offer(words...)
	return w.take(words...)
}

// need is word where one of them must be.
func (w *walker) need(words ...string) string {
	word := w.word(words...)
	if word == "" {
		w.fail()
	}
	return word
}

// phrase reads several words in a row. It offers them together, and what is
// left of them behind the first.
func (w *walker) phrase(words ...string) bool {
	if w.end() {
		w.offer(strings.Join(words, " "))
		return false
	}
	if w.take(words[0]) == "" {
		return false
	}
	w.rest(words[1:]...)
	return true
}

// rest reads the words that must follow the first of a phrase.
func (w *walker) rest(words ...string) {
	for i, word := range words {
		w.offer(strings.Join(words[i:], " "))
		if w.take(word) == "" {
			w.fail()
		}
	}
}

// op reads one of the operators.
func (w *walker) op(ops ...string) bool {
	if w.end() || w.toks[w.at].Type != lex.Op {
		return false
	}
	for _, op := range ops {
		if w.toks[w.at].Value == op {
			w.at++
			return true
		}
	}
	return false
}

func (w *walker) needOp(op string) {
	if !w.op(op) {
		w.fail()
	}
}

// list reads what commas part.
func (w *walker) list(item func()) {
	item()
	for w.op(",") {
		item()
	}
}

// inParens reads ( item, … ).
func (w *walker) inParens(item func()) {
	w.needOp("(")
	w.list(item)
	w.needOp(")")
}

// name reads a name; kinds are what it may be of.
func (w *walker) name(kinds Kind) string {
	w.fits(kinds)
	if w.end() {
		w.fail()
	}
	t := w.toks[w.at]
	if t.Type != lex.Ident && t.Type != lex.Quoted {
		w.fail()
	}
	w.at++
	return w.text(t)
}

// text is the name that a token is.
func (w *walker) text(t lexer.Token) string {
	if t.Type == lex.Quoted && !w.wrong[t.Pos.Offset] && len(t.Value) >= 2 {
		return lex.Unquote(t.Value)
	}
	return t.Value
}

// enter and leave bound recursion.
func (w *walker) enter() {
	if w.depth++; w.depth > maxDepth {
		w.want = Want{}
		panic(stop{})
	}
}

func (w *walker) leave() { w.depth-- }

// within reads a part in which an expression may hold other things.
func (w *walker) within(exprs Kind, part func()) {
	before := w.exprs
	w.exprs = exprs
	part()
	w.exprs = before
}
