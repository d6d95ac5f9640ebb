// Package manual is what `rainsql help TOPIC` and \h in the prompt show: the
// sections of the pages in docs, and a page for each function, setting and the
// like, made of the tables that the program itself works by. There is no
// second text that could say something else.
package manual

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/internal/suggest"
)

// Kind says what a topic is about.
type Kind string

// The kinds of topics, in the order in which a list shows them.
const (
	Page      Kind = "page"      // a document from its beginning to its end
	Verb      Kind = "verb"      // a step of a pipeline
	Statement Kind = "statement" // what stands beside pipelines in a script
	Section   Kind = "section"   // a section of the language reference
	Error     Kind = "error"     // a family of errors
	Setting   Kind = "setting"   // what SET and --set change
	Command   Kind = "command"   // what begins with \ at the prompt
	Category  Kind = "category"  // functions of one kind
	Function  Kind = "function"
)

var kindOrder = []Kind{Page, Verb, Statement, Section, Error, Setting, Command, Category, Function}

// Topic is something to read about.
type Topic struct {
	Name  string   // as a list shows it: FILTER, substring, memory_limit
	Title string   // one line that says what it is about
	Kind  Kind     // of several texts under one name that of the first
	Also  []string // other names that lead to it
	text  string   // Markdown, beginning with a heading
}

// Markdown is the text of the topic. It begins with a heading.
func (t Topic) Markdown() string { return t.text }

// NotFoundError says that nothing is written under a name.
type NotFoundError struct {
	Name string
	Near []string // topics whose names are like it, the nearest first
	List string   // what lists all topics; "" is help topics, as at the prompt
}

// Error names what is near, or how to see what there is.
func (e *NotFoundError) Error() string {
	list := "'" + cmp.Or(e.List, "help topics") + "' lists what there is"
	if len(e.Near) == 0 {
		return fmt.Sprintf("no help on %q; %s", e.Name, list)
	}
	return fmt.Sprintf("no help on %q: did you mean %s? %s", e.Name, strings.Join(e.Near, ", "), list)
}

// book is all topics, with what their names lead to.
type book struct {
	topics []Topic
	byName map[string][]int // a name in its plain form: indexes of topics
	names  []string         // plain forms, sorted
}

// open reads the pages once; they are part of the program.
var open = sync.OnceValue(func() *book {
	b := &book{byName: map[string][]int{}}
	b.topics = append(b.topics, pages()...)
	b.topics = append(b.topics, settings()...)
	b.topics = append(b.topics, functions()...)
	b.topics = append(b.topics, contents(b.topics))
	slices.SortStableFunc(b.topics, func(x, y Topic) int {
		return cmp.Compare(slices.Index(kindOrder, x.Kind), slices.Index(kindOrder, y.Kind))
	})
	for i, t := range b.topics {
		for _, name := range append([]string{t.Name}, t.Also...) {
			p := plain(name)
			if !slices.Contains(b.byName[p], i) {
				b.byName[p] = append(b.byName[p], i)
			}
		}
	}
	for name := range b.byName {
		b.names = append(b.names, name)
	}
	slices.Sort(b.names)
	return b
})

// Topics lists all there is to read: by kind, and in one kind in the order of
// the pages. The caller owns the slice.
func Topics() []Topic { return slices.Clone(open().topics) }

// Names lists the names under which Find finds something, in small letters and
// in order, for completion. The caller owns the slice.
func Names() []string { return slices.Clone(open().names) }

// Find returns what is written about something: a verb, a statement, a
// function, a setting, an option, a format, a type or the title of a section,
// in any case. Where a name means several things (SET is a verb and a
// statement) the topic has the text of all of them. The error is a
// *NotFoundError.
func Find(name string) (Topic, error) {
	b := open()
	at := b.byName[plain(name)]
	if len(at) == 0 {
		return Topic{}, &NotFoundError{Name: strings.TrimSpace(name), Near: b.near(plain(name))}
	}
	t := b.topics[at[0]]
	for _, i := range at[1:] {
		t.text = strings.TrimRight(t.text, "\n") + "\n\n" + b.topics[i].text
	}
	return t, nil
}

// plain is the form in which names are compared: small letters, one blank
// between words, without what a habit may put around it: quotes, the () of a
// call, the ; of a statement.
func plain(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if n := strings.Trim(name, "`'\";"); n != "" {
		name = n
	}
	name = strings.TrimSuffix(name, "()")
	return strings.Join(strings.Fields(name), " ")
}

// mostNear is how many suggestions a reader can choose among.
const mostNear = 4

// near finds what a mistyped name may have meant: the nearest by its letters,
// then names with the word in them, and those of whole words first.
func (b *book) near(word string) []string {
	var found []string
	add := func(name string) {
		if shown := b.shown(name); len(found) < mostNear && !slices.Contains(found, shown) {
			found = append(found, shown)
		}
	}
	if n := suggest.Nearest(word, b.names); n != "" {
		add(n)
	}
	if len(word) < 3 {
		return found
	}
	for _, whole := range []bool{true, false} {
		for _, name := range b.names {
			if whole && slices.Contains(strings.Fields(name), word) || !whole && strings.Contains(name, word) {
				add(name)
			}
		}
	}
	return found
}

// shown is a name as the pages write it, in capital letters or small ones.
func (b *book) shown(name string) string {
	t := b.topics[b.byName[name][0]]
	for _, n := range append([]string{t.Name}, t.Also...) {
		if plain(n) == name {
			return n
		}
	}
	return name
}
