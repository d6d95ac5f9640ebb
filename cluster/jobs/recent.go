package jobs

import (
	"slices"
	"sync"

	"github.com/rainsql/rainsql/api"
)

// outline is what a gateway remembers of the tasks of an attempt. Nobody changes it.
type outline struct {
	attempt uint64
	stages  []*api.StageInfo
	tasks   int
}

// What a gateway remembers of jobs that it ran, at most: so many, and so many tasks of all of them together.
const (
	recentJobs  = 100
	recentTasks = 20000
)

// recent is the attempts that run at a gateway now, and what is remembered of the last of each job that it ran. The zero value has none.
type recent struct {
	mu     sync.Mutex
	under  map[uint64]*attempt // by job
	over   map[uint64]*outline
	order  []uint64 // of the jobs in over, in which their attempts ended
	tasks  int      // in over
	failed uint64   // attempts that failed in their surroundings
}

func (r *recent) begin(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under == nil {
		r.under, r.over = map[uint64]*attempt{}, map[uint64]*outline{}
	}
	r.under[a.job.ID] = a
}

// end is the end of an attempt; failed is that it did so by its surroundings.
func (r *recent) end(a *attempt, failed bool) {
	r.keep(a.job.ID, a.outline())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under[a.job.ID] == a {
		delete(r.under, a.job.ID)
	}
	if failed {
		r.failed++
	}
}

// keep remembers what an attempt did, and forgets the oldest if that is too much.
func (r *recent) keep(job uint64, o *outline) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(job)
	r.over[job] = o
	r.order = append(r.order, job)
	r.tasks += o.tasks
	for len(r.order) > recentJobs || r.tasks > recentTasks && len(r.order) > 1 {
		r.forget(r.order[0])
	}
}

func (r *recent) forget(job uint64) {
	if old := r.over[job]; old != nil {
		r.tasks -= old.tasks
		delete(r.over, job)
		r.order = slices.DeleteFunc(r.order, func(id uint64) bool { return id == job })
	}
}

// find gives what is known of a job's tasks; nil: nothing.
func (r *recent) find(job uint64) *outline {
	r.mu.Lock()
	a, o := r.under[job], r.over[job]
	r.mu.Unlock()
	if a != nil {
		return a.outline()
	}
	return o
}

// Failed is how many attempts of jobs that the gateway ran have failed in their surroundings.
func (g *Gateway) Failed() uint64 {
	g.recent.mu.Lock()
	defer g.recent.mu.Unlock()
	return g.recent.failed
}
