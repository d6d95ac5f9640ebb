package connect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
)

// Options are what a query may say in parentheses after a source or a sink.
// They are plain data that travels with a plan; a nil pointer and an empty
// string mean "not said".
type Options struct {
	Format    string       `json:"format,omitempty"`    // a name of formats.Names; else inferred from the path
	Header    *bool        `json:"header,omitempty"`    // csv, tsv: the first line holds names (default true)
	Delimiter *string      `json:"delimiter,omitempty"` // csv, tsv: one byte, or \t
	Quote     *string      `json:"quote,omitempty"`     // csv, tsv: one byte; empty turns quoting off
	Null      *string      `json:"null,omitempty"`      // csv, tsv: unquoted text that also means NULL
	Columns   types.Schema `json:"columns,omitempty"`   // types by column name; may be partial
	OnError   string       `json:"on_error,omitempty"`  // fail (default), null or skip
	Mode      string       `json:"mode,omitempty"`      // sinks: replace (default), append or error

	// Like is not said by a query: it tells one file of many the columns of the
	// first, whose types those of the same name take without a look at the rows.
	Like types.Schema `json:"-"`
}

// OnError is what a reader does with a value or row that does not fit.
type OnError uint8

// The choices of the option on_error.
const (
	Fail     OnError = iota // stop with an error
	Nullify                 // put NULL in place of the value, and go on
	SkipRows                // leave the row out, and go on
)

// ErrorPolicy reads the option on_error.
func (o Options) ErrorPolicy() (OnError, error) {
	switch strings.ToLower(o.OnError) {
	case "", "fail":
		return Fail, nil
	case "null":
		return Nullify, nil
	case "skip":
		return SkipRows, nil
	}
	return Fail, fmt.Errorf("on_error = '%s' is not known: use 'fail', 'null' or 'skip'", o.OnError)
}

// WriteMode is what a sink does with a file that is there already.
type WriteMode uint8

// The choices of the option mode.
const (
	Replace  WriteMode = iota // the new content takes its place
	Append                    // the rows go to its end
	MustFail                  // it is an error
)

// WriteMode reads the option mode.
func (o Options) WriteMode() (WriteMode, error) {
	switch strings.ToLower(o.Mode) {
	case "", "replace":
		return Replace, nil
	case "append":
		return Append, nil
	case "error":
		return MustFail, nil
	}
	return Replace, fmt.Errorf("mode = '%s' is not known: use 'replace', 'append' or 'error'", o.Mode)
}

// Error is a fault in a file's content or use, told to the user. It prints as
// FILE:LINE: column "X": MSG; HINT, leaving out what is not known.
type Error struct {
	File   string
	Line   int64 // from 1; 0 where it makes no sense
	Column string
	Msg    string // what is wrong
	Hint   string // what to do about it
	Err    error  // the cause, for errors.Is; not printed
}

// Error formats the fault on one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithFile names the file in err where it is an *Error that lacks one.
func WithFile(err error, file string) error {
	if e, ok := errors.AsType[*Error](err); ok && e.File == "" {
		named := *e
		named.File = file
		return &named
	}
	return err
}

// Suggest returns the name among names that is nearest to a mistyped one, as a
// hint (did you mean "x"?), or what there is to choose from.
func Suggest(name string, names []string) string {
	if near := suggest.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	const most = 20
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "…")
	}
	return "there are: " + strings.Join(names, ", ")
}
