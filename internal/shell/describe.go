package shell

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/internal/manual"
	"github.com/rainsql/rainsql/internal/pager"
)

// describe shows the columns of a table, or lists what there is: \d.
func (s *Shell) describe(ctx context.Context, argument string) error {
	argument = strings.TrimSuffix(argument, ";")
	if argument == "" {
		files, err := s.cfg.Session.Files(ctx, "")
		if err != nil {
			return err
		}
		if len(files) == 0 {
			fmt.Fprintln(s.cfg.Out, "the store holds no files")
		} else if err := s.show(ctx, "SHOW FILES;"); err != nil {
			return err
		}
		if names := s.cfg.Session.Lets(); len(names) > 0 {
			fmt.Fprintf(s.cfg.Out, "LET: %s\n", strings.Join(names, ", "))
		}
		return nil
	}
	table := argument
	if strings.ContainsAny(argument, "./*'~") { // a path needs no quotes here
		table = "'" + strings.ReplaceAll(unquote(argument), "'", "''") + "'"
	}
	return s.show(ctx, "DESCRIBE "+table+";")
}

// functions lists functions: \df.
func (s *Shell) functions(_ context.Context, argument string) error {
	pattern := strings.ToLower(argument)
	if !strings.ContainsAny(pattern, "*?[") {
		pattern += "*"
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf(`\df %s: not a pattern; write * for any letters`, argument)
	}
	table := listing.Texts("name", "takes", "does")
	n := 0
	for _, f := range expr.Functions() {
		matched := false
		for _, name := range append([]string{f.Name}, f.Aliases...) {
			if ok, _ := path.Match(pattern, name); ok {
				matched = true
			}
		}
		if matched {
			table.Add(f.Name, strings.Join(f.Signatures, "; "), f.Description)
			n++
		}
	}
	if n == 0 {
		return fmt.Errorf(`no function is called %s; \df lists all`, argument)
	}
	out, err := s.cfg.Handler(s.shown()).Rows(table.Schema)
	if err != nil {
		return err
	}
	return table.WriteTo(out)
}

// help shows a topic of the manual: \h.
func (s *Shell) help(_ context.Context, argument string) error {
	if argument == "" {
		argument = "topics"
	}
	topic, err := manual.Find(argument)
	if err != nil {
		return err
	}
	columns, lines := s.cfg.Size()
	var sb strings.Builder
	if err := manual.Render(&sb, topic, columns, s.cfg.Color); err != nil {
		return err
	}
	if s.pager != "off" && strings.Count(sb.String(), "\n") >= lines {
		if pager.Show(s.program, s.cfg.Screen, s.cfg.Aside, sb.String()) {
			return nil
		}
	}
	_, err = io.WriteString(s.cfg.Out, sb.String())
	return err
}
