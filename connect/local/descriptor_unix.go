//go:build unix

package local

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rainsql/rainsql/connect"
)

// descriptor returns the number of the open file that a path such as /dev/stdout
// or /dev/fd/3 stands for.
func descriptor(path string) (fd int, ok bool) {
	path = filepath.Clean(path)
	switch path {
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, found := strings.CutPrefix(path, dir); found {
			n, err := strconv.Atoi(number)
			return n, err == nil && n >= 0
		}
	}
	return 0, false
}

// openDescriptor opens what an open file leads to once more, at the place where
// it stands: to replace the file behind it would lose what others write there.
func openDescriptor(fd int, display string) (*os.File, error) {
	n, err := syscall.Dup(fd)
	if err != nil {
		return nil, &connect.Error{File: display, Msg: "is no open file", Err: err}
	}
	syscall.CloseOnExec(n)
	return os.NewFile(uintptr(n), display), nil
}
