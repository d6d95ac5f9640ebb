package analyze

import (
	"strings"

	"github.com/rainsql/rainsql/connect"
)

// within reports that a path is that of a target, or that of a file, or of files, in a folder that is one.
func within(path, target string) bool {
	return path == target || strings.HasSuffix(target, "/") && !connect.IsLocal(target) && strings.HasPrefix(path, target)
}

// isWritten reports that an earlier statement writes what a path names.
func (a *Analyzer) isWritten(p string) bool {
	p = cleanPath(p)
	if a.written[p] {
		return true
	}
	for target := range a.written {
		if within(p, target) {
			return true
		}
	}
	return false
}
