package program

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the program the head of a process group, so that all it
// starts can be ended with it, and Ctrl-C at the terminal reaches us first; and
// has the system kill it when the thread that started it is no more.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // it may be gone already
