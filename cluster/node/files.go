package node

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"

	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs"
)

// Names in the data directory.
const (
	lockName     = "LOCK"
	identityName = "node.json"
	peersName    = "peers.json"
	reserveName  = "reserve"
	logName      = "raft/log.db"
)

// mostFile bounds the small files of the data directory.
const mostFile = 4 << 20

// identityFile is who a data directory is.
type identityFile struct {
	Format      int    `json:"format"`
	ID          string `json:"id"`
	Cluster     string `json:"cluster,omitempty"` // empty until it is in one
	Incarnation uint64 `json:"incarnation"`
	Founder     bool   `json:"founder,omitempty"` // it began the cluster
	Logged      bool   `json:"logged,omitempty"`  // there has been something in the coordinator's log
}

// self is who this node is, in this start.
type self struct {
	id          state.ID
	cluster     state.ID // zero until it is in one
	incarnation uint64
	founder     bool
	logged      bool
}

// peerFile are the members that were in the log last: how a restarted node finds its cluster.
type peer struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Addr   string `json:"addr"`
	Gossip string `json:"gossip"`
}

// awaken reads who the data directory is, or makes it someone, and counts this start. That is durable before
// anything is sent, so that no two starts are taken for one.
func awaken(disk vfs.FS, founder bool) (self, error) {
	if err := refuseEmbedded(disk); err != nil {
		return self{}, err
	}
	var f identityFile
	found, err := readJSON(disk, identityName, &f)
	if err != nil {
		return self{}, err
	}
	me := self{incarnation: f.Incarnation + 1, founder: f.Founder, logged: f.Logged}
	if found {
		if f.Format > 1 {
			return self{}, fmt.Errorf("%s has format %d, this program reads 1: a newer rainsql wrote it", disk.Path(identityName), f.Format)
		}
		if f.Format < 1 {
			return self{}, fmt.Errorf("%s is damaged: it has no format; %s", disk.Path(identityName), anew)
		}
		if me.id, err = state.ParseID(f.ID); err == nil && f.Cluster != "" {
			me.cluster, err = state.ParseID(f.Cluster)
		}
		if err != nil {
			return self{}, fmt.Errorf("%s is damaged: %w; %s", disk.Path(identityName), err, anew)
		}
	} else {
		if _, err := disk.Stat(logName); err == nil {
			return self{}, fmt.Errorf("%s is missing, though %s is there: nobody can say whose log that is; %s", disk.Path(identityName), disk.Path(logName), anew)
		}
		me.founder = founder
		_, _ = rand.Read(me.id[:]) // never fails
	}
	return me, me.save(disk)
}

// anew is what to do with a data directory that has lost something.
const anew = "bring it back from a copy of the same start, or give the server an empty folder with --data, where it is a new node, and have the old one leave with 'rainsql leave'"

// checkLog refuses a node whose log is gone: it would vote as if it had never acknowledged what was in it.
func (s self) checkLog(disk vfs.FS, stores coordinator.Stores) error {
	if !s.logged {
		return nil
	}
	if blank, err := stores.Blank(); err != nil || !blank {
		return err
	}
	return fmt.Errorf("%s is missing or empty, and this node has acknowledged what was in it; %s", disk.Path(logName), anew)
}

func (s self) save(disk vfs.FS) error {
	f := identityFile{Format: 1, ID: s.id.String(), Incarnation: s.incarnation, Founder: s.founder, Logged: s.logged}
	if !s.cluster.IsZero() {
		f.Cluster = s.cluster.String()
	}
	return writeJSON(disk, identityName, f)
}

// refuseEmbedded refuses the folder of an embedded store: two programs' files in one folder would be a riddle.
func refuseEmbedded(disk vfs.FS) error {
	if _, err := disk.Stat("FORMAT"); err == nil {
		return fmt.Errorf("%s holds an embedded file store; give the server a folder of its own with --data", disk.Path(""))
	}
	return nil
}

func readJSON(disk vfs.FS, name string, to any) (bool, error) {
	data, err := vfs.ReadFile(disk, name, mostFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return false, fmt.Errorf("%s is damaged (%w); %s", disk.Path(name), err, anew)
	}
	return true, nil
}

func writeJSON(disk vfs.FS, name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := vfs.WriteFile(disk, name, append(data, '\n')); err != nil {
		return err
	}
	return disk.SyncDir("")
}

// keepReserve holds back disk space for the coordinator's log.
func keepReserve(disk vfs.FS, size int64) error {
	e, err := disk.Stat(reserveName)
	if err == nil && e.Size == size {
		return nil
	}
	text := make([]byte, size)
	_, _ = mathrand.NewChaCha8([32]byte([]byte("rainsql server's reserve of disk"))).Read(text) // what no disk compresses; never fails
	return vfs.WriteFile(disk, reserveName, text)
}

// giveReserve gives it up, and tells whether it was there.
func giveReserve(disk vfs.FS) bool { return disk.Remove(reserveName) == nil }
