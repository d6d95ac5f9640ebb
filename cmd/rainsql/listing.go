package main

import (
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/internal/render"
)

// showListing writes a listing to standard output in a format; "" is a table on a terminal, csv elsewhere.
func showListing(std streams, format *string, t listing.Table) error {
	if *format == "" {
		*format = "csv"
		if terminal(std.out) {
			*format = "table"
		}
	}
	if err := render.Check(*format); err != nil {
		return usageError{err}
	}
	o := std.tableOptions()
	o.MaxRows = 0 // who lists files or nodes wants to see them
	out, err := render.New(standardOut{std.out}, *format, t.Schema, o)
	if err != nil {
		return err
	}
	return t.WriteTo(out)
}
