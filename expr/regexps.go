package expr

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

func regexpFunctions() []*entry {
	return []*entry{
		fn("regexp_matches", "whether the regular expression (RE2) matches anywhere in the text; also x ~ y", "regexp_matches('rainsql', '^r.*l$')", "true").alias("~").
			onFail("STRING, STRING -> BOOL", matchKernel(false)).checking(checkPattern(-1)).
			onFail("STRING, STRING, STRING -> BOOL", matchKernel(false)).checking(checkPattern(2)),
		fn("regexp_full_match", "whether the regular expression matches the whole text", "regexp_full_match('rain', 'r..')", "false").
			onFail("STRING, STRING -> BOOL", matchKernel(true)).checking(checkPattern(-1)).
			onFail("STRING, STRING, STRING -> BOOL", matchKernel(true)).checking(checkPattern(2)),
		fn("regexp_extract", "the first match, or its group of that number; empty if there is none", `regexp_extract('a=12', '=(\d+)', 1)`, "12").
			onFail("STRING, STRING -> STRING", extractKernel).checking(checkPattern(-1)).
			onFail("STRING, STRING, INT -> STRING", extractKernel).checking(checkPattern(-1)),
		fn("regexp_extract_all", "all matches, or their groups of that number, as a list", `regexp_extract_all('a1b22', '\d+')`, `["1","22"]`).
			onFail("STRING, STRING -> LIST<STRING>", extractAllKernel).checking(checkPattern(-1)).
			onFail("STRING, STRING, INT -> LIST<STRING>", extractAllKernel).checking(checkPattern(-1)),
		fn("regexp_replace", `the first match replaced, all with the option 'g'; \1 is a group`, `regexp_replace('a1b2', '\d', '#', 'g')`, "a#b#").
			onFail("STRING, STRING, STRING -> STRING", replaceKernel).checking(checkReplacement(-1)).
			onFail("STRING, STRING, STRING, STRING -> STRING", replaceKernel).checking(checkReplacement(3)),
	}
}

// checkPattern makes a test that finds a bad constant pattern before anything
// runs. The options are argument number options, or there are none (-1).
func checkPattern(options int) func(args []Expr) (int, error) {
	return func(args []Expr) (int, error) {
		with := ""
		if options >= 0 {
			var ok bool
			if with, ok = constantText(args[options]); !ok {
				return 0, nil
			}
			if _, err := compilePattern("", with); err != nil {
				return options, err
			}
		}
		if pattern, ok := constantText(args[1]); ok {
			if _, err := compilePattern(pattern, with); err != nil {
				return 1, err
			}
		}
		return 0, nil
	}
}

// checkReplacement also finds a group that the pattern does not have.
func checkReplacement(options int) func(args []Expr) (int, error) {
	return func(args []Expr) (int, error) {
		if at, err := checkPattern(options)(args); err != nil {
			return at, err
		}
		with, ok1 := constantText(args[2])
		pattern, ok2 := constantText(args[1])
		flags := ""
		if options >= 0 {
			if flags, ok2 = constantText(args[options]); !ok2 {
				return 0, nil
			}
		}
		if !ok1 || !ok2 {
			return 0, nil
		}
		re, err := compilePattern(pattern, flags)
		if err == nil {
			err = checkGroups(re, with)
		}
		return 2, err
	}
}

func constantText(e Expr) (string, bool) {
	l, ok := e.(*Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// compilePattern reads a regular expression under DuckDB's options: i and c for
// case, s for a dot that matches a newline, m and n for lines, l for literal
// text; g is for regexp_replace to see.
func compilePattern(pattern, options string) (*regexp.Regexp, error) {
	flags := ""
	for _, o := range options {
		switch o {
		case 'i':
			flags += "i"
		case 's':
			flags += "s"
		case 'm', 'n', 'p':
			flags += "m"
		case 'l':
			pattern = regexp.QuoteMeta(pattern)
		case 'c', 'g':
		default:
			return nil, fmt.Errorf("'%c' is no option of a regular expression: c, g, i, l, m and s are", o)
		}
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("bad regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// regexp is the compiled pattern of a row, kept for the next.
func (c *call) regexp(pattern, options string, whole bool) (*regexp.Regexp, error) {
	m := c.memo
	if m.re == nil || m.pattern != pattern || m.options != options {
		pattern, options = strings.Clone(pattern), strings.Clone(options)
		used := pattern
		if whole {
			used = `\A(?:` + pattern + `)\z`
		}
		re, err := compilePattern(used, options)
		if err != nil {
			return nil, err
		}
		m.re, m.pattern, m.options = re, pattern, options
	}
	return m.re, nil
}

// optional reads a text argument that may be missing.
func (c *call) optional(i int) func(row int) string {
	if i < len(c.args) {
		return textIn(c.args[i])
	}
	return func(int) string { return "" }
}

func matchKernel(whole bool) kernel {
	return func(c *call) (arrow.Array, error) {
		s, pattern, options := bytesIn(c.args[0]), textIn(c.args[1]), c.optional(2)
		return rows(c, boolOut(c), func(i int) (bool, error) {
			re, err := c.regexp(pattern(i), options(i), whole)
			return err == nil && re.Match(s(i)), err
		})
	}
}

// group reads the number of the group to give; without it, 0, the whole match.
func (c *call) group() func(row int) int64 {
	if len(c.args) > 2 {
		return intIn(c.args[2])
	}
	return func(int) int64 { return 0 }
}

func checkGroup(re *regexp.Regexp, g int64) error {
	if g < 0 || g > int64(re.NumSubexp()) {
		return fmt.Errorf("the regular expression has no group %d: its groups are 0, all of the match, to %d", g, re.NumSubexp())
	}
	return nil
}

func extractKernel(c *call) (arrow.Array, error) {
	s, pattern, group := bytesIn(c.args[0]), textIn(c.args[1]), c.group()
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		re, err := c.regexp(pattern(i), "", false)
		if err != nil {
			return nil, err
		}
		g := group(i)
		if err := checkGroup(re, g); err != nil {
			return nil, err
		}
		text := s(i)
		at := re.FindSubmatchIndex(text)
		if at == nil || at[2*g] < 0 {
			return nil, nil
		}
		return text[at[2*g]:at[2*g+1]], nil
	})
}

func extractAllKernel(c *call) (arrow.Array, error) {
	s, pattern, group := bytesIn(c.args[0]), textIn(c.args[1]), c.group()
	elems := vec.NewViewBuilder(c.mem, arrow.BinaryTypes.StringView, c.n)
	defer elems.Release()
	nulls, offs, null := vec.NewNulls(c.mem, c.n), make([]int32, c.n+1), c.anyNull()
	defer nulls.Release()
	for i := range c.n {
		if null != nil && null(i) {
			nulls.Set(i)
		} else {
			re, err := c.regexp(pattern(i), "", false)
			if err == nil {
				err = checkGroup(re, group(i))
			}
			if err != nil {
				return nil, &RowError{Row: i, Err: err}
			}
			g, text := 2*group(i), s(i)
			for _, at := range re.FindAllSubmatchIndex(text, -1) {
				if at[g] < 0 {
					elems.Append(nil)
				} else {
					elems.Append(text[at[g]:at[g+1]])
				}
			}
		}
		offs[i+1] = int32(elems.Len())
	}
	list := elems.Finish()
	defer list.Release()
	return vec.NewList(c.mem, list, offs, &nulls), nil
}

func replaceKernel(c *call) (arrow.Array, error) {
	s, pattern, with, options := bytesIn(c.args[0]), textIn(c.args[1]), textIn(c.args[2]), c.optional(3)
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		o := options(i)
		re, err := c.regexp(pattern(i), o, false)
		if err != nil {
			return nil, err
		}
		if err := checkGroups(re, with(i)); err != nil {
			return nil, err
		}
		most := 1
		if strings.Contains(o, "g") {
			most = -1
		}
		text, last := s(i), 0
		buf = buf[:0]
		for _, at := range re.FindAllSubmatchIndex(text, most) {
			buf = append(buf, text[last:at[0]]...)
			buf = appendReplacement(buf, with(i), text, at)
			last = at[1]
		}
		buf = append(buf, text[last:]...)
		return buf, nil
	})
}

// checkGroups reads a replacement, in which \0 to \9 are groups and \\ is \.
func checkGroups(re *regexp.Regexp, with string) error {
	for i := strings.IndexByte(with, '\\'); i >= 0 && i < len(with); i++ {
		if with[i] != '\\' {
			continue
		}
		if i++; i == len(with) {
			return errors.New(`a \ ends the replacement: \\ is a \, and \0 to \9 are groups`)
		}
		switch d := with[i]; {
		case d >= '0' && d <= '9':
			if err := checkGroup(re, int64(d-'0')); err != nil {
				return err
			}
		case d != '\\':
			return fmt.Errorf(`\%c in the replacement means nothing: \\ is a \, and \0 to \9 are groups`, d)
		}
	}
	return nil
}

// appendReplacement writes a replacement that has been checked.
func appendReplacement(dst []byte, with string, text []byte, at []int) []byte {
	for i := 0; i < len(with); i++ {
		if with[i] != '\\' {
			dst = append(dst, with[i])
			continue
		}
		i++
		if with[i] == '\\' {
			dst = append(dst, '\\')
		} else if d := 2 * int(with[i]-'0'); at[d] >= 0 {
			dst = append(dst, text[at[d]:at[d+1]]...)
		}
	}
	return dst
}
