package exposition

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ticks is how many of its units of time /proc counts in a second, on every processor that Go knows.
const ticks = 100

// process writes what the system knows of this process; what it does not tell is left out.
func (p *Page) process() {
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil {
		p.stat(stat)
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.Gauge("process_open_fds", "Files and connections that are open.", float64(len(open)-1)) // one is that folder
	}
	var most unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &most) == nil {
		p.Gauge("process_max_fds", "Files and connections that may be open.", float64(most.Cur))
	}
}

// stat writes what stands in /proc/self/stat, whose fields proc(5) numbers from 1.
func (p *Page) stat(text []byte) {
	// The second is the program's name, in brackets, with blanks and brackets or whatever.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 24-2 {
		return
	}
	field := func(n int) float64 {
		v, _ := strconv.ParseFloat(string(fields[n-3]), 64)
		return v
	}
	p.Counter("process_cpu_seconds_total", "Time on processors, for the program and in the system.", (field(14)+field(15))/ticks)
	p.Gauge("process_virtual_memory_bytes", "Address space.", field(23))
	p.Gauge("process_resident_memory_bytes", "Memory in use.", field(24)*float64(os.Getpagesize()))
	if since, ok := booted(); ok {
		p.Gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", since+field(22)/ticks)
	}
}

// booted is when the machine was started, in seconds since 1970.
func booted() (float64, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	_, after, _ := bytes.Cut(text, []byte("\nbtime "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	t, err := strconv.ParseFloat(string(line), 64)
	return t, err == nil
}
