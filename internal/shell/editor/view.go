package editor

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/clipperhouse/displaywidth"
)

// menuRows is how many candidates are shown at a time.
const menuRows = 8

// Styles of the editor itself, as SGR parameters.
const (
	stylePrompt = "1"
	styleDim    = "2"
	styleChosen = "7"
)

func sgr(style, s string) string {
	if style == "" || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// style is a style if there are to be any.
func (c Config) style(s string) string {
	if !c.Color {
		return ""
	}
	return s
}

// textWidth is the width of the text beside the prompt.
func (m *model) textWidth() int { return max(m.width-displaywidth.String(m.cfg.Prompt), 10) }

// page is how many rows of text are shown at most.
func (m *model) page() int {
	rows := m.height - 2
	switch {
	case m.menu != nil:
		rows -= m.menuHeight() + 1
	case m.search != nil || m.hint != "":
		rows--
	}
	return max(rows, 1)
}

// menuHeight is how many candidates are shown: on a low screen few.
func (m *model) menuHeight() int {
	return max(min(len(m.menu.items), menuRows, m.height-4), 1)
}

// View implements tea.Model.
func (m *model) View() tea.View {
	if m.running {
		return tea.NewView("")
	}
	l := arrange(m.buf.text, m.buf.at, m.textWidth())
	lines := m.textRows(l)
	y := l.y
	if page := m.page(); len(lines) > page {
		m.top = min(m.top, len(lines)-page)
		m.top = max(min(m.top, l.y), l.y-page+1)
		lines = lines[m.top : m.top+page]
		y -= m.top
		lines = append(lines, sgr(m.cfg.style(styleDim), fmt.Sprintf("row %d of %d", l.y+1, len(l.rows))))
	} else {
		m.top = 0
	}
	switch {
	case m.search != nil:
		lines = append(lines, m.searchRow())
	case m.menu != nil:
		lines = append(lines, m.menuRows()...)
	case m.hint != "":
		lines = append(lines, sgr(m.cfg.style(styleDim), m.hint))
	}
	v := tea.NewView(strings.Join(lines, "\n"))
	v.Cursor = tea.NewCursor(displaywidth.String(m.cfg.Prompt)+l.x, y)
	return v
}

// textRows are the rows of the text with their prompts and colours.
func (m *model) textRows(l layout) []string {
	return paint(m.cfg, m.buf.text, l)
}

func paint(cfg Config, text string, l layout) []string {
	var spans []Span
	if cfg.Colour != nil {
		spans = cfg.Colour(text)
	}
	blank := strings.Repeat(" ", displaywidth.String(cfg.Prompt))
	lines := make([]string, len(l.rows))
	for i, r := range l.rows {
		var sb strings.Builder
		switch {
		case i == 0:
			sb.WriteString(sgr(cfg.style(stylePrompt), cfg.Prompt))
		case r.first:
			sb.WriteString(sgr(cfg.style(styleDim), cfg.Continue))
		default:
			sb.WriteString(blank)
		}
		for len(spans) > 0 && spans[0].To <= r.from {
			spans = spans[1:]
		}
		at := r.from
		for _, s := range spans {
			if s.From >= r.to {
				break
			}
			from, to := max(s.From, at), min(s.To, r.to)
			sb.WriteString(shown(text[at:from]))
			sb.WriteString(sgr(s.Style, shown(text[from:to])))
			at = to
		}
		sb.WriteString(shown(text[at:r.to]))
		lines[i] = sb.String()
	}
	return lines
}

// Echo is input as the editor shows it, whole, to be kept on the screen once it
// is finished. It ends without a line feed.
func Echo(cfg Config, text string, width int) string {
	l := arrange(text, 0, max(width-displaywidth.String(cfg.Prompt), 10))
	return strings.Join(paint(cfg, text, l), "\n")
}

func (m *model) searchRow() string {
	s, dim := m.search, m.cfg.style(styleDim)
	what := "search: "
	if s.query != "" && !s.found {
		what = "nothing found: "
	}
	return sgr(dim, what) + shown(s.query) + sgr(dim, "  (Ctrl-R older, Ctrl-S newer, Esc edit, Ctrl-G back)")
}

// menuRows are the rows of the menu: candidates with their details, and how many there are.
func (m *model) menuRows() []string {
	mn := m.menu
	n := m.menuHeight()
	mn.top = min(mn.top, len(mn.items)-n)
	if mn.chosen >= 0 {
		mn.top = max(min(mn.top, mn.chosen), mn.chosen-n+1)
	}
	wide := 0
	for _, it := range mn.items[mn.top : mn.top+n] {
		wide = max(wide, displaywidth.String(shown(it.Text)))
	}
	wide = min(wide, m.width/2)
	var rows []string
	for i, it := range mn.items[mn.top : mn.top+n] {
		name := displaywidth.TruncateString(shown(it.Text), wide, "…")
		name += strings.Repeat(" ", max(wide-displaywidth.String(name), 0))
		detail := displaywidth.TruncateString(shown(it.Detail), max(m.width-wide-5, 0), "…")
		style := ""
		if mn.top+i == mn.chosen {
			style = styleChosen
		}
		rows = append(rows, "  "+sgr(style, name)+"  "+sgr(m.cfg.style(styleDim), detail))
	}
	if len(mn.items) > n {
		rows = append(rows, sgr(m.cfg.style(styleDim), fmt.Sprintf("  %d of %d; Tab goes on, Esc closes", max(mn.chosen+1, n), len(mn.items))))
	}
	return rows
}
