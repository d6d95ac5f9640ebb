//go:build unix

package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// childEnv makes this test binary the consumers' process of BenchmarkCarry.
const childEnv = "RAINSQL_LINK_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := child(); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// benchTasks are the producers, and as many consumers.
const benchTasks = 2

var (
	benchTypes = []types.Type{types.INT, types.INT, types.INT, types.INT}
	benchSpec  = dag.Edge{Kind: dag.Rebalance}
)

// child runs consumers until its stdin ends.
func child() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, _ = os.Stdout.WriteString(l.Addr().String() + "\n")
	s := grpc.NewServer(serverOptions()...)
	Register(s, func(h Head, stream grpc.ServerStream) error {
		return consume(h, stream)
	})
	go func() { _ = s.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Stop()
	return nil
}

type onlyEdge struct{ *exchange.Edge }

func (e onlyEdge) Inlet(_, producer, consumer int, taken func()) *exchange.Inlet {
	return e.Edge.Inlet(producer, consumer, taken)
}

func consume(h Head, stream grpc.ServerStream) error {
	mem := frame.NewPool(memory.DefaultAllocator, 32<<20)
	defer mem.Close()
	e := exchange.New(benchSpec, benchTasks, benchTasks, exchange.Apart{Producers: make([]bool, benchTasks)}, mem, op.NewMemory(0))
	var work sync.WaitGroup
	var pairs []Pair
	for c := range benchTasks {
		for p := range benchTasks {
			pairs = append(pairs, Pair{p, c})
		}
		r := e.Receiver(c)
		work.Go(func() {
			defer r.Stop()
			for {
				m, err := r.Next(stream.Context())
				if err != nil {
					return
				}
				m.Release()
			}
		})
	}
	err := Serve(stream.Context(), stream, h, Edge{Types: benchTypes, Mem: mem}, onlyEdge{e}, pairs)
	work.Wait()
	e.Drain()
	return err
}

// cpuTime is what this process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCarry has producers send batches of 1 MB of numbers to consumers in another process over TCP, as frame.BenchmarkLoopback does without links.
func BenchmarkCarry(b *testing.B) {
	for _, rows := range []int{1 << 15, 1 << 12, 1 << 8} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { benchCarry(b, rows) })
	}
}

func benchCarry(b *testing.B, rows int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	before := cpuTime(b)
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///node", append(frame.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimSpace(addr))
		}))...)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	mem := frame.NewPool(memory.DefaultAllocator, 8<<20)
	defer mem.Close()
	var stats Stats
	o, err := Open(b.Context(), conn, node(1), Head{Job: 1, Attempt: 1, From: node(0)}, Edge{Types: benchTypes, Credit: exchange.Credit(benchSpec.Kind), Mem: mem, Stats: &stats}, nil)
	if err != nil {
		b.Fatal(err)
	}
	e := exchange.New(benchSpec, benchTasks, benchTasks, exchange.Apart{Consumers: make([]bool, benchTasks), Away: o.Way}, mem, op.NewMemory(0))
	batch := &op.Batch{Rows: rows, Split: -1}
	r := rand.New(rand.NewPCG(1, 1))
	for range benchTypes {
		f := vec.NewFixed[int64](memory.DefaultAllocator, arrow.PrimitiveTypes.Int64, rows)
		for i := range f.Values {
			f.Values[i] = r.Int64()
		}
		batch.Cols = append(batch.Cols, f.Finish())
	}
	var senders []exchange.Sender
	for p := range benchTasks {
		senders = append(senders, e.Sender(p))
	}
	send := func(s exchange.Sender, n int) error {
		for range n {
			if _, err := s.Send(b.Context(), batch); err != nil {
				return err
			}
		}
		return nil
	}
	if err := send(senders[0], benchTasks); err != nil {
		b.Fatal(err)
	}
	sent := stats.Bytes.Load()
	b.ResetTimer()
	start := time.Now()
	var work sync.WaitGroup
	for p, s := range senders {
		n := b.N / benchTasks
		if p == 0 {
			n += b.N % benchTasks
		}
		work.Go(func() {
			defer s.Close()
			if err := send(s, n); err != nil {
				b.Error(err)
			}
		})
	}
	work.Wait()
	if err := o.Close(); err != nil && !errors.Is(err, io.EOF) { // which waits until all was received
		b.Fatal(err)
	}
	total := float64(stats.Bytes.Load() - sent)
	b.ReportMetric(total/time.Since(start).Seconds()/1e9, "GB/s")
	b.ReportMetric(float64(stats.Waited.Load())/float64(time.Since(start))/benchTasks*100, "%waited")
	sender := cpuTime(b) - before
	_ = in.Close()
	_ = cmd.Wait()
	receiver := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	b.ReportMetric(sender.Seconds()/total*1e9, "s/GB-sender")
	b.ReportMetric(receiver.Seconds()/total*1e9, "s/GB-receiver")
}
