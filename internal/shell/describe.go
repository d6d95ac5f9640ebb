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
)

// describe shows the columns of a table, or lists what there is: \d.
func (s *Shell) describe(ctx context.Context, argument string) error {
	argument = strings.TrimSuffix(argument, ";")
	if argument == "" {
		if err := s.statements(ctx, "prompt", "SHOW FILES;"); err != nil {
			return err
		}
		if names := s.cfg.Session.Lets(); len(names) > 0 {
			fmt.Fprintf(s.cfg.Out, "LET: %s\n", strings.Join(names, ", "))
		}
		return nil
	}
	table := argument
	if argument[0] != '\'' && strings.ContainsAny(argument, "./*") {
		table = "'" + strings.ReplaceAll(argument, "'", "''") + "'" // a path needs no quotes here
	}
	return s.statements(ctx, "prompt", "DESCRIBE "+table+";")
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
	v := s.view
	if v.Page = nil; s.pager != "off" && v.Out == nil {
		v.Page = s.page
	}
	out, err := s.cfg.Handler(v).Rows(table.Schema)
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
		if p := s.page(); p != nil {
			_, werr := io.WriteString(p, sb.String())
			if err := p.Close(); err != nil || werr == errPagerLeft { //nolint:errorlint // it comes as it is
				return err
			}
			return werr
		}
	}
	_, err = io.WriteString(s.cfg.Out, sb.String())
	return err
}
