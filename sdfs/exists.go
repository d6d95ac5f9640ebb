package sdfs

import (
	"os"
	"path/filepath"
)

// Exists reports whether a folder holds a store. It opens nothing and makes nothing.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, formatName))
	return err == nil
}
