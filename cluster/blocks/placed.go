package blocks

import (
	"hash/crc32"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Placed writes and reads blocks wherever in the cluster they belong. All methods may be called concurrently.
type Placed struct {
	self   state.Holder
	local  *Local
	log    Log
	views  *Views
	dial   Dial
	slow   time.Duration
	late   lates
	logger *zap.Logger

	sums  sums
	cache *chunks               // of blocks that are elsewhere
	want  func(namespace.Block) // told of blocks that this server should have, and has not
}

// PlacedConfig says what a Placed stands on.
type PlacedConfig struct {
	Local *Local
	Views *Views
	Dial  Dial
	// Slow is for how long a server may keep a writer or a reader waiting until another is asked in its stead. Default 2 s.
	Slow time.Duration
	// CacheBytes bounds the memory for what is read from other servers in small pieces. Default 64 MB.
	CacheBytes int64
	// Want is told of a block that had to be read elsewhere though it belongs here. It must not wait.
	Want   func(namespace.Block)
	Logger *zap.Logger
}

// NewPlaced is a Placed of the server whose block store is given.
func NewPlaced(cfg PlacedConfig) *Placed {
	if cfg.Slow <= 0 {
		cfg.Slow = 2 * time.Second
	}
	if cfg.CacheBytes <= 0 {
		cfg.CacheBytes = 64 << 20
	}
	if cfg.Want == nil {
		cfg.Want = func(namespace.Block) {}
	}
	return &Placed{
		self: cfg.Local.cfg.Self, local: cfg.Local, log: cfg.Local.cfg.Log, views: cfg.Views, dial: cfg.Dial, slow: cfg.Slow,
		logger: cfg.Logger, sums: newSums(), cache: newChunks(cfg.CacheBytes), want: cfg.Want,
	}
}

// View is where blocks belong by this server's log.
func (p *Placed) View() *View { return p.ViewOf(p.log.State()) }

// ViewOf is where blocks belong by some state.
func (p *Placed) ViewOf(s *state.State) *View { return p.views.Of(s) }

// Self is this server.
func (p *Placed) Self() state.Holder { return p.self }

// Local is this server's own block store.
func (p *Placed) Local() *Local { return p.local }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }
