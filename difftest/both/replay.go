package both

import (
	"errors"
	"fmt"
	"io"

	"github.com/rainsql/rainsql/difftest/val"
)

// Replay runs one query again in every way, and shrinks it if it differs.
func Replay(out io.Writer, seed uint64, world, query int, without []string) (err error) {
	duck, err := OpenDuck()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, duck.Close()) }()
	on, _ := Probe()
	w, err := NewWorld(duck, nil, seed, world, on, Set(without))
	if err != nil {
		return err
	}
	q := w.Query(query)
	fmt.Fprintf(out, "%s\n\n%s\n\n", q.RQL(), q.SQL())
	o := w.Check(q, Setups())
	if o.Diff == nil {
		fmt.Fprintf(out, "no difference (%d rows, %s)\n", o.Rows, o.Later)
		return nil
	}
	small, d := w.Shrink(q, o, 2000)
	fmt.Fprintln(out, w.Report(small, d, o.Setup, fmt.Sprintf("%d:%d:%d", seed, world, query)))
	return nil
}

// Try shows what the engines give for texts; an empty one is left out.
func Try(out io.Writer, sqlText, rqlText string) (err error) {
	show := func(name string, a Answer) {
		fmt.Fprintln(out, name, a.Kinds, a.Types)
		if a.Err != nil {
			fmt.Fprintln(out, a.Err)
		}
		for _, r := range a.Rows {
			fmt.Fprintln(out, val.ShowRow(r))
		}
	}
	if rqlText != "" {
		show("rainsql:", Rain(Setups()[0], rqlText))
	}
	if sqlText == "" {
		return nil
	}
	duck, err := OpenDuck()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, duck.Close()) }()
	show("DuckDB:", duck.Query(sqlText, false))
	return nil
}
