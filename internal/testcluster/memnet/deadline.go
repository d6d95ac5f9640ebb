package memnet

import (
	"sync"
	"time"
)

// deadline is one of a conn's; the network's lock guards it.
type deadline struct {
	passed bool
	timer  *time.Timer
	set    int // counts what was set, so that a timer that was too late to stop is not heeded
}

// to sets the deadline, none for the zero time, and has cond's waiters look when it comes.
func (d *deadline) to(t time.Time, cond *sync.Cond) {
	d.stop()
	d.set++
	d.passed = false
	defer cond.Broadcast()
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		return
	}
	set := d.set
	d.timer = time.AfterFunc(wait, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		if d.set == set {
			d.passed = true
			cond.Broadcast()
		}
	})
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
