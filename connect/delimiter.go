package connect

import "strings"

// OtherDelimiter finds what may separate the fields of a csv whose first row has
// been read as one field: it returns ; or | or a tab, as the option delimiter has
// it, or "" where there is none of them.
func OtherDelimiter(first string) string {
	switch i := strings.IndexAny(first, ";\t|"); {
	case i < 0:
		return ""
	case first[i] == '\t':
		return `\t`
	default:
		return first[i : i+1]
	}
}
