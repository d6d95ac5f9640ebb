// Package query runs graphs on a cluster, for who is no server of it. docs/jobs.md has the rules.
package query

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/dag"
)

// Runner runs graphs as jobs of a cluster, as task.Graph does in this process. The client stays the caller's.
func Runner(cl *client.Client) func(context.Context, *dag.Graph, *task.Runtime, *task.Stats) (*task.Report, error) {
	return func(ctx context.Context, g *dag.Graph, rt *task.Runtime, stats *task.Stats) (*task.Report, error) {
		data, err := dag.Encode(g)
		if err != nil {
			return nil, err
		}
		q := &query{graph: g, data: data, rt: rt, stats: stats}
		_, _ = rand.Read(q.key[:]) // never fails
		err = cl.Call(ctx, true, func(_ context.Context, conn grpc.ClientConnInterface) error { return q.ask(ctx, conn) })
		if q.settled {
			err = q.err
		}
		return q.report, err
	}
}

// query is a job as its client sees it.
type query struct {
	graph *dag.Graph
	data  []byte
	rt    *task.Runtime
	stats *task.Stats
	key   [16]byte

	rows    int64 // that were handed out
	settled bool  // nobody else need be asked
	err     error // then
	report  *task.Report
}

// settle is the end of the query.
func (q *query) settle(err error) error {
	q.settled, q.err = true, err
	return nil
}

// endTime is how long a server may take to end a job that is not wanted any more.
const endTime = time.Second

// ask has one server run the job. It gives an error if another may be asked.
func (q *query) ask(outer context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(outer)) // the server is told why the job ends, before the stream does
	defer cancel()
	stream, err := api.NewJobsClient(conn).Run(ctx)
	if err != nil {
		return err
	}
	sent := q.submit(stream)
	ended := make(chan struct{})
	defer close(ended)
	told := make(chan struct{}) // why the job ends
	stop := context.AfterFunc(outer, func() {
		defer close(told)
		<-sent
		_ = stream.Send(&api.RunRequest{What: &api.RunRequest_Cancel{Cancel: context.Cause(outer).Error()}})
		select {
		case <-ended:
		case <-time.After(endTime):
			cancel()
		}
	})
	err = q.hear(ctx, stream)
	if !stop() && outer.Err() != nil { // whatever came of it
		return q.settle(context.Cause(outer))
	}
	if err != nil && q.rows > 0 && !q.settled {
		return q.settle(fmt.Errorf("%s; %d rows had been handed out already, so the query cannot begin anew by itself: run it again", status.Convert(err).Message(), q.rows))
	}
	return err
}

// submit sends the job in the background; the server's answer tells of an error.
func (q *query) submit(stream grpc.BidiStreamingClient[api.RunRequest, api.RunResponse]) (sent chan struct{}) {
	sent = make(chan struct{})
	run := &api.Run{
		GraphBytes: int64(len(q.data)), MemoryLimit: q.rt.MemoryLimit, SplitBytes: q.rt.SplitBytes, NowMicros: q.rt.Env.Eval.Now.UnixMicro(), Measure: q.rt.Measure,
	}
	go func() {
		defer close(sent)
		if stream.Send(&api.RunRequest{What: &api.RunRequest_Submit{Submit: &api.Submit{Key: q.key[:], Text: q.rt.Text, Run: run}}}) != nil {
			return
		}
		_ = jobs.SendGraph(q.data, func(piece []byte) error {
			return stream.Send(&api.RunRequest{What: &api.RunRequest_Graph{Graph: piece}})
		})
	}()
	return sent
}

// hear takes what the server says until the job has ended.
func (q *query) hear(ctx context.Context, stream grpc.BidiStreamingClient[api.RunRequest, api.RunResponse]) error {
	var dec *frame.Decoder
	defer func() {
		if dec != nil {
			dec.Release()
		}
	}()
	var data []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Aborted, "the server has ended its answer too soon")
		}
		if err != nil {
			return err
		}
		switch what := m.GetWhat().(type) {
		case *api.RunResponse_Begun:
			if q.rows > 0 {
				return q.settle(errors.New("the server begins the query anew though rows of it were handed out"))
			}
			if dec != nil {
				dec.Release() // of an attempt before: nothing of it was handed out
			}
			if dec, err = frame.NewDecoder(q.rt.Env.Alloc, jobs.TypesOf(q.graph.Schema)); err != nil {
				return q.settle(err)
			}
			data = nil
		case *api.RunResponse_Rows:
			if len(data)+len(what.Rows.GetFrame()) > frame.MaxBytes || dec == nil {
				return q.settle(errors.New("the server sends rows that are none"))
			}
			data = append(data, what.Rows.GetFrame()...)
			if what.Rows.GetMore() {
				continue
			}
			flow, err := q.take(ctx, dec, data)
			data = nil
			switch {
			case err != nil:
				_ = stream.Send(&api.RunRequest{What: &api.RunRequest_Cancel{Cancel: err.Error()}})
				return q.end(stream, err)
			case flow == op.Enough:
				_ = stream.Send(&api.RunRequest{What: &api.RunRequest_Enough{Enough: true}})
			}
		case *api.RunResponse_Progress:
			q.progress(what.Progress)
		case *api.RunResponse_Over:
			return q.over(what.Over)
		}
	}
}

// end waits for the end of a job that this client has ended, so that its slots are free when it goes.
func (q *query) end(stream grpc.BidiStreamingClient[api.RunRequest, api.RunResponse], why error) error {
	for {
		m, err := stream.Recv()
		if err != nil || m.GetOver() != nil {
			return q.settle(why)
		}
	}
}

// take hands rows to who asked for them.
func (q *query) take(ctx context.Context, dec *frame.Decoder, data []byte) (op.Flow, error) {
	f := frame.FromBytes(data)
	defer f.Release()
	m, err := dec.Decode(f)
	if err != nil {
		return op.Enough, err
	}
	if m.Batch == nil {
		return op.Enough, errors.New("the server sends rows that are none")
	}
	defer m.Batch.Release()
	q.rows += int64(m.Batch.Rows)
	return q.rt.Result(ctx, m.Batch.Cols, m.Batch.Rows)
}

func (q *query) progress(m *api.Progress) {
	q.stats.Set(jobs.SnapshotOf(m))
	q.rt.Env.Memory.Report(m.GetMemory(), m.GetPeak(), m.GetSpilled())
}

// over is the end that the server tells of.
func (q *query) over(m *api.JobOver) error {
	if m.GetProgress() != nil {
		q.progress(m.GetProgress())
	}
	switch {
	case m.GetStatus() == "done":
		if q.rt.Measure {
			q.report = reportOf(q.graph, m)
		}
		return q.settle(nil)
	case m.GetStatus() == jobs.Lost && q.rows == 0 && len(q.graph.Targets()) == 0:
		_, _ = rand.Read(q.key[:]) // never fails; nobody has had anything of it: it is done once more
		return status.Error(codes.Aborted, m.GetReason())
	case m.GetStatus() == "cancelled":
		return q.settle(fmt.Errorf("the job was cancelled: %s", m.GetReason()))
	}
	return q.settle(errors.New(m.GetReason()))
}

// reportOf adds up what the servers have measured.
func reportOf(g *dag.Graph, over *api.JobOver) *task.Report {
	r := task.NewReport(g)
	for _, t := range over.GetTasks() {
		d := t.GetDone()
		r.Tasks = append(r.Tasks, task.Placed{Node: t.GetNodeName(), TaskCount: task.TaskCount{
			Stage: int(d.GetStage()), Task: int(d.GetTask()), In: d.GetRowsIn(), Out: d.GetRowsOut(), Bytes: d.GetBytes(),
			Began: time.UnixMicro(d.GetBeganMicros()), Spent: time.Duration(d.GetNanos()), Waited: time.Duration(d.GetWaitedNanos()), Over: d.GetOver(), Failed: d.GetFailed(),
		}})
	}
	for _, m := range over.GetMeters() {
		of := r.Ops
		if m.GetEdge() {
			of = r.Edges
		}
		stage, at := int(m.GetStage()), int(m.GetAt())
		if stage < 0 || stage >= len(of) || at < 0 || at >= len(of[stage]) {
			continue
		}
		to := of[stage][at]
		to.Read.Add(m.GetRead())
		to.Rows.Add(m.GetRows())
		to.Bytes.Add(m.GetBytes())
		to.Nanos.Add(m.GetNanos())
	}
	return r
}
