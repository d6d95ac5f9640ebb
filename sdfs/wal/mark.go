package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/rainsql/rainsql/internal/vfs"
)

// The mark is a lower bound of what was acknowledged, which tells damage at the end of the
// log from a torn write. It is written after each group's fsync and itself synced only when
// the log is closed: a killed process leaves it exact, a loss of power may leave an older one.
//
// It has two slots in disk pages of their own, written in turn, so that a torn write leaves
// the other: magic (4) | turn (8) | index (8) | CRC32C of these (4), then zeros.
const (
	markName  = "committed"
	markMagic = "RSQM"
	markPage  = 4096
	markSize  = 4 + 8 + 8 + 4
)

// An empty file says by its name whether the log was closed in order. A rename cannot be torn
// and takes no space.
const (
	closedName  = "closed"
	runningName = "running"
)

type mark struct {
	turn  uint64
	index uint64
}

func (m mark) encode() []byte {
	b := append(make([]byte, 0, markPage), markMagic...)
	b = binary.LittleEndian.AppendUint64(b, m.turn)
	b = binary.LittleEndian.AppendUint64(b, m.index)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parseMark(page []byte) (mark, bool) {
	if len(page) != markPage || string(page[:4]) != markMagic ||
		crc32.Checksum(page[:markSize-4], castagnoli) != binary.LittleEndian.Uint32(page[markSize-4:]) {
		return mark{}, false
	}
	for _, b := range page[markSize:] {
		if b != 0 {
			return mark{}, false
		}
	}
	return mark{turn: binary.LittleEndian.Uint64(page[4:]), index: binary.LittleEndian.Uint64(page[12:])}, true
}

// readMark gives the newer of the slots that are whole. A slot that is not is damage, unless
// the log was not closed in order and the other one is whole.
func readMark(disk vfs.FS, name string, clean bool) (mark, *DamageError, error) {
	f, err := disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, &DamageError{Path: disk.Path(name), Reason: "the file is missing"}, nil
	}
	if err != nil {
		return mark{}, nil, err
	}
	defer func() { _ = f.Close() }() // only read
	buf := make([]byte, 2*markPage+1)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return mark{}, nil, err
	}
	if n != 2*markPage {
		return mark{}, &DamageError{Path: disk.Path(name), Reason: "it has the wrong size"}, nil
	}
	a, aok := parseMark(buf[:markPage])
	b, bok := parseMark(buf[markPage : 2*markPage])
	best := a
	if !aok || bok && b.turn > a.turn {
		best = b
	}
	if aok && bok || (aok || bok) && !clean {
		return best, nil, nil
	}
	damage := &DamageError{Path: disk.Path(name), Reason: "its checksum is wrong"}
	if aok {
		damage.Offset = markPage
	}
	return best, damage, nil
}

// markFile is the mark, open to be moved.
type markFile struct {
	f    vfs.File
	turn uint64
}

// newMark makes the file of the mark, or makes it anew.
func newMark(disk vfs.FS, name string, m mark) error {
	f, err := disk.Create(name)
	if errors.Is(err, fs.ErrExist) {
		f, err = disk.OpenWrite(name)
	}
	if err != nil {
		return err
	}
	page := append(m.encode(), make([]byte, markPage-markSize)...)
	if err = f.Truncate(2 * markPage); err == nil {
		if _, err = f.WriteAt(append(page, page...), 0); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}

// move writes the next slot.
func (m *markFile) move(index uint64) error {
	m.turn++
	_, err := m.f.WriteAt(mark{turn: m.turn, index: index}.encode(), int64(m.turn%2)*markPage)
	return err
}

// seal writes both slots and makes them durable.
func (m *markFile) seal(index uint64) error {
	for range 2 {
		if err := m.move(index); err != nil {
			return err
		}
	}
	return m.f.Sync()
}
