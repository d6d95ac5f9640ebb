//go:build !unix

package local

import (
	"os"

	"github.com/rainsql/rainsql/connect"
)

func descriptor(string) (int, bool) { return 0, false }

func openDescriptor(_ int, display string) (*os.File, error) {
	return nil, &connect.Error{File: display, Msg: "is no open file"}
}
