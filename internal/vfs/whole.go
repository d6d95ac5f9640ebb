package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// TmpSuffix ends the name that WriteFile gives a file before it is whole.
const TmpSuffix = ".tmp"

// WriteFile makes a file, or replaces one, so that it never has its name without its whole content. The name is
// durable after a SyncDir.
func WriteFile(disk FS, name string, data []byte) error {
	tmp := name + TmpSuffix
	if err := disk.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := disk.Create(tmp)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = disk.Rename(tmp, name)
	}
	if err != nil {
		_ = disk.Remove(tmp) // a stray is no harm
	}
	return err
}

// ReadFile reads a file that is expected to be small; one of more than most bytes is an error.
func ReadFile(disk FS, name string, most int) ([]byte, error) {
	f, err := disk.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	buf := make([]byte, most+1)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("%s is longer than %d bytes", disk.Path(name), most)
	}
	return buf[:n], nil
}
