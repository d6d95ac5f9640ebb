package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/internal/shell"
)

// prompt reads statements and commands from standard input: edited on a
// terminal, line by line on a dumb one, and as a script from anything else.
func (q *queryFlags) prompt(ctx context.Context, s *engine.Session) error {
	sh := shell.New(ctx, q.shellConfig(s))
	if !terminal(q.std.in) {
		text, err := io.ReadAll(q.std.in)
		if err != nil {
			return fmt.Errorf("standard input cannot be read: %w", err)
		}
		return sh.Script(ctx, "stdin", string(text))
	}
	idle := q.signals.atPrompt()
	if os.Getenv("TERM") == "dumb" || !terminal(q.screen()) {
		return sh.Lines(ctx, idle)
	}
	return sh.Edit(ctx)
}

// screen is what the prompt is written to: standard output, unless results go
// elsewhere than to the terminal.
func (q *queryFlags) screen() *os.File {
	if terminal(q.std.out) {
		return q.std.out
	}
	return q.std.err
}

func (q *queryFlags) shellConfig(s *engine.Session) shell.Config {
	interactive := terminal(q.std.in)
	c := shell.Config{
		Session: s, In: q.std.in, Screen: q.screen(), Out: standardOut{q.std.out}, Err: q.std.err,
		Handler:   q.shown,
		Interrupt: func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
		Aside:     q.signals.other,
		Size:      func() (int, int) { return screenSize(q.screen()) },
		View:      shell.View{Format: q.format, Timing: q.timer, MaxRows: screenRows},
	}
	if interactive {
		c.Interrupt = q.signals.during
		c.Color = smart() && terminal(q.screen())
		c.ErrColor = smart() && terminal(q.std.err)
		c.History, c.Startup = historyFile(), startupFile()
		c.Greeting = greeting(thisBuild().version)
	}
	return c
}

// greeting is the first line of the prompt. A version that is long, as those made
// of commits are, would break it.
func greeting(version string) string {
	const rest = `: statements end with ; and \? lists commands`
	if len("rainsql "+version+rest) < 80 {
		return "rainsql " + version + rest
	}
	return "rainsql" + rest
}

// shown makes the handler of one input of the prompt.
func (q *queryFlags) shown(v shell.View) engine.Handler {
	h := q.handler(v.Format)
	h.timer = v.Timing
	if v.Out != nil {
		h.out, h.file, h.screen, h.apart, h.table = v.Out, v.File, false, true, nil
		return h
	}
	if options := h.table; h.screen {
		h.table = func() render.Options {
			o := options()
			o.MaxRows, o.Expanded, o.Null = v.MaxRows, v.Expanded, v.Null
			if terminal(q.std.in) {
				o.Page, o.PageWide = v.Page, v.PageCut
			}
			return o
		}
	}
	return h
}

// historyFile is where the prompt keeps what was entered: $RAINSQL_HISTORY, or a
// file of the folder for the state of programs.
func historyFile() string {
	if path, ok := os.LookupEnv("RAINSQL_HISTORY"); ok {
		return path
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "rainsql", "history")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", "rainsql", "history")
	}
	return ""
}

// startupFile is what the prompt runs first: $RAINSQLRC, or ~/.rainsqlrc.
func startupFile() string {
	if path, ok := os.LookupEnv("RAINSQLRC"); ok {
		return path
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".rainsqlrc")
	}
	return ""
}
