package editor

import (
	"maps"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

type memory []string

func (m *memory) Entries() []string { return *m }
func (m *memory) Add(text string)   { *m = append(*m, text) }

// at returns an editor that holds a text with its cursor at ▮.
func at(text string) *model {
	h := memory{"FROM a;", "FROM b\nLIMIT 1;", "SHOW FILES;"}
	m := newModel(Config{
		Prompt: "> ", Continue: "- ", History: &h,
		Finished: func(t string) bool { return strings.HasSuffix(t, ";") },
		Run:      func(string) (string, bool) { return "", true },
		Complete: func(text string, at int) (int, int, []Item) {
			from := strings.LastIndexAny(text[:at], " \n") + 1
			var items []Item
			for _, w := range []string{"FILTER", "FROM", "from_hex("} {
				if strings.HasPrefix(strings.ToLower(w), strings.ToLower(text[from:at])) {
					items = append(items, Item{Text: w, Open: strings.HasSuffix(w, "(")})
				}
			}
			return from, at, items
		},
	})
	before, behind, _ := strings.Cut(text, "▮")
	m.buf.set(before + behind)
	m.buf.at = len(before)
	return m
}

func (m *model) shown() string { return m.buf.text[:m.buf.at] + "▮" + m.buf.text[m.buf.at:] }

// press presses keys by their names; one that is no name is typed.
func press(m *model, names ...string) {
	special := map[string]rune{
		"left": tea.KeyLeft, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "home": tea.KeyHome, "end": tea.KeyEnd,
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "pgup": tea.KeyPgUp, "esc": tea.KeyEscape,
	}
	for _, name := range names {
		k := tea.Key{}
		word := name
		if w, ok := strings.CutPrefix(word, "ctrl+"); ok {
			k.Mod |= tea.ModCtrl
			word = w
		}
		if w, ok := strings.CutPrefix(word, "alt+"); ok {
			k.Mod |= tea.ModAlt
			word = w
		}
		if w, ok := strings.CutPrefix(word, "shift+"); ok {
			k.Mod |= tea.ModShift
			word = w
		}
		if code, ok := special[word]; ok {
			k.Code = code
			m.Update(tea.KeyPressMsg(k))
			continue
		}
		for _, r := range word {
			k.Code = r
			if k.Mod == 0 {
				k.Text = string(r)
			}
			m.Update(tea.KeyPressMsg(k))
		}
	}
}

func TestEditing(t *testing.T) {
	for _, c := range []struct {
		name, before string
		keys         []string
		after        string
	}{
		{"typing", "FROM ▮b", []string{"a"}, "FROM a▮b"},
		{"a grapheme is one step", "né👩‍🚀▮", []string{"left"}, "né▮👩‍🚀"},
		{"and one erasure", "né👩‍🚀▮", []string{"backspace", "backspace"}, "n▮"},
		{"over the end of a line", "a\n▮b", []string{"left", "right", "right"}, "a\nb▮"},
		{"joining lines", "a\n▮b", []string{"backspace"}, "a▮b"},
		{"words", "FROM './a.csv'▮", []string{"alt+b", "alt+b"}, "FROM './▮a.csv'"},
		{"words forward", "▮ab cd", []string{"alt+f", "alt+f"}, "ab cd▮"},
		{"line ends", "a\nbc▮d\ne", []string{"ctrl+a", "x", "ctrl+e", "y"}, "a\nxbcdy▮\ne"},
		{"cut to the end and back", "ab▮cd", []string{"ctrl+k", "ctrl+a", "ctrl+y"}, "cd▮ab"},
		{"cuts in a row gather", "one two three▮", []string{"ctrl+w", "ctrl+w", "ctrl+y"}, "one two three▮"},
		{"cut the line end", "a▮\nb", []string{"ctrl+k"}, "a▮b"},
		{"cut to a wide blank", "a　bc▮", []string{"ctrl+w"}, "a　▮"},
		{"a mark belongs to its letter", "▮réx y", []string{"alt+f"}, "réx▮ y"},
		{"page up stays in the text", "a\nb▮", []string{"pgup", "pgup"}, "a▮\nb"},
		{"cut a word", "one two.three▮", []string{"alt+backspace"}, "one two.▮"},
		{"undo a word", "a ▮", []string{"b", "c", "ctrl+_"}, "a ▮"},
		{"redo", "▮", []string{"b", "ctrl+_", "alt+_"}, "b▮"},
		{"transpose", "ab▮", []string{"ctrl+t"}, "ba▮"},
		{"transpose at the start", "▮ab", []string{"ctrl+t"}, "▮ab"},
		{"new line in the midst", "a▮b", []string{"alt+enter"}, "a\n▮b"},
		{"enter in unfinished text", "a▮b", []string{"enter"}, "a\n▮b"},
		{"delete", "a▮b", []string{"delete", "delete"}, "a▮"},
		{"ctrl-d deletes where there is text", "a▮b", []string{"ctrl+d"}, "a▮"},
		{"up keeps the column", "abcdef\nx\nabc▮def", []string{"up", "up"}, "abc▮def\nx\nabcdef"},
		{"up from the first line", "x▮", []string{"up"}, "SHOW FILES;▮"},
		{"back down to the draft", "x▮", []string{"up", "up", "down", "down"}, "x▮"},
		{"the oldest stays", "x▮", []string{"ctrl+p", "ctrl+p", "ctrl+p", "ctrl+p"}, "FROM a;▮"},
		{"up goes through an entry of two lines", "▮", []string{"ctrl+p", "up", "up", "up"}, "FROM a;▮"},
		{"search", "x▮", []string{"ctrl+r", "limit"}, "FROM b\n▮LIMIT 1;"},
		{"search older", "▮", []string{"ctrl+r", "from", "ctrl+r"}, "▮FROM a;"},
		{"search given up", "x▮y", []string{"ctrl+r", "limit", "ctrl+g"}, "x▮y"},
		{"search edited", "▮", []string{"ctrl+r", "limix", "backspace", "esc", "!"}, "FROM b\n!▮LIMIT 1;"},
		{"search for what there is not", "x▮", []string{"ctrl+r", "zebra", "esc"}, "x▮"},
		{"the only candidate", "FI▮", []string{"tab"}, "FILTER ▮"},
		{"no blank twice", "FI▮ x", []string{"tab"}, "FILTER▮ x"},
		{"none behind what is open", "from_▮", []string{"tab"}, "from_hex(▮"},
		{"several: the first", "F▮", []string{"tab", "tab", "enter"}, "FILTER ▮"},
		{"several: the last, backwards", "F▮", []string{"tab", "shift+tab", "enter"}, "from_hex(▮"},
		{"typing narrows", "F▮", []string{"tab", "R", "tab", "tab"}, "from_hex(▮"},
		{"typing narrows to one", "F▮", []string{"tab", "I", "tab"}, "FILTER ▮"},
		{"a word behind the chosen one", "F▮", []string{"tab", "tab", "x"}, "FILTER x▮"},
		{"what is no word", "F▮", []string{"tab", "tab", ";"}, "FILTER;▮"},
		{"a menu closed", "F▮", []string{"tab", "esc", "tab", "tab"}, "FILTER▮"},
		{"ctrl-c gives up", "abc▮", []string{"ctrl+c"}, "▮"},
	} {
		m := at(c.before)
		press(m, c.keys...)
		if got := m.shown(); got != c.after {
			t.Errorf("%s: %q, not %q", c.name, got, c.after)
		}
	}
}

func TestPasteIsText(t *testing.T) {
	m := at("▮;")
	m.Update(tea.PasteMsg{Content: "a;\r\nb\rc\xff\n"})
	if got, want := m.shown(), "a;\nb\nc\uFFFD▮;"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// What is typed while a statement runs is kept; statements in it run in turn.
func TestTypedAhead(t *testing.T) {
	var ran []string
	m := at("▮")
	m.cfg.Run = func(text string) (string, bool) {
		ran = append(ran, text)
		return "", true
	}
	press(m, "a;", "enter")
	if !m.running {
		t.Fatal("the input was not handed over")
	}
	press(m, "b;", "enter", "c", "enter", "d;", "enter", "ctrl+a", "e")
	m.buf.text = "a;"
	for again := m.pass(); again && m.ahead(); {
		again = m.pass()
	}
	m.Update(finished{again: true})
	if got, want := strings.Join(ran, "|"), "a;|b;|c\nd;"; got != want {
		t.Errorf("ran %q, not %q", got, want)
	}
	if got, want := m.shown(), "e▮"; got != want {
		t.Errorf("%q is left, not %q", got, want)
	}
}

func TestView(t *testing.T) {
	for _, c := range []struct {
		name, text    string
		width, height int
		want          string
		x, y          int
	}{
		{"lines", "ab\nc▮", 20, 10, "> ab\n- c", 3, 1},
		{"a line goes on in the next row", "0123456789abc▮", 12, 10, "> 0123456789\n  abc", 5, 1},
		{"the cursor behind a full row", "0123456789▮", 12, 10, "> 0123456789\n  ", 2, 1},
		{"wide letters", "日本語日本語▮", 12, 10, "> 日本語日本\n  語", 4, 1},
		{"no half of a wide letter", "x日本語日本▮", 12, 10, "> x日本語日\n  本", 4, 1},
		{"what a terminal would act on", "a\x1b[31m\tb▮", 30, 10, "> a·[31m    b", 13, 0},
		{"more than the screen", "1\n2\n3\n4\n5\n6▮", 20, 4, "- 5\n- 6\nrow 6 of 6", 3, 1},
		{"and its beginning", "1▮\n2\n3\n4\n5\n6", 20, 4, "> 1\n- 2\nrow 1 of 6", 3, 0},
	} {
		m := at(c.text)
		m.Update(tea.WindowSizeMsg{Width: c.width, Height: c.height})
		v := m.View()
		if v.Content != c.want {
			t.Errorf("%s:\n%q, not\n%q", c.name, v.Content, c.want)
		}
		if v.Cursor.X != c.x || v.Cursor.Y != c.y {
			t.Errorf("%s: the cursor is at %d, %d, not %d, %d", c.name, v.Cursor.X, v.Cursor.Y, c.x, c.y)
		}
	}
}

// On a low screen the menu leaves room for the text.
func TestMenuOnALowScreen(t *testing.T) {
	m := at("F▮")
	m.Update(tea.WindowSizeMsg{Width: 40, Height: 5})
	press(m, "tab")
	lines := strings.Split(m.View().Content, "\n")
	if len(lines) > 5 || !strings.HasSuffix(lines[0], "F") {
		t.Errorf("%q", lines)
	}
}

// Who presses Enter or Ctrl-D in vain is told why.
func TestStuck(t *testing.T) {
	for _, keys := range [][]string{{"a", "enter", "enter"}, {"a", "ctrl+d"}} {
		m := at("▮")
		m.cfg.Stuck = "no ; yet"
		press(m, keys...)
		if v := m.View().Content; !strings.HasSuffix(v, "\nno ; yet") {
			t.Errorf("%q shows %q", keys, v)
		}
		press(m, "b")
		if v := m.View().Content; strings.Contains(v, "yet") {
			t.Errorf("%q, and a key: %q", keys, v)
		}
	}
}

// Colours lie on their words, also where a row ends in the midst of one.
func TestColours(t *testing.T) {
	m := at("FROM abc▮")
	m.cfg.Colour = func(string) []Span { return []Span{{From: 0, To: 4, Style: "1"}, {From: 5, To: 8, Style: "32"}} }
	m.Update(tea.WindowSizeMsg{Width: 10, Height: 10})
	m.cfg.Prompt, m.cfg.Continue = ">>>>> ", "----- "
	if got, want := Echo(m.cfg, m.buf.text, 10), ">>>>> \x1b[1mFROM\x1b[0m \x1b[32mabc\x1b[0m"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got, want := Echo(m.cfg, "FROMFROMFROM", 16), ">>>>> \x1b[1mFROM\x1b[0mF\x1b[32mROM\x1b[0mFR\n      OM"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// Any keys on any text leave the cursor between two graphemes.
func FuzzKeys(f *testing.F) {
	names := slices.Sorted(maps.Keys(keys))
	f.Add("FROM './é.csv'\nFILTER a;", []byte{1, 2, 3, 40, 41, 250}, uint8(20))
	f.Fuzz(func(t *testing.T, text string, presses []byte, width uint8) {
		m := at(strings.ToValidUTF8(text, "?"))
		m.Update(tea.WindowSizeMsg{Width: int(width), Height: 5})
		others := []string{"up", "down", "tab", "enter", "ctrl+r", "esc", "ctrl+d", "a", "é", " "}
		for _, b := range presses {
			if int(b) < len(names) {
				keys[names[b]](&m.buf)
				m.narrow()
			} else {
				press(m, others[int(b)%len(others)])
				m.running = false
			}
			if m.buf.at < 0 || m.buf.at > len(m.buf.text) {
				t.Fatalf("the cursor is at %d of %d", m.buf.at, len(m.buf.text))
			}
			m.View()
		}
	})
}
