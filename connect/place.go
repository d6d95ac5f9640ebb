package connect

import (
	"os"
	"path/filepath"
	"strings"
)

// IsLocal reports whether a path of the language names a file of this machine:
// one that begins with ./ ../ / ~ or file://. Any other names a file of the
// store, or a broker if it has a scheme.
func IsLocal(path string) bool {
	if path == "." || path == ".." || path == "~" {
		return true
	}
	for _, p := range []string{"./", "../", "/", "~/", "file://"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// LocalPath turns such a path into one of the operating system.
func LocalPath(path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "file://"); ok {
		return rest, nil
	}
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &Error{File: path, Msg: "the home directory is not known: " + err.Error()}
		}
		return filepath.Join(home, strings.TrimPrefix(path, "~")), nil
	}
	return path, nil
}

// HasPattern reports whether a path has the signs of a pattern: * ? [ or {.
func HasPattern(path string) bool { return strings.ContainsAny(path, "*?[{") }
