package expr

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// unreadable is the error of text that is no value of t, with what to do about it.
func unreadable(s []byte, t types.Type) error {
	const most = 60
	shown := s
	if len(shown) > most {
		for shown = s[:most]; len(shown) > 0 && !utf8.RuneStart(s[len(shown)]); {
			shown = shown[:len(shown)-1]
		}
		shown = append(append([]byte{}, shown...), "…"...)
	}
	if trimmed := bytes.TrimSpace(s); t.IsNumeric() && text.IsNullWord(trimmed) {
		return fmt.Errorf("cannot read '%s' as %s; TRY_CAST makes it NULL, as does (null = '%s') behind the name of a csv", shown, t, trimmed)
	}
	return fmt.Errorf("cannot read '%s' as %s; %sTRY_CAST makes it NULL", shown, t, unreadHint(bytes.TrimSpace(s), t))
}

func unreadHint(s []byte, t types.Type) string {
	switch {
	case t.Kind == types.Date:
		return "write YYYY-MM-DD, strptime reads other forms, "
	case t.Kind == types.Timestamp:
		return "write YYYY-MM-DD hh:mm:ss, strptime reads other forms, "
	case t.Kind == types.Interval:
		return "write 10 minutes or 1 month, "
	case !t.IsNumeric() || len(s) > 60:
		return ""
	case forms().thousands.Match(s):
		return fmt.Sprintf("with thousands separators write replace(x, ',', '')::%s, ", t)
	case forms().european.Match(s):
		return fmt.Sprintf("with dots for thousands and a decimal comma write replace(replace(x, '.', ''), ',', '.')::%s, ", t)
	case forms().comma.Match(s):
		return fmt.Sprintf("with a decimal comma write replace(x, ',', '.')::%s, ", t)
	}
	return ""
}

// numberForms are numbers as people write them and RQL does not.
type numberForms struct{ thousands, european, comma *regexp.Regexp }

var forms = sync.OnceValue(func() *numberForms {
	return &numberForms{
		thousands: regexp.MustCompile(`^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$`),
		european:  regexp.MustCompile(`^[-+]?\d{1,3}(\.\d{3})+,\d*$`),
		comma:     regexp.MustCompile(`^[-+]?\d*,\d+$`),
	}
})

// onlyName is the name of the one column that e reads, or "".
func onlyName(e Expr) (name string) {
	id, several := -1, false
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok {
			several = several || id >= 0 && c.ID != id
			id, name = c.ID, c.Name
		}
		return true
	})
	if several {
		return ""
	}
	return name
}

// ofColumn says which column a value that failed is of.
func ofColumn(name string, err error) error {
	var r *RowError
	if name == "" || !errors.As(err, &r) {
		return err
	}
	return &RowError{Row: r.Row, Err: fmt.Errorf("column %q: %w", name, r.Err)}
}
