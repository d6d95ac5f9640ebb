package jobs

import "testing"

// TestRecentIsBounded: a gateway remembers the last hundred jobs, and fewer if they have many tasks; of a job it knows the last attempt.
func TestRecentIsBounded(t *testing.T) {
	r := recent{under: map[uint64]*attempt{}, over: map[uint64]*outline{}}
	keep := func(job uint64, tasks int) {
		r.keep(job, &outline{attempt: job * 10, tasks: tasks})
		sum := 0
		for _, o := range r.over {
			sum += o.tasks
		}
		if len(r.over) != len(r.order) || len(r.over) > recentJobs || r.tasks != sum || sum > recentTasks && len(r.over) > 1 {
			t.Fatalf("after job %d: %d jobs in order, %d remembered, %d tasks of %d", job, len(r.order), len(r.over), r.tasks, sum)
		}
	}
	for job := range uint64(250) {
		keep(job, 3)
		keep(job, 4)
	}
	if len(r.over) != recentJobs || r.find(149) != nil || r.find(150) == nil || r.find(249).tasks != 4 {
		t.Errorf("%d jobs of 250", len(r.over))
	}
	keep(150, 5) // another attempt: the youngest now
	keep(250, 3)
	if r.find(151) != nil || r.find(150) == nil {
		t.Error("the job with the latest attempt was forgotten, or the one with the oldest was not")
	}
	keep(251, recentTasks-7)
	if len(r.over) != 2 || r.find(250) == nil {
		t.Errorf("%d jobs beside a large one", len(r.over))
	}
	keep(252, recentTasks+1)
	if len(r.over) != 1 || r.find(252) == nil {
		t.Errorf("%d jobs beside one that is too large", len(r.over))
	}
}
