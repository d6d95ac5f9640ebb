package column

import (
	"strconv"
	"strings"
)

// quoteName writes a column name as RQL reads it.
func quoteName(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

// quoteText writes a value in single quotes, with what cannot be shown escaped.
func quoteText(v []byte) string {
	q := strconv.Quote(string(v))
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return "'" + strings.ReplaceAll(q, "'", "''") + "'"
}
