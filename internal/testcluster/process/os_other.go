//go:build !linux

package process

import (
	"errors"
	"syscall"
)

func endWithParent() *syscall.SysProcAttr { return nil }

func smallDisk(string, int64) (func() error, error) {
	return nil, errors.New("small disks are for Linux only")
}
