// Package engine puts the parts together: it takes text, plans it, runs it and
// hands rows to its caller. Embedded, everything happens in this process; a
// cluster will run the same plans.
package engine

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// Config is what an engine is made with. The zero value of every field is its default.
type Config struct {
	Log          *zap.Logger      // default: no log
	Alloc        memory.Allocator // default: Go's heap
	Now          func() time.Time // default: time.Now
	Parallelism  int              // tasks of a stage; default: the number of cores
	MemoryLimit  int64            // bytes a query may hold; default: 80% of the machine's, and none if Remote
	SplitBytes   int64            // size of a scan's splits; default: DefaultSplitBytes
	DisableRules map[string]bool  // optimiser rules to leave out, for tests
	NoPrograms   bool             // refuse TRANSFORM USING EXEC, as a server does unless told otherwise
	Run          Runner           // how graphs are run; default: task.Graph, in this process
	Store        sdfs.Config      // the file store behind bare names, opened when one is used; without Dir there is none
	Files        *sdfs.Store      // the file store behind bare names in place of that one, such as a cluster's; the caller closes it
	Remote       bool             // Run runs graphs on other machines: they read what Files has, and nothing of this machine
}

// Runner runs a graph to its end, as task.Graph does. If the engine is Remote
// the graph says in Inputs what to read, it writes files of the store alone,
// which are visible once the runner has returned without an error, and the
// runtime's Opener is of no use. Stats and memory are told by Stats.Set and Memory.Report.
type Runner func(context.Context, *dag.Graph, *task.Runtime, *task.Stats) (*task.Report, error)

// DefaultSplitBytes is the size of the pieces in which tasks read a file: large
// enough that a piece costs little beside its bytes, small enough for a core's cache.
const DefaultSplitBytes = 1 << 20

// Engine runs queries in this process. It is safe for concurrent use; each
// caller has a Session of its own.
type Engine struct {
	cfg   Config
	store *store
}

// New returns an engine. It opens nothing and starts nothing; Close closes
// what its sessions needed.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Alloc == nil {
		cfg.Alloc = memory.DefaultAllocator
	}
	if cfg.Run == nil {
		cfg.Run = task.Graph
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Parallelism == 0 {
		cfg.Parallelism = runtime.GOMAXPROCS(0)
	}
	if cfg.SplitBytes == 0 {
		cfg.SplitBytes = DefaultSplitBytes
	}
	return &Engine{cfg: cfg, store: &store{cfg: cfg.Store, given: cfg.Files, remote: cfg.Remote}}
}

// Store returns the embedded file store, which is opened, and made if need be,
// at the first call. The engine closes it.
func (e *Engine) Store(ctx context.Context) (*sdfs.Embedded, error) { return e.store.Embedded(ctx) }

// Files lists the files of the store whose names match a pattern (* ? [a-z]
// {a,b}, ** across slashes), all for "", in name order. It makes no store.
func (e *Engine) Files(ctx context.Context, pattern string) ([]sdfs.Info, error) {
	return e.store.List(ctx, pattern)
}

// Close ends the engine, after its sessions.
func (e *Engine) Close() error { return e.store.Close() }

// Handler is the caller's side of a session: where rows and messages go. Its
// methods are called one at a time.
type Handler interface {
	// Rows begins a result. The sink receives its rows while the query runs;
	// Commit ends it, Abort says that the query failed.
	Rows(schema types.Schema) (connect.Sink, error)
	// Text is a result that is text, such as a plan.
	Text(text string) error
	// Notice is something to know that is no result: what was written, what was skipped.
	Notice(text string)
	// Done follows each statement that ran.
	Done(stats Summary)
}

// Summary is what a statement did.
type Summary struct {
	Elapsed             time.Duration
	BytesRead, RowsRead int64
	RowsOut             int64
	PeakMemory          int64 // bytes that its operators held
	Spilled             int64 // bytes written to temporary files
	GroupsPruned        int64 // row groups of Parquet that their statistics excluded
}

// Session is one caller's conversation: its settings, and the names LET gave.
// It is used by one goroutine at a time.
type Session struct {
	engine   *Engine
	params   map[string]string
	settings map[string]string
	env      analyze.Env
	seen     seen   // what completion has looked at
	text     string // of the statement that runs
}

// NewSession begins a session. params are the values of $name.
func (e *Engine) NewSession(params map[string]string) *Session {
	return &Session{engine: e, params: params, settings: map[string]string{}}
}

// Set changes a setting, as SET name = value does.
func (s *Session) Set(name, value string) error {
	if err := analyze.CheckSetting(name, value); err != nil {
		return err
	}
	s.settings[name] = value
	return nil
}

// SetParam gives $name a value, for what is run from then on.
func (s *Session) SetParam(name, value string) {
	if s.params == nil {
		s.params = map[string]string{}
	}
	s.params[name] = value
}

// Params are the values of $name. The caller does not change them.
func (s *Session) Params() map[string]string { return s.params }

// Files lists the files of the store, as Engine.Files does.
func (s *Session) Files(ctx context.Context, pattern string) ([]sdfs.Info, error) {
	return s.engine.Files(ctx, pattern)
}

// Lets lists the names that LET has defined, in order.
func (s *Session) Lets() []string { return s.env.Lets() }

func (s *Session) parallelism() int {
	if n, err := strconv.Atoi(s.settings["parallelism"]); err == nil {
		return n
	}
	return s.engine.cfg.Parallelism
}

func (s *Session) memoryLimit() int64 {
	if v, ok := s.settings["memory_limit"]; ok {
		if n, err := analyze.ParseSize(v); err == nil {
			return n
		}
	}
	if s.engine.cfg.MemoryLimit != 0 || s.engine.cfg.Remote { // each node knows its own memory
		return s.engine.cfg.MemoryLimit
	}
	return defaultMemoryLimit()
}

// withTimeLimit bounds a query by time_limit.
func (s *Session) withTimeLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	v, ok := s.settings["time_limit"]
	if !ok {
		return context.WithCancel(ctx)
	}
	d, err := analyze.ParseDuration(v)
	if err != nil || d == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("the query ran longer than time_limit = %s", v))
}

// rowLimit is the most rows a query may hand out; 0 is without limit.
func (s *Session) rowLimit() int64 {
	n, err := strconv.ParseInt(s.settings["row_limit"], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
