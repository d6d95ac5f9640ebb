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
	// Paging says that a pager has the terminal; done ends it.
	Paging func() (done func())
	// Size is the size of the screen, in columns and lines.
	Size func() (columns, lines int)

	Greeting string // the first line that is shown
	Color    bool
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
	Out      io.Writer             // where \o leads, or nil
	File     string                // its name
	Page     func() io.WriteCloser // begins a pager, or nil
}

// Shell is one session at the prompt. It is used by one goroutine.
type Shell struct {
	cfg   Config
	view  View
	pager string   // auto, on or off
	file  *os.File // of \o
	last  string   // the last statements, for \watch
	depth int      // of \i
	paged bool     // a pager shows the present result
}

// New returns a shell. Close ends it.
func New(cfg Config) *Shell {
	return &Shell{cfg: cfg, view: cfg.View, pager: "auto"}
}

// Close closes the file of \o.
func (s *Shell) Close() error { return s.closeOut() }

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
		Run: func(text string) bool {
			columns, _ := s.cfg.Size()
			fmt.Fprintln(s.cfg.Screen, editor.Echo(ed, text, columns))
			ended = s.input(ctx, "prompt", text)
			return ended == nil
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

// shownError is an error as the prompt shows it: what is wrong stands out.
func (s *Shell) shownError(err error) string {
	text := err.Error()
	if !s.cfg.Color {
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

// statements runs RQL.
func (s *Shell) statements(ctx context.Context, name, text string) error {
	s.paged = false
	v := s.view
	if v.Page = nil; s.pager != "off" && v.Out == nil {
		v.Page = s.page
		if s.pager == "on" {
			v.MaxRows = 0
		}
	}
	err := s.cfg.Session.Run(ctx, name, text, s.cfg.Handler(v))
	if s.paged && errors.Is(err, errPagerLeft) {
		return nil // the reader has seen enough
	}
	return err
}
