package both

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rainsql/rainsql/difftest/gen"
)

// Options of a run.
type Options struct {
	Queries  int           // how many; 0: as many as Duration allows
	Duration time.Duration // 0: without limit
	Seed     uint64
	Features []string // nil: all that rainsql has
	Without  []string // functions to leave out
	All      bool     // run each query in every way, not in the plain one and a random other
	Pass     []string // queries whose differences are known: SEED:WORLD:QUERY
	Brief    bool     // do not make queries small
	MaxDiffs int      // stop after so many different differences
	Out      io.Writer
	Workers  int       // worlds at a time; 0 means one
	Cluster  *Cluster  // run each query there, too; nil: nowhere
	Trace    io.Writer // each SQL before it runs, should DuckDB break down; or nil
}

// Result is what a run found.
type Result struct {
	Queries, Agreed, Skipped, Later, Failed int // Failed: both engines report an error
	Runs                                    int // queries times the ways in which they were run
	Rows                                    int
	Reports                                 []string
	Repeats                                 int // differences like one reported
	Known                                   map[string]int
	LaterMessages                           map[string]int
	SkippedMessages                         map[string]int
	Holes                                   []string
	Covered                                 int // the thousand of queries after which there were no holes any more, or 0
	FirstAt                                 int // the query of the first difference, from 1
	Elapsed                                 time.Duration
}

// perWorld is how many queries share their tables.
const perWorld = 250

// Probe finds out which features rainsql has.
func Probe() (on map[string]bool, off map[string]string) {
	on, off = map[string]bool{}, map[string]string{}
	for _, f := range gen.Features() {
		if a := Rain(Setup{Parallelism: 1}, f.Probe); a.Err != nil {
			off[f.Name] = a.Err.Error()
			continue
		}
		on[f.Name] = true
	}
	return on, off
}

// Run runs queries and reports. It works in the current folder.
func Run(o Options) (*Result, error) {
	on, off := Probe()
	if o.Features != nil {
		for name := range on {
			on[name] = slices.Contains(o.Features, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(off)) {
		line, _, _ := strings.Cut(off[name], "\n")
		fmt.Fprintf(o.Out, "feature %s is off: %s\n", name, line)
	}
	r := &runner{o: o, on: on, cover: gen.NewCover(), seen: map[string]bool{}, classes: map[string]int{}, begin: time.Now(),
		res: &Result{Known: map[string]int{}, LaterMessages: map[string]int{}, SkippedMessages: map[string]int{}}}
	r.without, r.pass = Set(o.Without), Set(o.Pass)
	r.verbs = gen.Verbs()
	for _, f := range gen.Features() {
		if on[f.Name] {
			r.verbs = append(r.verbs, f.Verbs...)
		}
	}
	errs := make([]error, max(1, o.Workers))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = r.work() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r.res.Elapsed = time.Since(r.begin)
	r.res.Holes = r.cover.Print(o.Out, r.verbs)
	return r.res, nil
}

// Set makes a set of names.
func Set(names []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// runner is shared by the workers; what mu guards only they change.
type runner struct {
	o       Options
	on      map[string]bool
	without map[string]bool
	pass    map[string]bool
	begin   time.Time
	verbs   []string

	mu      sync.Mutex
	worlds  int // begun
	cover   *gen.Cover
	res     *Result
	seen    map[string]bool
	classes map[string]int
}

// work runs worlds, in a DuckDB of its own, until there are enough.
func (r *runner) work() (err error) {
	duck, err := OpenDuck()
	if err != nil {
		return err
	}
	defer func() {
		if cerr := duck.Close(); err == nil {
			err = cerr
		}
	}()
	for !r.done() {
		r.mu.Lock()
		number := r.worlds
		r.worlds++
		r.mu.Unlock()
		n := perWorld
		if r.o.Queries > 0 {
			n = min(n, r.o.Queries-number*perWorld)
		}
		if n <= 0 {
			return nil
		}
		err := r.world(duck, number, n)
		if errors.Is(err, errBroken) {
			_ = duck.Close() // it is of no use any more, and says so
			if duck, err = OpenDuck(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errBroken says that DuckDB has failed in a way after which its database can
// only be opened anew; the rest of the world is given up.
var errBroken = errors.New("DuckDB is broken")

// done reports that time is up, or that enough differs.
func (r *runner) done() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.o.Duration > 0 && time.Since(r.begin) > r.o.Duration || len(r.res.Reports) >= r.o.MaxDiffs
}

// world runs the first queries of one world.
func (r *runner) world(duck *Duck, number, queries int) (err error) {
	w, err := NewWorld(duck, r.o.Cluster, r.o.Seed, number, r.on, r.without)
	if err != nil {
		return err
	}
	w.trace = r.o.Trace
	defer func() {
		if cerr := w.Close(); err == nil {
			err = cerr
		}
	}()
	all := Setups()
	for n := range queries {
		if r.done() {
			return nil
		}
		q := w.Query(n)
		setups := all
		if !r.o.All {
			i := int(mix(r.o.Seed, uint64(number), uint64(n)) % uint64(len(all)))
			if i%4 == 0 { // most tasks, most parts
				i = 3
			}
			setups = []Setup{all[0], all[i]}
			if i == 0 {
				setups = all[:1]
			}
		}
		if r.o.Cluster != nil {
			setups = append(slices.Clone(setups), Setup{Parallelism: 4, SplitBytes: 64, On: r.o.Cluster})
		}
		out := w.Check(q, setups)
		r.note(w, q, out, len(setups), fmt.Sprintf("%d:%d:%d", r.o.Seed, number, n))
		if out.Known != nil && out.Known.Name == breaks {
			return errBroken
		}
	}
	return nil
}

func mix(a, b, c uint64) uint64 {
	h := a*0x9E3779B97F4A7C15 ^ b*0xC2B2AE3D27D4EB4F ^ c*0x165667B19E3779F9
	h ^= h >> 29
	return h * 0xBF58476D1CE4E5B9 >> 17
}

func (r *runner) note(w *World, q *gen.Query, out Outcome, runs int, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.res.Queries++
	r.res.Runs += runs
	switch {
	case out.Later != "":
		r.res.Later++
		r.res.LaterMessages[classOf(out.Later)]++
	case out.Skip:
		r.res.Skipped++
		if r.res.SkippedMessages[classOf(out.Diff.Detail)] == 0 {
			fmt.Fprintf(r.o.Out, "skipped query %s: %s\n%s\n%s\n", id, out.Diff.Detail, q.RQL(), q.SQL())
		}
		r.res.SkippedMessages[classOf(out.Diff.Detail)]++
	case out.Known != nil:
		r.res.Known[out.Known.Name]++
	case out.Diff != nil:
		r.different(w, q, out, id)
	default:
		r.res.Agreed++
		r.res.Rows += out.Rows
		if out.Error {
			r.res.Failed++
		}
		r.cover.Add(q)
	}
	if r.res.Covered == 0 && r.res.Queries%1000 == 0 && len(r.cover.Print(io.Discard, r.verbs)) == 0 {
		r.res.Covered = r.res.Queries
	}
}

func (r *runner) different(w *World, q *gen.Query, out Outcome, id string) {
	if r.res.FirstAt == 0 {
		r.res.FirstAt = r.res.Queries
	}
	class := out.Diff.class()
	r.classes[class]++
	if !r.o.Brief && r.classes[class] > 12 && strings.Contains(class, "error") {
		r.res.Repeats++
		return
	}
	if r.pass[id] {
		return
	}
	if r.o.Brief {
		report := fmt.Sprintf("difference (%s) of query %s, %s\n%s\n%s", out.Diff.Kind, id, out.Setup, out.Diff.Detail, q.RQL())
		r.res.Reports = append(r.res.Reports, report)
		fmt.Fprintf(r.o.Out, "---- difference %d, after %d queries\n%s\n", len(r.res.Reports), r.res.Queries, report)
		return
	}
	small, d := w.Shrink(q, out, 600)
	signature := small.Signature() + d.class()
	if strings.Contains(d.class(), "error") {
		signature = d.class()
	}
	if r.seen[signature] {
		r.res.Repeats++
		return
	}
	r.seen[signature] = true
	report := w.Report(small, d, out.Setup, id)
	r.res.Reports = append(r.res.Reports, report)
	fmt.Fprintf(r.o.Out, "---- difference %d, after %d queries\n%s\n", len(r.res.Reports), r.res.Queries, report)
}

// Print writes a summary.
func (r *Result) Print(w io.Writer) {
	fmt.Fprintf(w, "\n%d queries in %d runs, in %s (%.0f queries a second), %d rows: %d agreed (%d of them in failing), %d differed (%d reported), %d skipped, %d not supported yet\n",
		r.Queries, r.Runs, r.Elapsed.Round(time.Millisecond), float64(r.Queries)/r.Elapsed.Seconds(), r.Rows, r.Agreed, r.Failed,
		len(r.Reports)+r.Repeats, len(r.Reports), r.Skipped, r.Later)
	for _, k := range Knowns() {
		fmt.Fprintf(w, "known difference, %d times: %s: %s\n", r.Known[k.Name], k.Name, k.Reason)
	}
	for _, m := range slices.Sorted(maps.Keys(r.LaterMessages)) {
		fmt.Fprintf(w, "not supported yet, %d times: %s\n", r.LaterMessages[m], m)
	}
	for _, m := range slices.Sorted(maps.Keys(r.SkippedMessages)) {
		fmt.Fprintf(w, "skipped, %d times: %s\n", r.SkippedMessages[m], m)
	}
	if r.Covered > 0 {
		fmt.Fprintf(w, "no holes in the coverage after %d queries\n", r.Covered)
	}
	if len(r.Holes) > 0 {
		fmt.Fprintf(w, "%d holes in the coverage:\n  %s\n", len(r.Holes), strings.Join(r.Holes, "\n  "))
	}
}
