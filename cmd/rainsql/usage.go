package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// plainWidth is how wide text is where there is no terminal.
const plainWidth = 79

// textWidth is how wide text for reading is on standard output.
func (s streams) textWidth() int {
	if !terminal(s.out) {
		return plainWidth
	}
	columns, _ := screenSize(s.out)
	return min(columns, widest)
}

// usage tells how a command is called: its forms, the commands below it and its
// flags, in lines that are not too long.
func (s streams) usage(c *cobra.Command) error {
	var sb strings.Builder
	sb.WriteString("Usage:\n")
	if c.Runnable() {
		fmt.Fprintf(&sb, "  %s\n", c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&sb, "  %s COMMAND\n\nCommands:\n", c.CommandPath())
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&sb, "  %-*s  %s\n", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	flags := func(title string, set *pflag.FlagSet) {
		if set.HasAvailableFlags() {
			fmt.Fprintf(&sb, "\n%s:\n%s\n", title, strings.TrimRight(set.FlagUsagesWrapped(s.textWidth()), " \n"))
		}
	}
	flags("Flags", c.LocalFlags())
	for p := c.Parent(); p != nil; p = p.Parent() {
		title := "Flags of every command"
		if p.HasParent() {
			title = "Flags of every command of " + p.Name()
		}
		flags(title, p.PersistentFlags())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&sb, "\n'%s help%s COMMAND' tells about a command.\n", c.Root().Name(), strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
	}
	_, err := fmt.Fprint(c.OutOrStderr(), sb.String())
	return err
}
