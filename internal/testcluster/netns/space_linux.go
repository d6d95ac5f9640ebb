package netns

import (
	"errors"
	"fmt"
	"runtime"

	vnetns "github.com/vishvananda/netns"
)

// newSpace makes a namespace, which lasts as long as the handle and its processes.
func newSpace() (vnetns.NsHandle, error) {
	space := vnetns.None()
	err := onThread(func() (err error) {
		space, err = vnetns.New()
		return err
	})
	return space, err
}

// enter runs fn on a thread in a namespace.
func enter(space vnetns.NsHandle, fn func() error) error {
	return onThread(func() error {
		if err := vnetns.Set(space); err != nil {
			return fmt.Errorf("netns: entering a namespace: %w", err)
		}
		return fn()
	})
}

// onThread runs fn on a thread of its own and brings that back to the namespace it was in. Where
// that fails the thread ends, since no other goroutine may run on it.
func onThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := vnetns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("netns: where this thread is: %w", err)
			return
		}
		err = fn()
		back := vnetns.Set(home)
		if back == nil {
			runtime.UnlockOSThread()
		}
		done <- errors.Join(err, back, home.Close())
	}()
	return <-done
}
