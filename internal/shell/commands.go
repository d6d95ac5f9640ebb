package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

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
		{`\h`, "[TOPIC]", "help on a verb, a function, a setting; alone: what there is", (*Shell).help},
		{`\q`, "", "leave; exit, quit and Ctrl-D do too", func(*Shell, context.Context, string) error { return errQuit }},
		{`\d`, "[FILE]", "the columns of a file or a LET; alone: the files of the store, and the LETs", (*Shell).describe},
		{`\df`, "[PATTERN]", "the functions whose names match, such as \\df date*", (*Shell).functions},
		{`\set`, "[NAME VALUE]", "change a setting, or $NAME VALUE a parameter; alone: all settings", (*Shell).set},
		{`\format`, "[FORMAT]", "how rows are shown: table, csv, json, markdown …", (*Shell).format},
		{`\x`, "[on|off]", "one line a column instead of one a row", (*Shell).expanded},
		{`\pager`, "[auto|on|off]", "page results that do not fit the screen; off shortens them", (*Shell).setPager},
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
	if near := suggest.Nearest(word, names); near != "" {
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

// system runs a command of the shell on the terminal.
func (s *Shell) system(ctx context.Context, argument string) error {
	if argument == "" {
		return fmt.Errorf(`\! takes a command of the shell: \! ls`)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", argument)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.cfg.In, s.cfg.Screen, s.cfg.Screen
	if err := cmd.Run(); err != nil {
		return fmt.Errorf(`\! %s: %w`, argument, err)
	}
	return nil
}

// unquote reads an argument that may be a string of RQL, or a path with ~.
func unquote(argument string) string {
	argument = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(argument), ";"))
	if len(argument) >= 2 && argument[0] == '\'' && argument[len(argument)-1] == '\'' {
		argument = strings.ReplaceAll(argument[1:len(argument)-1], "''", "'")
	}
	if rest, ok := strings.CutPrefix(argument, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return home + "/" + rest
		}
	}
	return argument
}
