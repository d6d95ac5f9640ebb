// Package program lets rows go through external programs: a process with rows
// on its standard input and rows on its standard output.
package program

import (
	"errors"
	"io/fs"
	"os/exec"

	"github.com/rainsql/rainsql/connect"
)

// Find returns the file of a program: a path as the language writes local
// files, or a name that is looked for in PATH.
func Find(name string) (string, error) {
	if name == "" {
		return "", &connect.ProgramError{Program: "''", Msg: "it has no name"}
	}
	path := name
	if connect.IsLocal(name) {
		local, err := connect.LocalPath(name)
		if err != nil {
			return "", err
		}
		path = local
	}
	found, err := exec.LookPath(path)
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, fs.ErrPermission):
		return "", &connect.ProgramError{Program: name, Msg: "may not be executed", Hint: "chmod +x makes a file a program"}
	case errors.Is(err, exec.ErrDot):
		return "", &connect.ProgramError{Program: name, Msg: "is in this folder, not in PATH", Hint: "write './" + name + "'"}
	case connect.IsLocal(name):
		return "", &connect.ProgramError{Program: name, Msg: "no such file"}
	}
	return "", &connect.ProgramError{Program: name, Msg: "not found in PATH", Hint: "a program of this folder is written './" + name + "'"}
}
