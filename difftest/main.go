// Difftest runs random queries in rainsql and in DuckDB and reports where they
// differ. It needs a C compiler (DuckDB is linked in).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/rainsql/rainsql/difftest/both"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "difftest:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	n := flag.Int("n", 2000, "queries to run; 0: as many as -duration allows")
	seed := flag.Uint64("seed", 0, "of the random numbers; 0: by the clock")
	duration := flag.Duration("duration", 0, "longest time to run; 0: without limit")
	features := flag.String("features", "", "optional parts of the language to use, separated by commas; empty: all that rainsql has")
	replay := flag.String("replay", "", "a query to run again, as reported: SEED:WORLD:QUERY")
	all := flag.Bool("all", false, "run each query in every way, not in two")
	maxDiffs := flag.Int("max", 20, "stop after so many different differences")
	strict := flag.Bool("strict", false, "holes in the coverage are an error; on from 50,000 queries")
	without := flag.String("without", "", "functions to leave out, separated by commas, while a difference of theirs is known and not yet mended")
	pass := flag.String("pass", "", "queries whose differences to pass over, separated by commas: SEED:WORLD:QUERY")
	brief := flag.Bool("brief", false, "do not make queries that differ small")
	sqlText := flag.String("sql", "", "a text for DuckDB, to see what it gives")
	profile := flag.String("cpuprofile", "", "a file for a profile of the processor's time")
	workers := flag.Int("workers", 2, "queries to run at a time")
	trace := flag.Bool("trace", false, "write each SQL to the standard error before it runs")
	rqlText := flag.String("rql", "", "a text for rainsql, to see what it gives")
	servers := flag.Int("cluster", 0, "run each query on a cluster of so many servers, too")
	flag.Parse()
	if *sqlText != "" || *rqlText != "" {
		return both.Try(os.Stdout, *sqlText, *rqlText)
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())%1_000_000 + 1
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only a profile
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	folder, err := os.MkdirTemp("", "difftest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // temporary
	if err := os.Chdir(folder); err != nil {
		return err
	}
	if *replay != "" {
		return again(*replay, split(*without))
	}
	fmt.Println("seed", *seed)
	debug.SetGCPercent(400) // many queries of little memory
	o := both.Options{Queries: *n, Duration: *duration, Seed: *seed, All: *all, MaxDiffs: *maxDiffs, Out: os.Stdout}
	o.Features, o.Without, o.Pass, o.Brief = split(*features), split(*without), split(*pass), *brief
	o.Workers = *workers
	if *trace {
		o.Trace = os.Stderr
	}
	if *servers > 0 {
		if o.Cluster, err = both.StartCluster(filepath.Join(folder, "servers"), *servers); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Cluster.Close()) }()
	}
	res, err := both.Run(o)
	if err != nil {
		return err
	}
	res.Print(os.Stdout)
	if len(res.Reports) > 0 {
		return fmt.Errorf("%d differences", len(res.Reports))
	}
	if len(res.Holes) > 0 && (*strict || *n >= 50_000) {
		return fmt.Errorf("%d holes in the coverage", len(res.Holes))
	}
	return nil
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// again runs one query of a run.
func again(id string, without []string) error {
	var nums [3]uint64
	for i, p := range strings.SplitN(id, ":", 3) {
		var err error
		if nums[i], err = strconv.ParseUint(p, 10, 64); err != nil {
			return fmt.Errorf("-replay: SEED:WORLD:QUERY is wanted, not %q", id)
		}
	}
	return both.Replay(os.Stdout, nums[0], int(nums[1]), int(nums[2]), without)
}
