package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/progress"
	"github.com/rainsql/rainsql/sdfs"
)

// common are the flags of every command that runs or moves something.
type common struct {
	std      streams
	signals  *signals
	data     string
	progress string
	names    func(cmd *cobra.Command, word string) []string // files of the store that begin so, for Tab
}

func (c *common) register(root *cobra.Command) {
	fl := root.PersistentFlags()
	fl.StringVar(&c.data, "data", "", "folder of the embedded file store (default "+filepath.Join("$XDG_DATA_HOME", "rainsql")+")")
	fl.StringVar(&c.progress, "progress", "auto", "show how far a query or a transfer has come: auto, on or off")
}

func (c *common) check() error {
	switch c.progress {
	case "auto", "on", "off":
		return nil
	}
	return usagef("unknown --progress %q: use auto, on or off", c.progress)
}

// dataDir is where the embedded store lies; "" if no home is known.
func (c *common) dataDir() string {
	if c.data != "" {
		return c.data
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "rainsql")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "rainsql")
	}
	return ""
}

// engine returns an engine over the embedded store. The caller closes it.
func (c *common) engine() *engine.Engine {
	return engine.New(engine.Config{Store: c.storeConfig()})
}

func (c *common) storeConfig() sdfs.Config { return sdfs.Config{Dir: c.dataDir()} }

// shows reports whether progress is shown: on a terminal that can draw over a
// line, or where it is asked for.
func (c *common) shows() bool {
	switch c.progress {
	case "on":
		return true
	case "off":
		return false
	}
	return terminal(c.std.err) && smart()
}

// line shows how far a transfer has come, if progress is shown.
func (c *common) line(what string, total int64) *progress.Transfer {
	if !c.shows() {
		return nil
	}
	return progress.Start(c.std.err, what, total)
}
