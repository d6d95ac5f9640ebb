package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/planner/analyze"
)

// newCompletion writes what a shell needs to complete a command line of ours.
func newCompletion(std streams) *cobra.Command {
	shells := map[string]func(root *cobra.Command, out standardOut) error{
		"bash":       func(root *cobra.Command, out standardOut) error { return root.GenBashCompletionV2(out, true) },
		"zsh":        func(root *cobra.Command, out standardOut) error { return root.GenZshCompletion(out) },
		"fish":       func(root *cobra.Command, out standardOut) error { return root.GenFishCompletion(out, true) },
		"powershell": func(root *cobra.Command, out standardOut) error { return root.GenPowerShellCompletionWithDesc(out) },
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Write the script by which a shell completes with Tab",
		Long: `completion writes the script by which a shell completes the commands, flags and
files of rainsql. 'make install' and the packages put it where shells look; to
try it in the shell you are in:

  source <(rainsql completion bash)   in bash, with its package bash-completion
  source <(rainsql completion zsh)    in zsh, once compinit has run
  rainsql completion fish | source    in fish`,
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || shells[args[0]] == nil {
				return usagef("completion takes the name of a shell: bash, zsh or fish")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return shells[args[0]](cmd.Root(), standardOut{std.out})
		},
	}
}

// completions tells all commands below root what their flags and arguments can
// be. It comes after they are made, for it goes by the names of the flags, and
// only where a shell asks: it takes longer than making them.
func completions(root *cobra.Command, c *common) {
	flags := map[string]cobra.CompletionFunc{
		"format":   cobra.FixedCompletions(render.Names(), cobra.ShellCompDirectiveNoFileComp),
		"progress": cobra.FixedCompletions([]cobra.Completion{"auto", "on", "off"}, cobra.ShellCompDirectiveNoFileComp),
		"set":      completeSetting,
		"param":    cobra.NoFileCompletions,
		"command":  cobra.NoFileCompletions,
		"rows":     cobra.NoFileCompletions,
		"seed":     cobra.NoFileCompletions,
		"connect":  cobra.NoFileCompletions,
		"token":    cobra.NoFileCompletions,
		"wait":     cobra.NoFileCompletions,
		"from":     cobra.NoFileCompletions,
		"data": func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	explain := map[string]cobra.CompletionFunc{
		"format": cobra.FixedCompletions([]cobra.Completion{"text", "json", "dot"}, cobra.ShellCompDirectiveNoFileComp),
	}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for name, complete := range flags {
			if cmd.Name() == "explain" && explain[name] != nil {
				complete = explain[name]
			}
			if cmd.LocalFlags().Lookup(name) != nil {
				if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
					panic(err) // two of one name: a mistake in this function
				}
			}
		}
		if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil {
			cmd.ValidArgsFunction = arguments(cmd, c)
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

// arguments completes what stands behind a command, by its line of usage: NAME
// is a name in the store, LOCAL and FILE are left to the shell.
func arguments(cmd *cobra.Command, c *common) cobra.CompletionFunc {
	words := strings.Fields(cmd.Use)[1:]
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(words) == 0 || strings.Contains(cmd.Use, "-f FILE") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		at := words[min(len(args), len(words)-1)]
		if len(args) >= len(words) && !strings.HasSuffix(at, "…") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		switch strings.Trim(at, "[]…") {
		case "NAME", "PATTERN", "FROM", "TO":
			return c.names(cmd, word), cobra.ShellCompDirectiveNoFileComp
		case "NODE", "NODE=LOCAL":
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

// completeSetting offers key= of --set.
func completeSetting(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	for _, s := range analyze.Settings() {
		if key := s.Name + "="; strings.HasPrefix(key, word) {
			list = append(list, cobra.CompletionWithDesc(key, s.Description))
		}
	}
	return list, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
