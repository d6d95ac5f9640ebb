package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/logging"
	"github.com/rainsql/rainsql/cluster/node"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// serverFlags are the flags of `rainsql server`.
type serverFlags struct {
	std   streams
	data  *string
	cfg   node.Config
	file  string
	certs string
	// certsFrom says where certs was given: RAINSQL_CERTS is what clients read, too.
	certsFrom string
	level     string
	quiet     bool
	minFree   int64 // MB
	repair    int64 // MB a second
	programs  bool
}

func newServer(c *common) *cobra.Command {
	f := &serverFlags{std: c.std, data: &c.data}
	cmd := &cobra.Command{
		Use: "server --data DIR", Short: "Run a node of a cluster", Args: noArgs,
		Long: `A node keeps all that it knows in the folder --data. The first one is started
without --join, the others with the address of any that runs. Started again on
its folder, a node finds its cluster by itself.

Every flag but --config can also be given in the environment, as RAINSQL_ and
its name in capitals with '_' for '-', or in the TOML file that --config names,
by its name; a flag counts before the environment, and that before the file.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.fill(cmd.Flags()); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.cfg.Listen, "listen", "127.0.0.1:7400", "HOST:PORT for clients and other nodes")
	fl.StringVar(&f.cfg.GossipListen, "gossip-listen", "", "HOST:PORT for gossip, UDP and TCP (default the port behind --listen)")
	fl.StringVar(&f.cfg.HTTPListen, "http-listen", "", "HOST:PORT for /healthz, /readyz and /metrics (default two ports behind --listen)")
	fl.StringVar(&f.cfg.Advertise, "advertise", "", "HOST or HOST:PORT that others are told, where it is not --listen")
	fl.StringVar(&f.cfg.GossipAdvertise, "gossip-advertise", "", "the same for gossip")
	fl.StringSliceVar(&f.cfg.Join, "join", nil, "HOST:PORT of nodes of the cluster to join; without, a new node begins one")
	fl.StringVar(&f.cfg.Name, "name", "", "name of the node (default the certificate's, or the host's)")
	fl.IntVar(&f.cfg.Voters, "voters", 5, "how many nodes vote at most: 1, 3 or 5")
	fl.IntVar(&f.cfg.Replicas, "replicas", 3, "how many copies of each block a new cluster keeps: its first node says so")
	fl.Int64Var(&f.minFree, "min-free-mb", 256, "MB that the disk must have free for blocks of files to be taken")
	fl.Int64Var(&f.repair, "repair-mb", 128, "MB a second at most that the node gets of what it lacks")
	fl.IntVar(&f.cfg.Slots, "slots", 0, "tasks of queries that the node takes at once; 0 is four times its cores")
	fl.BoolVar(&f.programs, "allow-exec", false, "let queries run external programs on the node (TRANSFORM USING EXEC)")
	fl.StringVar(&f.cfg.Profile, "profile", "lan", "how eagerly nodes look after each other: lan, or local for one machine")
	fl.DurationVar(&f.cfg.DownAfter, "down-after", 5*time.Second, "how long gossip holds a node dead until it is down")
	fl.DurationVar(&f.cfg.EvictAfter, "evict-after", 10*time.Minute, "how long a node is down until it has left for good; negative: never")
	fl.DurationVar(&f.cfg.Drain, "drain", 30*time.Second, "how long a stopping node waits for requests under way")
	fl.StringVar(&f.certs, "certs", "", "folder of the node's certificate, made by 'rainsql cert node' (default certs in --data, if it is there)")
	fl.BoolVar(&f.cfg.Insecure, "insecure", false, "listen beyond loopback without certificates")
	fl.StringVar(&f.level, "log-level", "info", "least that is logged: debug, info, warn or error")
	fl.BoolVar(&f.quiet, "quiet", false, "log to the file in --data only, not to standard error too")
	fl.StringVar(&f.file, "config", "", "TOML file with any of these")
	return cmd
}

// fill takes from the environment and the file what no flag says.
func (f *serverFlags) fill(fl *pflag.FlagSet) error {
	inFile := map[string]any{}
	if f.file != "" {
		text, err := os.ReadFile(f.file)
		if err != nil {
			return err
		}
		if err := toml.Unmarshal(text, &inFile); err != nil {
			return usagef("%s: %v", f.file, err)
		}
	}
	var errs []error
	set := func(flag *pflag.Flag, value, where string) {
		if err := fl.Set(flag.Name, value); err != nil {
			errs = append(errs, usagef("%s: %s: %v", where, flag.Name, err))
		}
	}
	fl.VisitAll(func(flag *pflag.Flag) {
		value, ok := inFile[flag.Name]
		delete(inFile, flag.Name)
		env := "RAINSQL_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if flag.Changed || flag.Name == "config" || flag.Name == "help" {
			return
		}
		where := f.file
		text, found := os.LookupEnv(env)
		if found {
			where = env
		} else if text = fileText(value); !ok {
			return
		}
		set(flag, text, where)
		if flag.Name == "certs" {
			f.certsFrom = where
		}
	})
	for name := range inFile {
		errs = append(errs, usagef("%s: there is no setting %q; 'rainsql server --help' lists them", f.file, name))
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// fileText is a value of the file as a flag has it.
func fileText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	var parts []string
	for _, p := range list {
		parts = append(parts, fmt.Sprint(p))
	}
	return strings.Join(parts, ",")
}

func (f *serverFlags) run(ctx context.Context) (err error) {
	if *f.data == "" {
		return usagef("a server keeps what it knows in a folder: name it with --data")
	}
	level, err := zapcore.ParseLevel(f.level)
	if err != nil {
		return usagef("unknown --log-level %q: use debug, info, warn or error", f.level)
	}
	if f.cfg.Replicas < 1 {
		return usagef("--replicas %d: at least one copy of a block is kept", f.cfg.Replicas)
	}
	if f.minFree < 0 || f.repair <= 0 {
		return usagef("--min-free-mb %d, --repair-mb %d: they are numbers of megabytes, the second at least 1", f.minFree, f.repair)
	}
	if f.cfg.Slots < 0 {
		return usagef("--slots %d: a node takes one task at least; 0 is four times its cores", f.cfg.Slots)
	}
	f.cfg.QueryMemory = engine.MachineMemory() / perCore // as many queries as that run side by side
	f.cfg.Opener = func(files *sdfs.Store, g *dag.Graph) jobs.Opener { return engine.NewOpener(files, g, f.programs) }
	f.cfg.SpareBytes, f.cfg.RepairBytes = max(1, f.minFree<<20), f.repair<<20
	f.cfg.Dir, f.cfg.Version = *f.data, thisBuild().version
	f.cfg.Join = slices.DeleteFunc(f.cfg.Join, func(s string) bool { return s == "" })
	if f.certs == "" {
		if there := filepath.Join(f.cfg.Dir, "certs"); isFolder(there) {
			f.certs = there
		}
	}
	if f.certs != "" {
		if f.certsFrom == "" {
			f.certsFrom = "--certs"
		}
		if f.cfg.Certs, err = identity.Load(f.certs, time.Now()); err != nil {
			return err
		}
		if f.cfg.Certs.Peer().Role != identity.Node {
			return fmt.Errorf("%s (of %s) is the folder of a client; a server needs one of 'rainsql cert node'", f.certs, f.certsFrom)
		}
		if f.cfg.Name == "" {
			f.cfg.Name = f.cfg.Certs.Peer().Name
		}
	}
	console := f.std.err
	if f.quiet {
		console = nil
	}
	logger, file, err := logging.Open(filepath.Join(f.cfg.Dir, "logs"), level, console)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	f.cfg.Logger = logger
	f.cfg.OnFatal = func(err error) {
		lastWords(f.std.err, logger, err)
		os.Exit(exitFailed) // what is under way must not be waited for: the disk may hang
	}
	n, err := node.Start(f.cfg)
	var wrong *node.ConfigError
	if errors.As(err, &wrong) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	var ended error
	select {
	case <-ctx.Done():
		logger.Info("stopping")
	case ended = <-n.Ended():
	}
	stopping, cancel := context.WithTimeout(context.Background(), f.cfg.Drain+5*time.Second)
	defer cancel()
	return errors.Join(ended, n.Stop(stopping))
}

// lastWords tells why the process ends. Nothing is waited for long: the log may lie on the disk that hangs, and
// nobody may read standard error.
func lastWords(to io.Writer, logger *zap.Logger, why error) {
	var words sync.WaitGroup
	words.Go(func() { fmt.Fprintf(to, "rainsql: the node cannot go on: %v\n", why) })
	words.Go(func() {
		logger.Error("the node cannot go on", zap.Error(why))
		_ = logger.Sync() // there is nobody left to tell
	})
	said := make(chan struct{})
	go func() {
		defer close(said)
		words.Wait()
	}()
	select {
	case <-said:
	case <-time.After(500 * time.Millisecond):
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
