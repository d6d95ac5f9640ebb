// Package shell is the prompt: statements and commands read one after another,
// in one session, from a terminal that is edited on, from a dumb one, or from a
// script.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/internal/shell/editor"
)

// Config is what a shell works with. The functions are called from one goroutine.
type Config struct {
	Session *engine.Session
	In      *os.File  // the terminal or the script
	Screen  *os.File  // the terminal that is written to while editing
	Out     io.Writer // results
	Err     io.Writer // everything else

	// Handler makes what shows the results of one input.
	Handler func(View) engine.Handler
	// Interrupt returns a context that Ctrl-C ends, for one input; done ends it.
	Interrupt func(context.Context) (ctx context.Context, done func())
	// Aside says that another program has the terminal, and that Ctrl-C is meant
	// for it too; done ends that.
	Aside func() (done func())
	// Size is the size of the screen, in columns and lines.
	Size func() (columns, lines int)

	Greeting string // the first line that is shown
	Color    bool   // of what is edited and shown on the screen
	ErrColor bool   // of messages
	History  string // file of what was entered; "": it is not kept
	Startup  string // file whose inputs are run first, if there is one; "": none
	View     View   // to begin with
}

// View is how results are shown.
type View struct {
	Format   string
	Expanded bool
	Timing   bool
	MaxRows  int // rows of a table that are shown; 0: all
	Null     string
	Out      io.Writer             // where the rows go, or nil: to the screen
	File     string                // the name of Out
	Page     func() io.WriteCloser // begins a pager for what is too long, or nil
	PageCut  bool                  // and for what is too wide
}

// Shell is one session at the prompt. It is used by one goroutine.
type Shell struct {
	cfg          Config
	program      context.Context // ends when the program does
	view         View
	pager        string // auto, on or off
	out          output // of \o
	screenFormat string // of results on the screen, while \o leads elsewhere
	last         string // the last statements, for \watch
	depth        int    // of \i
}

// New returns a shell, whose programs end with ctx.
func New(ctx context.Context, cfg Config) *Shell {
	return &Shell{cfg: cfg, program: ctx, view: cfg.View, pager: "auto"}
}

// errQuit ends the session.
var errQuit = errors.New("quit")

// Edit runs the prompt on a terminal that can be edited on. It returns when the
// user leaves.
func (s *Shell) Edit(ctx context.Context) error {
	history, err := openHistory(s.cfg.History)
	if err != nil {
		fmt.Fprintf(s.cfg.Err, "what is entered will not be remembered: %v\n", err)
	}
	if err := s.start(ctx); err != nil {
		return leaving(err)
	}
	fmt.Fprintln(s.cfg.Screen, s.cfg.Greeting)
	var ed editor.Config
	var ended error
	ed = editor.Config{
		Prompt:   "rainsql> ",
		Continue: "      -> ",
		Color:    s.cfg.Color,
		Finished: Finished,
		History:  history,
		Complete: func(text string, at int) (int, int, []editor.Item) { return s.complete(ctx, text, at) },
		Stuck:    "the statement has no ; yet: Ctrl-C gives it up",
		Run: func(text string) (rest string, again bool) {
			columns, _ := s.cfg.Size()
			fmt.Fprintln(s.cfg.Screen, editor.Echo(ed, text, columns))
			rest, ended = s.enter(ctx, text)
			return rest, ended == nil
		},
	}
	if s.cfg.Color {
		ed.Colour = Colour
	}
	if err := editor.Run(ctx, s.cfg.In, s.cfg.Screen, ed); err != nil {
		return err
	}
	if ended == nil {
		fmt.Fprintln(s.cfg.Screen) // Ctrl-D leaves the cursor behind the prompt
	}
	return leaving(ended)
}

// start runs the startup file.
func (s *Shell) start(ctx context.Context) error {
	if s.cfg.Startup == "" {
		return nil
	}
	b, err := os.ReadFile(s.cfg.Startup)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		fmt.Fprintf(s.cfg.Err, "the startup file cannot be read: %v\n", err)
		return nil
	}
	return s.each(ctx, s.cfg.Startup, string(b), s.input)
}

// Script runs a script that may hold commands, up to its first error.
func (s *Shell) Script(ctx context.Context, name, text string) error {
	return leaving(s.each(ctx, name, text, s.run))
}

// leaving is an error of the session: to leave is none.
func leaving(err error) error {
	if errors.Is(err, errQuit) {
		return nil
	}
	return err
}

// enter runs what was entered. A command behind a statement that is not finished
// is run, and the statement goes on.
func (s *Shell) enter(ctx context.Context, text string) (rest string, err error) {
	before, last := split(text)
	if last == "" || whole(before) {
		return "", s.each(ctx, "prompt", text, s.input)
	}
	if !strings.HasPrefix(strings.TrimSpace(last), `\`) {
		fmt.Fprintln(s.cfg.Err, `the statement has no ; yet: Ctrl-C gives it up, \q leaves`)
		return before, nil
	}
	return before, s.input(ctx, "prompt", last)
}

// input runs one input and shows its error, which does not end the session.
func (s *Shell) input(ctx context.Context, name, text string) error {
	err := s.run(ctx, name, text)
	switch {
	case err == nil, errors.Is(err, errQuit):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	// A carriage return, since the terminal has shown ^C where the error goes.
	fmt.Fprintln(s.cfg.Err, "\r"+s.shownError(err))
	return nil
}

// shownError is an error as the prompt shows it: what is wrong stands out, and
// nothing that a name or a file holds acts on the terminal.
func (s *Shell) shownError(err error) string {
	columns, _ := s.cfg.Size()
	text := render.Wrap(render.Clean(err.Error()), columns)
	if !s.cfg.ErrColor {
		return text
	}
	first, rest, more := strings.Cut(text, "\n")
	if more {
		rest = "\n" + rest
	}
	return "\x1b[31m" + first + "\x1b[0m" + rest
}

// run runs one input: a command, or statements.
func (s *Shell) run(ctx context.Context, name, text string) error {
	ctx, done := s.cfg.Interrupt(ctx)
	defer done()
	if word, argument, ok := command(text); ok {
		return s.command(ctx, word, argument)
	}
	if strings.TrimSpace(text) == "" {
		return nil
	}
	s.last = text
	return s.statements(ctx, name, text)
}

// statements runs RQL. Rows go where \o leads.
func (s *Shell) statements(ctx context.Context, name, text string) error {
	v := s.shown()
	if s.out.path == "" {
		return s.cfg.Session.Run(ctx, name, text, s.cfg.Handler(v))
	}
	return s.out.take(v, func(v View) error { return s.cfg.Session.Run(ctx, name, text, s.cfg.Handler(v)) })
}

// show runs RQL that answers a command, to the screen.
func (s *Shell) show(ctx context.Context, text string) error {
	return s.cfg.Session.Run(ctx, "prompt", text, s.cfg.Handler(s.shown()))
}

// shown is how the next result is shown.
func (s *Shell) shown() View {
	v := s.view
	if v.Page = nil; s.pager != "off" {
		v.Page = s.page
		v.PageCut = s.pager == "on"
	}
	return v
}
