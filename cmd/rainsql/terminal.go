package main

import (
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/rainsql/rainsql/internal/render"
)

// screenRows is how many rows of a table are shown on a terminal.
const screenRows = 40

// smart reports whether a terminal may be sent colours and have lines drawn
// over: neither with NO_COLOR, nor where TERM says that it cannot.
func smart() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// screenSize is the size of the terminal that a file is, in columns and lines,
// or what the environment says of it.
func screenSize(f *os.File) (columns, lines int) {
	if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w, h
	}
	size := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
			return n
		}
		return otherwise
	}
	return size("COLUMNS", 80), size("LINES", 24)
}

// tableOptions fit tables to the terminal that standard output is, if it is one.
func (s streams) tableOptions() render.Options {
	if !terminal(s.out) {
		return render.Options{}
	}
	columns, lines := screenSize(s.out)
	return render.Options{Width: columns, Height: lines, MaxRows: screenRows, Color: smart()}
}
