package dag

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/connect"
)

// checkSharing reports whether so many tasks can write the target in this way.
func (s *Sink) checkSharing(tasks int) error {
	folder := strings.HasSuffix(s.Path, "/")
	possible := false
	switch s.Sharing {
	case "":
		possible = tasks == 1 && !folder
	case connect.BySplit, connect.ByTask:
		possible = s.Options.Divisible() && !folder
	case connect.InParts:
		possible = folder
	}
	if !possible || s.Sharing != "" && connect.IsLocal(s.Path) {
		return fmt.Errorf("a sink '%s' (%s) in %d tasks, %q", s.Path, s.Options.Format, tasks, s.Sharing)
	}
	return nil
}
