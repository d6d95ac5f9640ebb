package coordinator

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/logging"
)

// Stores is what raft keeps on a disk. Close is called last.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore
	Snapshots raft.SnapshotStore
	Close     func() error
	// MakeRoom gives up what is held back for a full disk, and tells whether there was something; nil:
	// there is nothing.
	MakeRoom func() bool
}

// currentTerm is the key of raft's term in its stable store: every node that was ever part of a log has one.
const currentTerm = "CurrentTerm"

// Blank tells whether no log was ever kept here, or it is gone: snapshots do not count, since what was acknowledged and voted
// after them stands in the log alone.
func (s Stores) Blank() (bool, error) {
	term, err := s.Stable.GetUint64([]byte(currentTerm))
	if errors.Is(err, raftboltdb.ErrKeyNotFound) {
		err = nil
	}
	return term == 0, err
}

// snapshotsKept is how many snapshots are kept: the one before the last, too, in case the last cannot be read.
const snapshotsKept = 2

// OpenStores opens the log, term and snapshots in a folder, which is made if need be.
func OpenStores(dir string, logger *zap.Logger) (Stores, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Stores{}, err
	}
	path := filepath.Join(dir, "log.db")
	db, err := openLog(path)
	if err != nil {
		return Stores{}, fmt.Errorf("opening the coordinator's log: %w", err)
	}
	snaps, err := raft.NewFileSnapshotStoreWithLogger(dir, snapshotsKept, logging.Hclog(logger))
	if err != nil {
		return Stores{}, errors.Join(fmt.Errorf("opening the snapshots in %s: %w", dir, err), db.Close())
	}
	if err := syncDir(dir); err != nil { // log.db may be new
		return Stores{}, errors.Join(err, db.Close())
	}
	return Stores{Log: db, Stable: db, Snapshots: snaps, Close: db.Close}, nil
}

// openLog opens the log and reads its ends. bbolt maps the file, and panics or faults where it is damaged or cut off.
func openLog(path string) (db *raftboltdb.BoltStore, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s is damaged (%v): give the server an empty folder with --data, where it is a new node, and have the old one leave with 'rainsql leave'", path, p)
		}
	}()
	db, err = raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{Timeout: time.Second, PreLoadFreelist: true}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	first, err := db.FirstIndex()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, db.Close()))
	}
	last, err := db.LastIndex()
	var entry raft.Log
	for _, i := range []uint64{first, last} {
		if err == nil && i > 0 {
			err = db.GetLog(i, &entry)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, db.Close()))
	}
	return db, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

var _ io.Closer = (*raftboltdb.BoltStore)(nil)
