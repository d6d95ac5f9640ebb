// Command docgen prints the function reference, docs/FUNCTIONS.md, from the
// function table.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/internal/manual"
)

func main() {
	w := bufio.NewWriter(os.Stdout)
	fmt.Fprint(w, "# Functions\n\nWritten by `make generate` from the function table; `SHOW FUNCTIONS` lists the same. In a signature `T` is one type "+
		"throughout, `any` any type, and `…` repeats what is before it. Every example is run by a test.\n")
	functions := expr.Functions()
	for _, t := range manual.Categories() {
		fmt.Fprintf(w, "\n## %s\n\n| function | takes | does | example | gives |\n| --- | --- | --- | --- | --- |\n", t.Title)
		for _, f := range functions {
			if f.Category == t.Name {
				row(w, f)
			}
		}
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func row(w *bufio.Writer, f expr.Function) {
	name := code(f.Name)
	if len(f.Aliases) > 0 {
		name += ", also " + code(strings.Join(f.Aliases, ", "))
	}
	does := f.Description
	if f.CanFail {
		does += "; can fail"
	}
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", name, escape(strings.Join(f.Signatures, "; ")), escape(does), code(f.Example), code(f.Result))
}

func code(s string) string {
	if s == "" {
		return ""
	}
	if strings.Contains(s, "`") {
		return escape(s)
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func escape(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_").Replace(s)
}
