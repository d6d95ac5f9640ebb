package text

import "strings"

// IsNullWord reports text by which files say that a value is missing, such as n/a.
func IsNullWord(s []byte) bool {
	switch strings.ToLower(string(s)) {
	case "na", "n/a", "#n/a", "n.a.", "null", `\n`, "none", "nil", "-", "--", "?", "unknown", "missing":
		return true
	}
	return false
}
