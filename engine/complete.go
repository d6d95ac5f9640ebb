package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/planner/analyze"
)

// Completion is what may take the place of the word at the cursor.
type Completion struct {
	From, To int // the bytes of the text that an item replaces
	Items    []Item
}

// Item is one of the things that fit.
type Item struct {
	Text   string // what to put there, quotes and all
	Kind   string // verb, keyword, column, table, function, file, folder, setting, option, value, type, parameter
	Detail string // of a column its type, of a function its signature, of a file its size; may be empty
	Open   bool   // more belongs right behind it, such as the arguments of a function: put no blank there
}

// completeTime bounds how long completion may look at files, however long its caller would wait.
const completeTime = 500 * time.Millisecond

// mostItems bounds a completion: nobody reads more.
const mostItems = 2000

// Complete returns what fits at a byte offset of a text, which may hold several
// statements, unfinished or wrong in any way. Where nothing can be said, it says
// nothing. It opens the files that the statement reads, as far as their columns,
// makes no store, and leaves the session as it is.
func (s *Session) Complete(ctx context.Context, text string, cursor int) (c Completion) {
	defer func() {
		// A fault of the program must not cost the text that is being typed.
		if r := recover(); r != nil {
			s.engine.cfg.Log.Error("internal error", zap.String("reason", fmt.Sprint(r)), zap.ByteString("stack", debug.Stack()))
			cursor = min(max(cursor, 0), len(text))
			c = Completion{From: cursor, To: cursor}
		}
	}()
	return s.complete(ctx, text, cursor)
}

func (s *Session) complete(ctx context.Context, text string, cursor int) Completion {
	cursor = min(max(cursor, 0), len(text))
	want := complete.At(text, cursor)
	c := &completer{Session: s, text: text, want: want}
	if want.Kinds == 0 && len(want.Words) == 0 {
		return Completion{From: cursor, To: cursor}
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	c.bind(ctx)
	for _, part := range []func(){
		c.columns, c.arguments, c.sources, func() { c.paths(ctx) }, c.tableFunctions, c.options, c.values, c.settings,
		c.types, c.dateParts, c.functions, c.words, c.parameters,
	} {
		part()
	}
	return Completion{From: want.From, To: want.To, Items: distinct(c.items)}
}

// completer gathers the items of one completion.
type completer struct {
	*Session
	text  string
	want  complete.Want
	env   analyze.Env    // with what the text defines before the place
	names []analyze.Name // the columns of the pipeline so far
	items []Item
}

// wants reports whether any of these kinds fit.
func (c *completer) wants(k complete.Kind) bool { return c.want.Kinds&k != 0 }

// typed reports whether a name begins with what has been typed.
func (c *completer) typed(name string) bool { return begins(name, c.want.Typed) }

// begins is strings.HasPrefix in any case.
func begins(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

func (c *completer) add(i Item) { c.items = append(c.items, i) }

// distinct drops what would read the same, and what is too much.
func distinct(items []Item) []Item {
	seen := map[string]bool{}
	items = slices.DeleteFunc(items, func(i Item) bool {
		twice := seen[i.Text]
		seen[i.Text] = true
		return twice
	})
	return items[:min(len(items), mostItems)]
}

// words offers the words of the grammar.
func (c *completer) words() {
	for _, w := range c.want.Words {
		if w.Rarely && c.want.Typed == "" || !c.typed(w.Text) {
			continue
		}
		i := Item{Text: w.Text, Kind: "keyword", Detail: complete.Describe(w), Open: strings.HasSuffix(w.Text, "(")}
		if w.Verb {
			i.Kind = "verb"
		}
		c.add(i)
	}
}

// parameters offers the names behind $.
func (c *completer) parameters() {
	if !c.wants(complete.Params) || c.want.Quote != '$' && c.want.Typed != "" {
		return
	}
	names := c.want.Params
	for name := range c.params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if c.typed(name) {
			c.add(Item{Text: "$" + name, Kind: "parameter", Detail: c.params[name]})
		}
	}
}
