package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var rewrite = flag.Bool("rewrite", false, "write the manual page anew")

// TestManPage holds docs/man/rainsql.1 to the commands and their flags, of
// which it is written: `make generate` runs this with -rewrite. It stands in a
// test so that nothing of it is part of the program.
func TestManPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "man", "rainsql.1")
	page := manPage(newRoot(&common{std: streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}}))
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Error("docs/man/rainsql.1 is old: run make generate")
	}
}

// manTail are the sections behind those of the commands.
var manTail = []struct{ title, text string }{
	{"THE PROMPT", "Without -f and -c, on a terminal, rainsql is a prompt. A statement ends with a semicolon and may take several lines; " +
		"Tab completes; \\h NAME tells about a verb or a function, \\? lists what else there is; exit leaves. 'rainsql help prompt' tells more."},
	{"ENVIRONMENT", "XDG_DATA_HOME\n\tThe file store lies in its folder rainsql; without it in ~/.local/share/rainsql.\n" +
		"XDG_STATE_HOME\n\tWhat was entered at the prompt lies in its file rainsql/history; without it below ~/.local/state.\n" +
		"RAINSQL_CONNECT\n\tWhere a cluster is, for the commands with --connect; those of fs then work on its files.\n" +
		"RAINSQL_CERTS, RAINSQL_TOKEN\n\tWhat --certs and --token would say.\n" +
		"RAINSQL_HISTORY\n\tAnother file for that; empty, none.\n" +
		"RAINSQLRC\n\tA script that the prompt runs first, in place of ~/.rainsqlrc; empty, none.\n" +
		"RAINSQL_PAGER, PAGER\n\tThe program by which the prompt and help show what is longer than the screen; without either less.\n" +
		"NO_COLOR\n\tIf it is set, nothing is coloured.\n" +
		"TERM\n\tA terminal that calls itself dumb gets neither colours nor progress.\n" +
		"COLUMNS, LINES\n\tThe size of a terminal that does not tell it."},
	{"FILES", "~/.local/share/rainsql\n\tThe file store.\n~/.local/state/rainsql/history\n\tWhat was entered at the prompt.\n" +
		"~/.rainsqlrc\n\tWhat the prompt runs first."},
	{"EXIT STATUS", "0\n\tDone.\n1\n\tThe query or command failed, or fmt -d found a difference.\n2\n\tWrong usage of the command line.\n" +
		"3\n\tThe cluster cannot be reached.\n130\n\tInterrupted. The first Ctrl-C cancels the query, a second leaves at once."},
	{"EXAMPLES", "The first rows of a file:\n\n\trainsql -c \"FROM './visits.csv' LIMIT 10\"\n\nWhat a script does, and then its answer as Parquet:\n\n" +
		"\trainsql explain -f slow.rql --param least=100\n\trainsql -f slow.rql --param least=100 -o slow.parquet\n\n" +
		"A file in the store, read by its name:\n\n\trainsql fs put visits.csv visits/january.csv\n\trainsql -c \"FROM 'visits/*.csv' AGGREGATE count(*) AS n BY page\""},
	{"SEE ALSO", "rainsql help tutorial, rainsql help topics, and the folder docs of the source: LANGUAGE.md, FUNCTIONS.md, ERRORS.md."},
}

// manPage writes the page in the man macros of roff. It has no date, so that
// it changes only with what it describes.
func manPage(root *cobra.Command) string {
	var sb strings.Builder
	sb.WriteString(".\\\" Written by make generate from the commands; do not edit.\n.TH RAINSQL 1 \"\" rainsql \"User Commands\"\n")
	fmt.Fprintf(&sb, ".SH NAME\nrainsql \\- %s\n", roff(lowerFirst(root.Short)))
	sb.WriteString(".SH SYNOPSIS\n.nf\n")
	commands := below(root)
	for _, c := range append([]*cobra.Command{root}, commands...) {
		if !c.HasSubCommands() || c == root {
			fmt.Fprintf(&sb, "\\fB%s\\fR %s\n", c.CommandPath(), roff(strings.TrimSpace(strings.TrimPrefix(c.Use, c.Name()))))
		}
	}
	sb.WriteString(".fi\n.SH DESCRIPTION\n" + paragraphs(root.Long) + ".SH OPTIONS\n")
	options(&sb, root.LocalFlags())
	sb.WriteString(".SH COMMANDS\n")
	for _, c := range commands {
		fmt.Fprintf(&sb, ".SS %s\n", roff(strings.TrimPrefix(c.CommandPath(), root.Name()+" ")+strings.TrimPrefix(c.Use, c.Name())))
		if c.Long != "" {
			sb.WriteString(paragraphs(c.Long))
		} else {
			sb.WriteString(roff(c.Short) + ".\n")
		}
		options(&sb, c.LocalNonPersistentFlags())
		options(&sb, c.PersistentFlags())
	}
	for _, s := range manTail {
		sb.WriteString(".SH " + s.title + "\n" + paragraphs(s.text))
	}
	return sb.String()
}

// below lists the commands, each before those below it.
func below(c *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			list = append(append(list, sub), below(sub)...)
		}
	}
	return list
}

func options(sb *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "\\-\\-" + f.Name
		if f.Shorthand != "" {
			name = "\\-" + f.Shorthand + "\\fR, \\fB" + name
		}
		value := ""
		if f.Value.Type() != "bool" {
			value = " \\fI" + cmp.Or(map[string]string{"stringArray": "name=value", "string": "value", "int64": "n", "uint64": "n"}[f.Value.Type()], f.Value.Type()) + "\\fR"
		}
		_, usage := pflag.UnquoteUsage(f)
		if f.DefValue != "" && !slices.Contains([]string{"false", "[]"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(sb, ".TP\n\\fB%s\\fR%s\n%s.\n", name, value, roff(usage))
	})
}

// paragraphs writes text. Lines that are indented stay as they are; behind a
// line of their own, those that begin with a tab say what it means.
func paragraphs(text string) string {
	var sb strings.Builder
	lines := strings.Split(text, "\n")
	literal := false
	for i, line := range lines {
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		next := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t")
		switch {
		case line == "":
			if literal {
				sb.WriteString(".fi\n.RE\n.PP\n")
			} else {
				sb.WriteString(".PP\n")
			}
			literal = false
		case !indented && next:
			sb.WriteString(".TP\n\\fB" + roff(line) + "\\fR\n")
		case indented && (i == 0 || lines[i-1] == ""):
			sb.WriteString(".PP\n.RS 4\n.nf\n" + roff(strings.TrimSpace(line)) + "\n")
			literal = true
		default:
			sb.WriteString(roff(strings.TrimSpace(line)) + "\n")
		}
	}
	if literal {
		sb.WriteString(".fi\n.RE\n")
	}
	return strings.ReplaceAll(sb.String(), ".PP\n.PP\n", ".PP\n")
}

// roff writes text so that nothing in it is a command.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "…", "...", "·", `\(bu`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
