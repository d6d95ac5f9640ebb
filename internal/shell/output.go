package shell

import (
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/local"
)

// output is the file of \\o. What one input gives is added to it when the input
// has run to its end, and not at all otherwise.
type output struct {
	path string // "": results go to the screen
	used bool   // something is in it
}

// take runs an input with its rows going to the file.
func (o *output) take(v View, run func(View) error) error {
	mode := connect.Replace
	if o.used {
		mode = connect.Append
		switch v.Format {
		case "parquet", "arrow", "json":
			return fmt.Errorf(`%s holds a result already, and its format one; lead the next to another file: \o FILE`, o.path)
		}
	}
	f, err := local.Create(o.path, o.path, mode)
	if err != nil {
		return err
	}
	w := &counting{w: f}
	v.Out, v.File = w, o.path
	if err := run(v); err != nil || w.n == 0 {
		return errors.Join(err, f.Abort())
	}
	if err := f.Commit(); err != nil {
		return err // the file is as it was, so that the next input still replaces it
	}
	o.used = true
	return nil
}

// counting counts what is written.
type counting struct {
	w *local.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
