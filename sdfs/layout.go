package sdfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// prepare checks that the folder holds a store, or makes one in an empty folder. The file
// FORMAT comes last: without it nothing was ever stored.
func prepare(cfg Config) error {
	disk := cfg.FS
	data, err := vfs.ReadFile(disk, formatName, 4096)
	if err == nil {
		if !isFormat(data) {
			return badFormat(disk, data)
		}
		return disk.SyncDir("") // who made the store may have died before
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := refuseForeign(disk); err != nil {
		return err
	}
	for _, dir := range append(block.Dirs(), logDir) {
		if err := disk.Mkdir(dir); err != nil {
			return err
		}
	}
	list, err := disk.List(logDir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := disk.Remove(path.Join(logDir, e.Name)); err != nil {
			return err
		}
	}
	if err := wal.Create(logOptions(cfg)); err != nil {
		return err
	}
	if err := disk.SyncDir(""); err != nil {
		return err
	}
	if err := vfs.WriteFile(disk, formatName, []byte(formatText)); err != nil {
		return err
	}
	return disk.SyncDir("")
}

func badFormat(disk vfs.FS, data []byte) error {
	return &DamageError{
		Path:   disk.Path(formatName),
		Reason: fmt.Sprintf("it says %.60q, this program reads %q: a newer version may have written it", data, formatText),
	}
}

// refuseForeign refuses a folder without FORMAT that holds anything but what an unfinished
// prepare leaves.
func refuseForeign(disk vfs.FS) error {
	list, err := disk.List("")
	if err != nil {
		return err
	}
	ours := append(block.Dirs(), logDir, lockName, formatName+vfs.TmpSuffix, reserveName, reserveName+vfs.TmpSuffix)
	for _, e := range list {
		if !slices.Contains(ours, e.Name) {
			return fmt.Errorf("%s holds %q and is no file store; choose an empty folder", disk.Path(""), e.Name)
		}
	}
	for _, dir := range append(block.Dirs(), logDir) {
		inside, err := disk.List(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range inside {
			const empty = 20 // bytes of a log file without records
			if dir != logDir || path.Ext(e.Name) == ".snap" || path.Ext(e.Name) == ".wal" && e.Size > empty {
				return &DamageError{Path: disk.Path(formatName), Reason: fmt.Sprintf("the file is missing, yet there is %s; put it back with the text %q", disk.Path(path.Join(dir, e.Name)), formatText)}
			}
		}
	}
	return nil
}
