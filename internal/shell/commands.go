package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rainsql/rainsql/internal/suggest"
)

// backslash is a command of the prompt.
type backslash struct {
	name, argument, does string
	run                  func(s *Shell, ctx context.Context, argument string) error
}

// commands are all of them, in the order of \?. It is a function since \? reads it.
func commands() []backslash {
	return []backslash{
		{`\?`, "", "this list", (*Shell).listCommands},
		{`\h`, "[TOPIC]", "help on a verb, a function …; alone: the topics", (*Shell).help},
		{`\q`, "", "leave; exit, quit and Ctrl-D do too", func(*Shell, context.Context, string) error { return errQuit }},
		{`\d`, "[FILE]", "columns of a file or a LET; alone: stored files, LETs", (*Shell).describe},
		{`\df`, "[PATTERN]", "the functions whose names match, such as \\df date*", (*Shell).functions},
		{`\set`, "[NAME VALUE]", "a setting, or a parameter ($NAME); alone: all of them", (*Shell).set},
		{`\format`, "[FORMAT]", "how rows are shown: table, csv, json, markdown …", (*Shell).format},
		{`\x`, "[on|off]", "one line a column instead of one a row", (*Shell).expanded},
		{`\pager`, "[auto|on|off]", "page results that are too long; on: cut ones too", (*Shell).setPager},
		{`\timing`, "[on|off]", "tell what each statement took and read", (*Shell).timing},
		{`\o`, "[FILE]", "results go to a file; alone: to the screen again", (*Shell).output},
		{`\i`, "FILE", "run a script, which may hold commands too", (*Shell).includeCommand},
		{`\watch`, "[SECONDS]", "run the last statements again and again, until Ctrl-C", (*Shell).watch},
		{`\!`, "COMMAND", "run a command of the shell", (*Shell).system},
	}
}

// command runs a command.
func (s *Shell) command(ctx context.Context, word, argument string) error {
	all := commands()
	names := make([]string, len(all))
	for i, c := range all {
		if c.name == word {
			return c.run(s, ctx, argument)
		}
		names[i] = c.name
	}
	if word[0] == '.' {
		return fmt.Errorf(`no command %s: commands begin with \; \? lists them`, word)
	}
	if near := suggest.Nearest(word, names); near != "" && len(word) > 2 {
		return fmt.Errorf(`no command %s; did you mean %s? \? lists them`, word, near)
	}
	return fmt.Errorf(`no command %s; \? lists them`, word)
}

func (s *Shell) listCommands(context.Context, string) error {
	var sb strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&sb, "  %-22s %s\n", strings.TrimSpace(c.name+" "+c.argument), c.does)
	}
	sb.WriteString(`
A statement ends with ; and may take several lines. LETs and settings last for
the session. Tab completes, Ctrl-R searches what was entered, Ctrl-C gives up a
line or stops a query, Alt-Enter begins a line in the midst of one.
`)
	_, err := io.WriteString(s.cfg.Out, sb.String())
	return err
}

// toggle reads on or off; without either it is the other of what it was.
func toggle(word, argument string, now bool) (bool, error) {
	switch strings.ToLower(argument) {
	case "":
		return !now, nil
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return now, fmt.Errorf("%s takes on or off, not %q", word, argument)
}

func (s *Shell) includeCommand(ctx context.Context, argument string) error {
	path := unquote(argument)
	if path == "" {
		return fmt.Errorf(`\i takes the name of a script: \i query.rql`)
	}
	return s.include(ctx, path)
}

// system runs a command of the shell on the terminal. Ctrl-C reaches it from
// there, and is not ours to act on.
func (s *Shell) system(_ context.Context, argument string) error {
	if argument == "" {
		return fmt.Errorf(`\! takes a command of the shell: \! ls`)
	}
	defer s.cfg.Aside()()
	cmd := exec.CommandContext(s.program, "sh", "-c", argument)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.cfg.In, s.cfg.Screen, s.cfg.Screen
	if err := cmd.Run(); err != nil {
		return fmt.Errorf(`\! %s: %w`, argument, err)
	}
	return nil
}

// unquote reads an argument that may be in quotes, or a path with ~.
func unquote(argument string) string {
	argument = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(argument), ";"))
	if n := len(argument); n >= 2 && argument[0] == argument[n-1] && (argument[0] == '\'' || argument[0] == '"') {
		quote := argument[:1]
		return strings.ReplaceAll(argument[1:n-1], quote+quote, quote)
	}
	if rest, ok := strings.CutPrefix(argument, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return home + "/" + rest
		}
	}
	return argument
}
