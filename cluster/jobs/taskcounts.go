package jobs

import (
	"strings"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/dag"
)

// counts are what the part's tasks have done so far.
func (p *part) counts() []*api.TaskProgress {
	select {
	case <-p.ready:
	default:
		return nil
	}
	var list []*api.TaskProgress
	for _, c := range p.running.Counts() {
		list = append(list, countOf(c))
	}
	return list
}

func countOf(c task.TaskCount) *api.TaskProgress {
	m := &api.TaskProgress{
		Stage: int64(c.Stage), Task: int64(c.Task), RowsIn: c.In, RowsOut: c.Out, Bytes: c.Bytes,
		Nanos: int64(c.Spent), WaitedNanos: int64(min(c.Waited, c.Spent)), Over: c.Over, Failed: c.Failed,
	}
	if !c.Began.IsZero() {
		m.BeganMicros = c.Began.UnixMicro()
	}
	return m
}

// titles are what the stages of a graph do, each on a short line.
func titles(g *dag.Graph) []string {
	labels := dag.Label(g)
	list := make([]string, len(g.Stages))
	for i, ops := range labels.Ops {
		list[i] = brief(strings.Join(ops, " · "))
	}
	return list
}

// outline is what the tasks of an attempt have done so far, stage by stage.
func (a *attempt) outline() *outline {
	s := a.r.g.cfg.Log.State()
	o := &outline{attempt: a.job.Attempt}
	names := titles(a.r.graph)
	for _, st := range a.r.graph.Stages {
		m := &api.StageInfo{Stage: int64(st.ID), Operators: names[st.ID]}
		for i := range st.Tasks {
			id := a.place.at(st.ID, i)
			m.Tasks = append(m.Tasks, &api.TaskInfo{
				Node: id[:], NodeName: nameOf(s, id), Done: &api.TaskProgress{Stage: int64(st.ID), Task: int64(i)},
			})
		}
		o.stages = append(o.stages, m)
		o.tasks += st.Tasks
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.parts {
		for _, done := range p.progress.GetTasks() {
			stage, at := done.GetStage(), done.GetTask()
			if stage >= 0 && stage < int64(len(o.stages)) && at >= 0 && at < int64(len(o.stages[stage].Tasks)) {
				o.stages[stage].Tasks[at].Done = done
			}
		}
	}
	return o
}
