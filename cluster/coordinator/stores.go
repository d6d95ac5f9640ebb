package coordinator

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// snapshotsKept is how many snapshots are kept: the one before the last, too, in case the last cannot be read.
const snapshotsKept = 2

// OpenStores opens the log, term and snapshots in a folder, which is made if need be.
func OpenStores(dir string, logger *zap.Logger) (Stores, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Stores{}, err
	}
	path := filepath.Join(dir, "log.db")
	db, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{Timeout: time.Second, PreLoadFreelist: true}})
	if err != nil {
		return Stores{}, fmt.Errorf("opening %s: %w", path, err)
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

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

var _ io.Closer = (*raftboltdb.BoltStore)(nil)
