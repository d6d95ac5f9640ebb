// Package editor is the line editor of the prompt: text of several lines, with
// colours as it is typed, completion, and a history that can be searched. It
// knows no RQL: what a word means, when input is finished and what to do with it
// its caller says. Keys, raw mode, resizing and drawing only what has changed are
// Bubble Tea's (charm.land/bubbletea/v2).
package editor

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Config says what is edited. All functions are called from one goroutine.
type Config struct {
	Prompt   string // before the first line
	Continue string // before all others, as wide as Prompt
	Color    bool   // whether the prompts stand out

	// Finished reports whether Enter ends the input or begins a new line.
	Finished func(text string) bool
	// Run takes finished input. The terminal is as it was before the editor
	// began, with the cursor in the first column; the input is not shown any
	// more (Echo shows it). It returns the text to go on with, mostly none, and
	// whether the editor goes on.
	Run func(text string) (rest string, again bool)
	// Complete lists what may replace text[from:to] around the cursor. May be nil.
	Complete func(text string, at int) (from, to int, items []Item)
	// Colour returns the styles of parts of the text, in order and apart. May be nil.
	Colour  func(text string) []Span
	History History
	// Stuck is shown to someone who seems to wait for what is not finished.
	Stuck string
}

// Item is a candidate for completion.
type Item struct {
	Text   string // what is put in
	Detail string // shown beside it
	Open   bool   // no blank follows
}

// Span is a part of the text in a style: the parameters of an SGR sequence, such
// as "1;34".
type Span struct {
	From, To int // bytes
	Style    string
}

// Run edits until Config.Run says so, until Ctrl-D on an empty line, or
// until ctx ends. in and out are the terminal.
func Run(ctx context.Context, in, out *os.File, cfg Config) error {
	m := newModel(cfg)
	screen := &screen{File: out}
	m.drawn = screen.writes.Load
	// Signals are the caller's: while a query runs, the terminal makes them.
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(screen), tea.WithoutSignalHandler())
	_, err := p.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(err, m.failed)
}

// model is the state of the editor, a tea.Model.
type model struct {
	cfg    Config
	buf    buffer
	recall recall
	menu   *menu
	search *search

	hint          string // shown below the text until the next key
	width, height int
	top           int // the first row shown of a text that is taller than the screen

	running bool         // the input is with Config.Run
	drawn   func() int64 // how often the screen was written to
	waiting []tea.Msg    // what was typed meanwhile
	failed  error        // the terminal could not be given back or taken again
}

func newModel(cfg Config) *model {
	m := &model{cfg: cfg, width: 80, height: 24, drawn: func() int64 { return 0 }}
	m.recall.history = cfg.History
	m.fresh()
	return m
}

// fresh begins a new input.
func (m *model) fresh() {
	m.buf.set("")
	m.recall.reset()
	m.menu, m.search, m.top = nil, nil, 0
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return nil }

// finished is the message that Config.Run has returned.
type finished struct{ again bool }

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case finished:
		m.running = false
		if !msg.again {
			return m, tea.Quit
		}
		waiting := m.waiting
		m.waiting = nil
		cmds := []tea.Cmd{m.watch()}
		for i, w := range waiting {
			if m.running {
				m.waiting = append(m.waiting, waiting[i:]...)
				break
			}
			cmds = append(cmds, m.act(m.input(w)))
		}
		return m, tea.Batch(cmds[0], tea.Sequence(cmds[1:]...))
	case unseen:
		if !m.running && m.drawn() == int64(msg) {
			return m, m.release(func() bool { return true })
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		if m.running {
			m.waiting = append(m.waiting, msg)
			return m, nil
		}
		return m, m.act(m.input(msg))
	}
	return m, nil
}

func (m *model) input(msg tea.Msg) action {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return none
}

// act does what a key asked for.
func (m *model) act(a action) tea.Cmd {
	switch a {
	case accept:
		return m.hand()
	case cancel:
		return m.leave("^C")
	case quit:
		return tea.Quit
	case clear:
		// The renderer moves from where it believes the cursor to be, never
		// above the first line: from there it draws all anew.
		return tea.Sequence(tea.Raw("\x1b[2J\x1b[H"), tea.ClearScreen)
	case suspend:
		return tea.Suspend
	}
	return nil
}

// settle is how long the reader of keys is given to hand over what it has read
// already: letting go of the terminal would otherwise wait for it far longer.
const settle = 3 * time.Millisecond

// hand gives the input to Config.Run, outside of the editor.
func (m *model) hand() tea.Cmd {
	run := m.release(func() (again bool) {
		again = m.pass()
		// What was typed ahead and is finished follows at once: the terminal
		// is not taken and given back in between.
		for again && m.ahead() {
			again = m.pass()
		}
		return again
	})
	return func() tea.Msg {
		time.Sleep(settle)
		return run()
	}
}

// release lets go of the terminal, does something, and takes it again.
func (m *model) release(do func() (again bool)) tea.Cmd {
	m.running = true
	again := false
	return tea.Exec(command(func() {
		again = do()
		// Bubble Tea 2.1 stops the ticker that draws in a goroutine of its own,
		// which must not come after it has been started again. See unseen, too.
		time.Sleep(settle)
	}), func(err error) tea.Msg {
		m.failed = err
		return finished{again && err == nil}
	})
}

// unseen is the message, some time after the terminal was taken again, of how
// often it had been written to then. If nothing was written since, the ticker
// that draws was stopped after all, and letting go once more starts it.
type unseen int64

// unseenAfter is longer than drawing ever waits.
const unseenAfter = 100 * time.Millisecond

func (m *model) watch() tea.Cmd {
	before := m.drawn()
	return tea.Tick(unseenAfter, func(time.Time) tea.Msg { return unseen(before) })
}

// screen is the terminal, whose writes are counted.
type screen struct {
	*os.File
	writes atomic.Int64
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.writes.Add(1)
	return s.File.Write(p)
}

// pass ends the input, and gives it to Config.Run.
func (m *model) pass() (again bool) {
	text := m.buf.text
	m.cfg.History.Add(text)
	m.fresh()
	rest, again := m.cfg.Run(text)
	m.buf.set(rest)
	return again
}

// ahead takes up the keys typed ahead, and reports whether they finish an input.
// Those that ask for something else, and all behind them, wait for the editor.
func (m *model) ahead() bool {
	for i, msg := range m.waiting {
		k, ok := msg.(tea.KeyPressMsg)
		if ok && (k.Mod.Contains(tea.ModCtrl) && k.Keystroke() != "ctrl+j" || k.Code == tea.KeyTab) {
			m.waiting = m.waiting[i:]
			return false
		}
		if m.input(msg) == accept {
			m.waiting = m.waiting[i+1:]
			return true
		}
	}
	m.waiting = nil
	return false
}

// command is a function as a tea.ExecCommand.
type command func()

func (c command) Run() error        { c(); return nil }
func (command) SetStdin(io.Reader)  {}
func (command) SetStdout(io.Writer) {}
func (command) SetStderr(io.Writer) {}

// leave shows what was written, as it stands, and begins anew: Ctrl-C.
func (m *model) leave(mark string) tea.Cmd {
	text := Echo(m.cfg, m.buf.text+mark, m.width)
	m.fresh()
	return tea.Println(text)
}
