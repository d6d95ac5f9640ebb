package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the linker for a release.
var version = ""

// build is what is known of how the program was made.
type build struct {
	version  string // of the release, or of the module as the Go command tells it
	commit   string // "" outside of a checkout
	modified bool   // there were changes that are not committed
	time     string // of the commit, RFC 3339
	goes     string // version of Go
	arrow    string // version of Arrow
	tags     string // build tags, comma between
	cgo      bool
	trimmed  bool // without the paths of the machine that made it
}

// thisBuild describes the running program.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describe(version, info)
}

// describe reads what the Go command wrote into a program. A version given by
// the linker is taken for the module's; where nobody knows one it is "dev".
func describe(linked string, info *debug.BuildInfo) build {
	b := build{version: linked, goes: cmp.Or(info.GoVersion, runtime.Version())}
	if b.version == "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	b.version = cmp.Or(b.version, "dev")
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		case "vcs.time":
			b.time = s.Value
		case "-tags":
			b.tags = s.Value
		case "-trimpath":
			b.trimmed = s.Value == "true"
		case "CGO_ENABLED":
			b.cgo = s.Value == "1"
		}
	}
	for _, m := range info.Deps {
		if strings.HasPrefix(m.Path, "github.com/apache/arrow-go/") {
			b.arrow = m.Version
		}
	}
	return b
}

// String is some lines, the version on the first.
func (b build) String() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "rainsql %s\n", b.version)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&sb, "  %-7s %s\n", name, value)
		}
	}
	commit := b.commit
	if b.modified {
		commit += ", with changes"
	}
	line("commit", commit)
	line("date", b.time)
	line("go", strings.TrimSpace(fmt.Sprintf("%s for %s/%s", b.goes, runtime.GOOS, runtime.GOARCH)))
	line("arrow", b.arrow)
	var how []string
	if b.cgo {
		how = append(how, "cgo")
	} else {
		how = append(how, "static, without cgo")
	}
	if b.trimmed {
		how = append(how, "trimmed paths")
	}
	if b.tags != "" {
		how = append(how, "tags "+b.tags)
	}
	line("build", strings.Join(how, ", "))
	return sb.String()
}

func newVersion(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the version and how it was built",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return tellVersion(std, true) },
	}
}

// tellVersion writes one line, or with how it was built several.
func tellVersion(std streams, all bool) error {
	text := thisBuild().String()
	if !all {
		text, _, _ = strings.Cut(text, "\n")
		text += "\n"
	}
	_, err := fmt.Fprint(standardOut{std.out}, text)
	return err
}
