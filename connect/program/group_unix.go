//go:build unix && !linux

package program

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the program the head of a process group, so that all it
// starts can be ended with it, and Ctrl-C at the terminal reaches us first.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // it may be gone already
