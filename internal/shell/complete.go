package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/rainsql/rainsql/internal/manual"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/internal/shell/editor"
	"github.com/rainsql/rainsql/planner/analyze"
)

// complete lists what may stand at the cursor.
func (s *Shell) complete(ctx context.Context, text string, at int) (from, to int, items []editor.Item) {
	if strings.HasPrefix(strings.TrimSpace(text), `\`) {
		return completeCommand(text, at)
	}
	c := s.cfg.Session.Complete(ctx, text, at)
	typed := text[c.From:at]
	small := typed != "" && typed == strings.ToLower(typed)
	for _, it := range c.Items {
		if small && (it.Kind == "verb" || it.Kind == "keyword") {
			it.Text = strings.ToLower(it.Text) // as its user writes them
		}
		detail := it.Kind
		if it.Detail != "" {
			detail += "  " + it.Detail
		}
		items = append(items, editor.Item{Text: it.Text, Detail: detail, Open: it.Open})
	}
	return c.From, c.To, items
}

// completeCommand completes commands and their arguments.
func completeCommand(text string, at int) (from, to int, items []editor.Item) {
	begin := strings.Index(text, `\`)
	word, argument, inArgument := strings.Cut(text[begin:max(at, begin)], " ")
	if !inArgument {
		for _, c := range commands() {
			if strings.HasPrefix(c.name, word) {
				items = append(items, editor.Item{Text: c.name, Detail: c.does, Open: c.argument == ""})
			}
		}
		return begin, at, items
	}
	var names []string
	switch word {
	case `\format`:
		names = render.Names()
	case `\x`, `\timing`:
		names = []string{"on", "off"}
	case `\pager`:
		names = []string{"auto", "on", "off"}
	case `\h`:
		names = manual.Names()
	case `\set`:
		for _, st := range analyze.Settings() {
			names = append(names, st.Name)
		}
		names = append(names, own...)
	case `\i`, `\o`, `\d`:
		return at - len(argument), at, completePath(argument)
	}
	for _, n := range names {
		if strings.HasPrefix(strings.ToLower(n), strings.ToLower(argument)) {
			items = append(items, editor.Item{Text: n})
		}
	}
	return at - len(argument), at, items
}

// completePath lists the files whose paths begin so.
func completePath(prefix string) (items []editor.Item) {
	dir, base := filepath.Split(prefix)
	entries, err := os.ReadDir(unquote(filepath.Clean("./" + dir)))
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, "~/") {
		entries, err = os.ReadDir(unquote(dir))
	}
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || base == "" && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		it := editor.Item{Text: dir + e.Name()}
		if e.IsDir() {
			it.Text, it.Detail, it.Open = it.Text+"/", "folder", true
		}
		items = append(items, it)
	}
	return items
}
