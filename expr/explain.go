package expr

import (
	"fmt"
	"strings"
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

// IsFunction reports whether name is a scalar function or operator.
func IsFunction(name string) bool {
	_, ok := lookup(name)
	return ok
}
