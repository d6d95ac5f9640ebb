//go:build !linux

package exposition

// process writes nothing: only Linux tells of a process in files.
func (p *Page) process() {}
