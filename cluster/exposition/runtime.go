package exposition

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// Runtime writes what there is to know of Go's runtime and of the process, under the names that
// Prometheus's library for Go gives them: dashboards know those.
//
// The package runtime/metrics would not stop the world for some microseconds as ReadMemStats does, but
// builds its table when it is loaded.
func (p *Page) Runtime() {
	p.collections()
	threads, _ := runtime.ThreadCreateProfile(nil)
	p.Gauge("go_goroutines", "Goroutines that exist now.", float64(runtime.NumGoroutine()))
	p.Gauge("go_threads", "Threads that were made.", float64(threads))
	p.Gauge("go_sched_gomaxprocs_threads", "Threads that may run Go at once.", float64(runtime.GOMAXPROCS(0)))
	p.Gauge("go_gc_gomemlimit_bytes", "Memory that the runtime is told to stay below.", float64(debug.SetMemoryLimit(-1)))
	p.Gauges("go_info", "The version of Go.", "version", []Sample{{runtime.Version(), 1}})
	p.memory()
	p.process()
}

// collections writes how long garbage collections stopped the program.
func (p *Page) collections() {
	const name = "go_gc_duration_seconds"
	gc := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&gc)
	p.head(name, "summary", "Pauses of garbage collection: quantiles of the recent ones, sum and count of all.")
	for i, q := range gc.PauseQuantiles {
		p.line(name, "quantile", strconv.FormatFloat(float64(i)/4, 'g', -1, 64), q.Seconds())
	}
	p.line(name+"_sum", "", "", gc.PauseTotal.Seconds())
	p.line(name+"_count", "", "", float64(gc.NumGC))
}

func (p *Page) memory() {
	const prefix = "go_memstats_"
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, g := range []struct {
		name, help string
		value      uint64
	}{
		{"alloc_bytes", "Bytes of objects that are not freed.", m.Alloc},
		{"heap_alloc_bytes", "The same.", m.HeapAlloc},
		{"heap_objects", "Objects that are not freed.", m.HeapObjects},
		{"heap_inuse_bytes", "Bytes of spans with objects in them.", m.HeapInuse},
		{"heap_idle_bytes", "Bytes of spans with none.", m.HeapIdle},
		{"heap_released_bytes", "Bytes of those that the system has back.", m.HeapReleased},
		{"heap_sys_bytes", "Address space of the heap.", m.HeapSys},
		{"stack_inuse_bytes", "Bytes of goroutines' stacks.", m.StackInuse},
		{"stack_sys_bytes", "Bytes of stacks, those of threads among them.", m.StackSys},
		{"mspan_inuse_bytes", "Bytes of the descriptions of spans.", m.MSpanInuse},
		{"mspan_sys_bytes", "Address space for those.", m.MSpanSys},
		{"mcache_inuse_bytes", "Bytes of the processors' caches of spans.", m.MCacheInuse},
		{"mcache_sys_bytes", "Address space for those.", m.MCacheSys},
		{"buck_hash_sys_bytes", "Bytes of the tables of profiles.", m.BuckHashSys},
		{"gc_sys_bytes", "Bytes of what garbage collection notes.", m.GCSys},
		{"other_sys_bytes", "Bytes of what else the runtime needs.", m.OtherSys},
		{"sys_bytes", "Address space of all of these.", m.Sys},
		{"next_gc_bytes", "Size of the heap at which the next collection ends.", m.NextGC},
	} {
		p.Gauge(prefix+g.name, g.help, float64(g.value))
	}
	p.Gauge(prefix+"last_gc_time_seconds", "When the last collection ended, in seconds since 1970.", float64(m.LastGC)/1e9)
	p.Counter(prefix+"alloc_bytes_total", "Bytes of objects ever made.", float64(m.TotalAlloc))
	p.Counter(prefix+"mallocs_total", "Objects ever made.", float64(m.Mallocs))
	p.Counter(prefix+"frees_total", "Objects ever freed.", float64(m.Frees))
}
