package scan

// origin finds the line of a row by counting newlines up to where it begins.
type origin struct {
	src    *Source
	base   int64    // of the chunk
	starts []uint32 // where in it each row begins
	lines  []int64  // of each row, where the file cannot be read again
}

// Locate returns the file and line of a row of the batch; line 0 if it cannot be found.
func (o *origin) Locate(row int) (file string, line int64) {
	switch {
	case row < 0 || row >= len(o.starts):
		return o.src.Display, 0
	case o.lines != nil:
		return o.src.Display, o.lines[row]
	}
	return o.src.Display, o.src.Line(o.base + int64(o.starts[row]))
}
