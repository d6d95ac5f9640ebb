package state

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Job is a query that a cluster runs, as the log knows it. It is immutable. docs/jobs.md has the rules.
type Job struct {
	ID      uint64 // index of the entry that began it
	Key     ID     // its client's name for it: who asks twice asks for the same job
	User    string
	Text    string // of the query, or the beginning of it
	Width   int    // slots that it can use
	Gateway Holder // the server that its client asks, in one of its starts: it runs the attempts

	Status   JobStatus
	Attempt  uint64   // index of the entry that began the attempt under way, or the last; 0: there was none
	Attempts int      // how many there were
	Slots    []Holder // of the attempt under way: the servers that run it, one for each slot
	Failed   []int64  // log times of attempts that failed in their surroundings, the latest of them
	Avoid    []Holder // servers by whose fault the last attempt failed

	Submitted, Began, Ended int64  // log times, µs; 0: not yet
	Reason                  string // why it failed or was cancelled; of one that runs, why its last attempt failed
	Rows                    int64  // that it gave or wrote, once it is done
}

// JobStatus is what has become of a job. The numbers are part of the log's format.
type JobStatus uint8

// The statuses of a job.
const (
	Queued    JobStatus = 1 // waits for slots
	Running   JobStatus = 2
	Done      JobStatus = 3
	Failed    JobStatus = 4
	Cancelled JobStatus = 5
)

var jobStatusNames = []string{"", "queued", "running", "done", "failed", "cancelled"}

func (s JobStatus) String() string {
	if int(s) >= len(jobStatusNames) || s == 0 {
		return fmt.Sprintf("status %d", uint8(s))
	}
	return jobStatusNames[s]
}

// Over tells whether the job has ended.
func (s JobStatus) Over() bool { return s >= Done }

// Bounds of jobs.
const (
	MaxSlots    = 64   // of a job
	MaxText     = 4096 // bytes that are kept of a query, and of a reason
	maxUnder    = 1000 // jobs that have not ended
	maxOver     = 1000 // that have, and are remembered
	mostFailed  = 5    // attempts that may fail in their surroundings
	failedSpan  = int64(time.Minute / time.Microsecond)
	mostSuspect = MaxSlots
)

// Job finds a job.
func (s *State) Job(id uint64) (*Job, bool) { return s.jobs.Get(jobKey(id)) }

// JobByKey finds a job by its client's name for it.
func (s *State) JobByKey(key ID) (*Job, bool) {
	id, ok := s.jobKeys.Get(key[:])
	if !ok {
		return nil, false
	}
	return s.Job(id)
}

// Jobs yields the jobs in the order in which they were submitted.
func (s *State) Jobs() iter.Seq[*Job] {
	return func(yield func(*Job) bool) {
		s.jobs.Root().Walk(func(_ []byte, j *Job) bool { return !yield(j) })
	}
}

// SameJobs tells whether jobs and nodes are those of another state. It may say that they are not though they are.
func (s *State) SameJobs(other *State) bool { return s.jobs == other.jobs && s.nodes == other.nodes }

func jobKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// applyJob changes what the log says of a job.
func (s *State) applyJob(e Entry) error {
	if e.Kind == JobSubmit {
		return s.submit(e)
	}
	old, known := s.Job(e.Job)
	refuse := func(reason error, detail string) error {
		return &Refusal{Reason: reason, Name: fmt.Sprint(e.Job), Detail: detail}
	}
	switch {
	case !known:
		return refuse(ErrNoJob, "")
	case old.Status.Over():
		return refuse(ErrJobOver, "it is "+old.Status.String())
	case e.Kind == JobEnd && len(e.Servers) == 1 && e.Servers[0] != old.Gateway:
		return refuse(ErrAttempt, "another server runs it now")
	case e.Kind == JobAttempt && old.Status != Queued:
		return refuse(ErrAttempt, "it is running")
	case e.Kind != JobAttempt && e.Attempt != 0 && (old.Status != Running || e.Attempt != old.Attempt):
		return refuse(ErrAttempt, "")
	}
	j := *old
	switch e.Kind {
	case JobAttempt:
		if len(e.Servers) == 0 || len(e.Servers) > MaxSlots {
			return refuse(ErrEntry, fmt.Sprintf("an attempt in %d slots", len(e.Servers)))
		}
		j.Status, j.Attempt, j.Slots = Running, s.index, e.Servers
		j.Attempts++
		if j.Began == 0 {
			j.Began = s.logTime
		}
	case JobFail:
		j.Status, j.Slots, j.Reason, j.Avoid = Queued, nil, cut(e.Value), e.Servers[:min(len(e.Servers), mostSuspect)]
		j.Failed = append(slices.Clone(j.Failed), s.logTime)
		if n := len(j.Failed); n >= mostFailed {
			j.Failed = j.Failed[n-mostFailed:]
			if s.logTime-j.Failed[0] < failedSpan {
				s.end(&j, Failed, fmt.Sprintf("%d attempts failed within a minute, the last of them: %s", mostFailed, e.Value), 0)
				return nil
			}
		}
	case JobEnd:
		if !e.Outcome.Over() || e.Outcome > Cancelled {
			return refuse(ErrEntry, e.Outcome.String()+" is no end")
		}
		s.end(&j, e.Outcome, e.Value, e.Rows)
		return nil
	case JobCommit:
		files := e.Files
		files.Time = s.logTime
		var res []namespace.Result
		s.files, res = namespace.ApplyAll(s.files, s.index, []namespace.Entry{files}, func(int) error { return s.checkHeld(e) })
		if res[0].Err != nil {
			return res[0].Err
		}
		s.end(&j, Done, "", e.Rows)
		return nil
	}
	s.putJob(&j)
	return nil
}

// submit begins a job, or puts one into the hands of another gateway.
func (s *State) submit(e Entry) error {
	refuse := func(reason error, detail string) error { return &Refusal{Reason: reason, Detail: detail} }
	if e.Key.IsZero() || len(e.Servers) != 1 || e.Width < 1 {
		return refuse(ErrEntry, "a job has a key, a gateway and a width")
	}
	old, known := s.JobByKey(e.Key)
	switch {
	case known && old.Status.Over():
		return nil // whoever asks will see what became of it
	case known:
		j := *old
		j.Gateway, j.Status, j.Slots = e.Servers[0], Queued, nil // an attempt that somebody began before is nobody's now
		if old.Gateway != j.Gateway {
			j.Avoid = []Holder{old.Gateway} // its client could not reach that one
		}
		s.putJob(&j)
		return nil
	case s.jobs.Len()-s.jobsOver >= maxUnder:
		return refuse(ErrJobs, "")
	}
	j := &Job{
		ID: s.index, Key: e.Key, User: e.Name, Text: cut(e.Value), Width: min(e.Width, MaxSlots), Gateway: e.Servers[0],
		Status: Queued, Submitted: s.logTime,
	}
	s.jobKeys, _, _ = s.jobKeys.Insert(j.Key[:], j.ID)
	s.putJob(j)
	return nil
}

// cut is the beginning of a text, as much as is kept.
func cut(text string) string {
	if len(text) <= MaxText {
		return text
	}
	n := MaxText
	for n > 0 && text[n]&0xC0 == 0x80 { // not within a character
		n--
	}
	return text[:n]
}

func (s *State) putJob(j *Job) { s.jobs, _, _ = s.jobs.Insert(jobKey(j.ID), j) }

// end makes j one that has ended, and forgets the oldest of those if there are too many.
func (s *State) end(j *Job, as JobStatus, reason string, rows int64) {
	j.Status, j.Slots, j.Avoid, j.Ended, j.Reason, j.Rows = as, nil, nil, s.logTime, cut(reason), rows
	s.putJob(j)
	s.jobsOver++
	if s.jobsOver <= maxOver {
		return
	}
	for first := range s.Jobs() {
		if first.Status.Over() {
			s.jobs, _, _ = s.jobs.Delete(jobKey(first.ID))
			s.jobKeys, _, _ = s.jobKeys.Delete(first.Key[:])
			s.jobsOver--
			return
		}
	}
}
