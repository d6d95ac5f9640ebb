package expr

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// Explain splits the error into what is wrong and what to do, as diagnostics show it.
func (e *FuncError) Explain() (msg, hint string) {
	switch {
	case e.Err != nil:
		msg, hint, _ = strings.Cut(e.Err.Error(), "; ")
		return msg, hint
	case e.Accepts == nil && e.Suggest != "":
		return fmt.Sprintf("no function %q", e.Fn), fmt.Sprintf("did you mean %q?", e.Suggest)
	case e.Accepts == nil:
		return fmt.Sprintf("no function %q", e.Fn), "SHOW FUNCTIONS lists what there is"
	}
	msg, hint, _ = strings.Cut(e.Error(), "; ")
	return msg, hint
}

// TextForNumber returns the place of an argument that is text where all that the
// call takes is numbers, or stands beside a number in a comparison; else -1.
func (e *FuncError) TextForNumber() int {
	at, numbers := -1, 0
	for i, t := range e.Args {
		switch {
		case t.Kind == types.String && at < 0:
			at = i
		case t.IsNumeric():
			numbers++
		default:
			return -1
		}
	}
	switch {
	case at < 0, e.Err != nil:
		return -1
	case comparison[e.Fn] && numbers > 0:
		return at
	}
	if len(e.Accepts) == 0 {
		return -1
	}
	number := false
	for _, s := range e.Accepts {
		left, _, _ := strings.Cut(s, "->")
		params := strings.Split(strings.TrimSpace(left), ", ")
		if len(params) <= at {
			continue
		}
		switch p := params[at]; p {
		case "STRING":
			return -1
		case "INT", "DECIMAL", "FLOAT":
			number = true
		}
	}
	if !number {
		return -1
	}
	return at
}

// IsFunction reports whether name is a scalar function or operator.
func IsFunction(name string) bool {
	_, ok := lookup(name)
	return ok
}
