// Package logging brings what the libraries of a cluster log into a node's own log: raft's
// hclog, serf's and memberlist's standard log.
package logging

import (
	"bytes"
	"io"
	"log"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Hclog is a logger for raft that writes into to.
func Hclog(to *zap.Logger) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Info})
	l.RegisterSink(sink{to.Sugar()})
	return l
}

type sink struct{ to *zap.SugaredLogger }

// Accept writes what happens to members of the cluster's protocols every day below what an operator
// has to look at: those are our own lines.
func (s sink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	switch level {
	case hclog.Error:
		s.to.Warnw(msg, args...)
	case hclog.Warn:
		s.to.Infow(msg, args...)
	default:
		s.to.Debugw(msg, args...)
	}
}

// Standard is a logger for serf and memberlist that writes into to.
func Standard(to *zap.Logger) *log.Logger { return log.New(lines{to}, "", 0) }

type lines struct{ to *zap.Logger }

// Write gets one line such as "[WARN] memberlist: Refuting a suspect message".
func (l lines) Write(p []byte) (int, error) {
	level, text := zapcore.DebugLevel, bytes.TrimSpace(p)
	if rest, ok := bytes.CutPrefix(text, []byte("[")); ok {
		if name, msg, ok := bytes.Cut(rest, []byte("] ")); ok {
			text = msg
			switch string(name) {
			case "ERR", "ERROR":
				level = zapcore.WarnLevel
			case "WARN":
				level = zapcore.InfoLevel
			}
		}
	}
	l.to.Log(level, string(text))
	return len(p), nil
}
