package namespace

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the most bytes of a file's name.
const MaxName = 1024

// CheckName says what is wrong with a file's name, as an ErrName, or nil.
//
// A name is a key, yet it must not be one that the query language would read as something
// else: as a local file (/x, ./x, ../x, ~x, file://x), as a folder (x/), as a broker
// (kafka://…) or as a glob (*, ?, [).
func CheckName(name string) error {
	bad := func(format string, args ...any) error {
		return &Refusal{Reason: ErrName, Name: shortName(name), Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case name == "":
		return bad("it is empty")
	case len(name) > MaxName:
		return bad("it has %d bytes, at most %d are allowed", len(name), MaxName)
	case !utf8.ValidString(name):
		return bad("it is not UTF-8")
	case strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~"):
		return bad("names that begin with %q are local files; leave that out", name[:1])
	case strings.HasSuffix(name, "/"):
		return bad("names that end with '/' are folders; add the file's own name")
	case strings.Contains(name, "://"):
		return bad("names with '://' stand for other systems; leave the scheme out")
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return bad("it holds the control character %q", r)
		}
		if strings.ContainsRune(`*?[]\`, r) {
			return bad("%q has a meaning in patterns; choose another character", r)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "":
			return bad("it has two '/' in a row")
		case ".", "..":
			return bad("the part %q belongs to local paths; leave it out", part)
		}
	}
	return nil
}

// shortName is a name as fit for a message.
func shortName(name string) string {
	const most = 100
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
