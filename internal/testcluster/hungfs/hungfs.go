// Package hungfs is a folder as a file system of its own, which can be told to hang or
// to fail: the disk that stops answering, or is full, below a real process.
//
// Use it from another process than the one that mounted it, as a child is. In the
// process that serves it a page fault of a mapped file (bbolt) can meet the stop
// of the garbage collector, and then both wait for ever. Plain reads and writes are safe.
//
// It is Linux only, and needs root or CAP_SYS_ADMIN.
package hungfs
