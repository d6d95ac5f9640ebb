package write

// Flush hands on what is buffered, for a reader who waits at the other end.
func (s *Sink) Flush() error {
	if s.err != nil || s.done || len(s.buf) == 0 {
		return s.err
	}
	return s.flush()
}
