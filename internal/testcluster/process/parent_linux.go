package process

import "syscall"

// endWithParent has a process killed when its parent ends, however that may be.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
