package engine

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
)

// MachineMemory is how many bytes the queries of this process may hold: 80% of what the machine, or the container that it runs in, has; 0
// where neither can be told.
func MachineMemory() int64 { return defaultMemoryLimit() }

// defaultMemoryLimit is 80% of the memory that the machine, or the container
// that this process runs in, has; 0 (no limit) where neither can be told.
var defaultMemoryLimit = sync.OnceValue(func() int64 {
	total := fileNumber("/sys/fs/cgroup/memory.max")
	if n := memTotal(); n > 0 && (total <= 0 || n < total) {
		total = n
	}
	return total / 10 * 8
})

func fileNumber(path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func memTotal() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == "MemTotal:" {
			kb, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
