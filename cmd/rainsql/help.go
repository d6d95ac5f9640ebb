package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/internal/manual"
	"github.com/rainsql/rainsql/internal/pager"
	"github.com/rainsql/rainsql/internal/suggest"
)

// widest is the width beyond which lines of text are hard to read.
const widest = 100

// newHelp is the command help: of commands what cobra knows, of all else the manual.
func newHelp(std streams, sig *signals) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "Tell about a command, a verb, a function, an error, …",
		Long: `help tells about a command of rainsql (rainsql help fs put) or a topic of the
language: a verb (rainsql help filter), a function (rainsql help substring), a
setting, an option, a type, a section of the reference. 'rainsql help topics'
lists them, 'rainsql help tutorial' is where to begin.`,
		ValidArgsFunction: completeHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, " ")
			topic, err := manual.Find(name)
			if found, rest, e := cmd.Root().Find(args); e == nil && len(rest) == 0 {
				found.InitDefaultHelpFlag()
				found.InitDefaultVersionFlag()
				if e := found.Help(); e != nil {
					return e
				}
				if err == nil && len(args) > 0 {
					fmt.Fprintf(std.out, "\n'rainsql help %s' tells about it in the language.\n", strings.ToUpper(name))
				}
				return nil
			}
			if err != nil {
				return noHelp(cmd.Root(), err)
			}
			return std.page(cmd.Context(), sig, topic)
		},
	}
}

// page writes a topic; on a terminal that it is too long for it goes to a pager.
func (s streams) page(ctx context.Context, sig *signals, topic manual.Topic) error {
	screen := terminal(s.out)
	var sb strings.Builder
	if err := manual.Render(&sb, topic, s.textWidth(), screen && smart()); err != nil {
		return err
	}
	if _, lines := screenSize(s.out); screen && os.Getenv("TERM") != "dumb" && strings.Count(sb.String(), "\n") >= lines {
		if pager.Show(ctx, s.out, sig.other, sb.String()) {
			return nil
		}
	}
	_, err := io.WriteString(standardOut{s.out}, sb.String())
	return err
}

// noHelp adds commands to what a mistyped name may have meant.
func noHelp(root *cobra.Command, err error) error {
	var missing *manual.NotFoundError
	if !errors.As(err, &missing) {
		return err
	}
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := suggest.Nearest(missing.Name, names); near != "" && !slices.Contains(missing.Near, near) {
		missing.Near = slices.Insert(missing.Near, 0, near)
	}
	missing.List = "rainsql help topics"
	return usageError{err}
}

// completeHelp offers the commands, then the topics.
func completeHelp(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	if at, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
		for _, c := range at.Commands() {
			if c.IsAvailableCommand() && strings.HasPrefix(c.Name(), word) {
				list = append(list, cobra.CompletionWithDesc(c.Name(), c.Short))
			}
		}
	}
	if len(args) == 0 {
		low := strings.ToLower(word)
		for _, t := range manual.Topics() {
			name := strings.ToLower(t.Name)
			if strings.HasPrefix(name, low) && !strings.Contains(name, " ") && (word != "" || t.Kind != manual.Function && t.Kind != manual.Command) {
				list = append(list, cobra.CompletionWithDesc(word+name[len(low):], t.Title))
			}
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
