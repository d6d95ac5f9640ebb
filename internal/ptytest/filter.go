//go:build unix

package ptytest

// filter takes out the sequences of terminals younger than the emulator, which
// would take them for others: those that begin with ESC [ and one of < = >, such
// as that which sets how keys are told apart.
type filter struct {
	held []byte // the beginning of a sequence that is not whole yet
}

// pass returns what of b the emulator may see.
func (f *filter) pass(b []byte) []byte {
	var out []byte
	for _, c := range b {
		switch n := len(f.held); {
		case n == 0 && c != 0x1b:
			out = append(out, c)
		case n == 0, n == 1 && c == '[', n == 2 && c >= '<' && c <= '>':
			f.held = append(f.held, c)
		case n >= 3:
			if f.held = append(f.held, c); c >= '@' && c <= '~' {
				f.held = nil
			}
		default:
			out = append(append(out, f.held...), c)
			f.held = nil
		}
	}
	return out
}
