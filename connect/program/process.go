package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/vec"
)

// grace is how long what a program has started may go on writing once the
// program itself has ended.
const grace = 500 * time.Millisecond

// pending is how many batches wait on either side of the program.
const pending = 2

// process is a program with a goroutine that writes to it, one that reads from
// it, and one that waits for its end. Whoever pushes rows also takes what has
// come out, so that neither side can block the other for good.
type process struct {
	p      *connect.Program
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr *tail

	in      chan rows
	out     chan connect.Batch
	refused chan struct{} // closed once the program takes no more input
	over    chan struct{} // closed once the output has ended and the program too
	failure error         // why; valid after over
	given   int64         // rows read from it so far

	stop    func() bool
	closeIn sync.Once
	kill    sync.Once
	exited  atomic.Bool
	cause   atomic.Pointer[connect.ProgramError] // why it was killed
	alive   *time.Timer                          // fires after Timeout without progress
	writing sync.WaitGroup
}

// rows are columns on their way to the program.
type rows struct {
	cols []arrow.Array
	n    int
}

func (r rows) release() {
	for _, c := range r.cols {
		c.Release()
	}
}

// Start runs a program. It lives until Finish or Close, or the end of ctx.
func Start(ctx context.Context, p *connect.Program, mem memory.Allocator) (connect.Process, error) {
	path, err := Find(p.Path)
	if err != nil {
		return nil, err
	}
	r := &process{
		p: p, cmd: exec.Command(path, p.Args...), stderr: &tail{},
		in: make(chan rows), out: make(chan connect.Batch, pending),
		refused: make(chan struct{}), over: make(chan struct{}),
	}
	r.cmd.Args[0] = p.Path
	r.cmd.Stderr = r.stderr
	r.cmd.WaitDelay = grace // for what it started that holds its standard error open
	ownGroup(r.cmd)
	started, ready := make(chan error), make(chan struct{})
	go func() {
		// Linux ends the program when the thread that started it ends, so that
		// it does not outlive us: this one lives as long as the program.
		runtime.LockOSThread()
		err := r.start()
		started <- err
		if err != nil {
			return
		}
		<-ready
		r.supervise(mem)
	}()
	if err := <-started; err != nil {
		return nil, &connect.ProgramError{Program: p.Path, Msg: "cannot be run: " + bare(err)}
	}
	if p.Timeout > 0 {
		r.alive = time.AfterFunc(p.Timeout, r.hangs)
	}
	r.stop = context.AfterFunc(ctx, func() { r.end(nil) })
	r.writing.Add(1)
	go r.write()
	close(ready)
	return r, nil
}

// start makes the pipes and the process.
func (r *process) start() error {
	childIn, stdin, err := os.Pipe()
	if err != nil {
		return err
	}
	stdout, childOut, err := os.Pipe()
	if err != nil {
		return errors.Join(err, childIn.Close(), stdin.Close())
	}
	r.cmd.Stdin, r.cmd.Stdout = childIn, childOut
	err = r.cmd.Start()
	err = errors.Join(err, childIn.Close(), childOut.Close())
	if err != nil {
		return errors.Join(err, stdin.Close(), stdout.Close())
	}
	r.stdin, r.stdout = stdin, stdout
	return nil
}

func bare(err error) string {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// supervise reads the output to its end, then says how the program ended.
func (r *process) supervise(mem memory.Allocator) {
	exited := make(chan error, 1)
	leftBehind := time.AfterFunc(time.Hour, func() {
		killGroup(r.cmd)
		r.cutOff()
	})
	leftBehind.Stop()
	go func() {
		err := r.cmd.Wait()
		r.exited.Store(true)
		if errors.Is(err, exec.ErrWaitDelay) {
			leftBehind.Reset(0)
		} else {
			leftBehind.Reset(grace) // what it has started may keep its output open
		}
		exited <- err
	}()
	readErr := r.read(mem)
	if readErr != nil {
		r.end(nil)
	}
	status := <-exited
	leftBehind.Stop()
	r.stop()
	if r.alive != nil {
		r.alive.Stop()
	}
	r.failure = r.verdict(status, readErr)
	_ = r.stdout.Close() // read to its end
	close(r.over)
}

// verdict is what went wrong, if anything: a reason to kill it first, then how
// it ended, then what it wrote.
func (r *process) verdict(status, readErr error) error {
	if why := r.cause.Load(); why != nil {
		return why
	}
	e := &connect.ProgramError{Program: r.p.Path, Stderr: r.stderr.String()}
	exit, ended := errors.AsType[*exec.ExitError](status)
	signalled, signal := ended && !exit.Exited(), ""
	if signalled {
		signal = exit.String()
	}
	switch {
	case ended && exit.Exited():
		e.Msg = fmt.Sprintf("ended with status %d", exit.ExitCode())
		return e
	case signalled && readErr == nil:
		e.Msg = "was ended by " + signal
		return e
	case readErr != nil:
		e.Msg = "its output cannot be read: " + readErr.Error()
		return e
	case status != nil && !errors.Is(status, exec.ErrWaitDelay):
		e.Msg = status.Error()
		return e
	}
	return nil
}

// hangs ends a program that has neither read nor written for too long.
func (r *process) hangs() {
	r.end(&connect.ProgramError{
		Program: r.p.Path, Stderr: r.stderr.String(),
		Msg:  fmt.Sprintf("has neither read nor written anything for %s", r.p.Timeout),
		Hint: "the option timeout gives it more time",
	})
}

func (r *process) progress() {
	if r.alive != nil {
		r.alive.Reset(r.p.Timeout)
	}
}

// end kills the program and all of its group.
func (r *process) end(why *connect.ProgramError) {
	r.kill.Do(func() {
		if why != nil {
			r.cause.Store(why)
		}
		if !r.exited.Load() {
			killGroup(r.cmd)
		}
		r.cutOff()
	})
}

// cutOff ends the pipes, whoever else holds their other ends.
func (r *process) cutOff() {
	past := time.Unix(1, 0)
	_ = r.stdout.SetReadDeadline(past)
	_ = r.stdin.SetWriteDeadline(past)
}

// Push implements connect.Process.
func (r *process) Push(ctx context.Context, cols []arrow.Array, n int, emit func(*connect.Batch) error) (bool, error) {
	next := rows{cols: append([]arrow.Array(nil), cols...), n: n}
	for _, c := range cols {
		vec.Settle(c)
		c.Retain()
	}
	for {
		select {
		case r.in <- next:
			return true, nil
		case b, ok := <-r.out:
			if !ok {
				next.release()
				<-r.over
				return false, r.failure
			}
			if err := emitted(&b, emit); err != nil {
				next.release()
				return false, err
			}
		case <-r.refused:
			next.release()
			return false, nil
		case <-ctx.Done():
			next.release()
			return false, context.Cause(ctx)
		}
	}
}

func emitted(b *connect.Batch, emit func(*connect.Batch) error) error {
	defer b.Release()
	return emit(b)
}

// Finish implements connect.Process.
func (r *process) Finish(ctx context.Context, emit func(*connect.Batch) error) error {
	r.closeIn.Do(func() { close(r.in) })
	for {
		select {
		case b, ok := <-r.out:
			if !ok {
				<-r.over
				return r.failure
			}
			if err := emitted(&b, emit); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close implements connect.Process.
func (r *process) Close() error {
	r.closeIn.Do(func() { close(r.in) })
	select {
	case <-r.over:
	default:
		r.end(nil)
	}
	for b := range r.out {
		b.Release()
	}
	<-r.over
	r.writing.Wait()
	return nil
}

// brokenPipe reports that the other end takes no more.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrClosedPipe)
}
