//go:build unix

package frame

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/expr/types"
)

// childEnv makes this test binary the receiving process of BenchmarkLoopback: it
// names the types to decode.
const childEnv = "RAINSQL_FRAME_CHILD"

func TestMain(m *testing.M) {
	if kind := os.Getenv(childEnv); kind != "" {
		if err := child(kind); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child decodes what it is sent, as a consumer would, until its stdin ends.
func child(kind string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, _ = os.Stdout.WriteString(l.Addr().String() + "\n")
	ts, b := benchBatch(memory.DefaultAllocator, kind)
	b.Release()
	s := serve(l, func(st grpc.ServerStream) error { return consume(st, ts) })
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Stop()
	return nil
}

func consume(st grpc.ServerStream, ts []types.Type) error {
	mem := NewPool(memory.DefaultAllocator, 8<<20)
	defer mem.Close()
	d, err := NewDecoder(mem, ts)
	if err != nil {
		return err
	}
	defer d.Release()
	for {
		f := New(mem)
		err := st.RecvMsg(f)
		if err == nil {
			var m Message
			if m, err = d.Decode(f); err == nil && m.Batch != nil {
				m.Batch.Release()
			}
			if m.Kind == Close {
				end, err := new(Encoder).Encode(Message{Kind: Close})
				if err != nil {
					return err
				}
				err = st.SendMsg(end)
				end.Release()
				if err != nil {
					return err
				}
			}
		}
		f.Release()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// cpuTime is what this process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLoopback sends frames of about 1 MB to another process over TCP. The
// seconds of processors that both use for 1 GB tell more than its speed where others use them too.
func BenchmarkLoopback(b *testing.B) {
	for _, kind := range benchKinds {
		b.Run(kind, func(b *testing.B) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+kind)
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
			conn := dial(b, func(ctx context.Context, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimSpace(addr))
			})
			defer func() { _ = conn.Close() }()
			st, err := conn.NewStream(context.Background(), flow, method, CallOptions()...)
			if err != nil {
				b.Fatal(err)
			}
			ts, batch := benchBatch(memory.DefaultAllocator, kind)
			mem := NewPool(memory.DefaultAllocator, 8<<20)
			defer mem.Close()
			l := newLink(b, mem, ts...)
			total := 0
			send := func(m Message) {
				f, err := l.e.Encode(m)
				if err != nil {
					b.Fatal(err)
				}
				total += f.Len()
				err = st.SendMsg(f)
				f.Release()
				if err != nil {
					b.Fatal(err)
				}
			}
			send(Message{Kind: Batch, Batch: batch})
			total = 0
			start := time.Now()
			for b.Loop() {
				send(Message{Kind: Batch, Batch: batch})
			}
			send(Message{Kind: Close}) // which is answered when all has been decoded
			f := New(memory.DefaultAllocator)
			if err := st.RecvMsg(f); err != nil {
				b.Fatal(err)
			}
			f.Release()
			b.ReportMetric(float64(total)/time.Since(start).Seconds()/1e9, "GB/s")
			sender := cpuTime(b) - before
			_ = in.Close()
			_ = cmd.Wait()
			receiver := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			b.ReportMetric(sender.Seconds()/float64(total)*1e9, "s/GB-sender")
			b.ReportMetric(receiver.Seconds()/float64(total)*1e9, "s/GB-receiver")
			b.ReportMetric(float64(total)/float64(b.N)/1e6, "MB/frame")
		})
	}
}
