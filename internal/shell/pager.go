package shell

import (
	"io"

	"github.com/rainsql/rainsql/internal/pager"
)

// page begins a pager for one result; nil if there is none to be had.
func (s *Shell) page() io.WriteCloser {
	if p := pager.Start(s.program, s.cfg.Screen, s.cfg.Aside); p != nil {
		return p
	}
	return nil
}
