package logging

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"
)

// Files of a node's log: the one being written, and older ones beside it.
const (
	fileName  = "rainsql.log"
	fileMB    = 64
	filesKept = 8
)

// Open is a node's log: JSON lines into a file of dir that is followed by another when it is full, and the
// more important ones readable on console. Nobody who logs waits for either, whatever hangs: what cannot be written
// is lost when there is too much of it. Close ends the log, within seconds.
func Open(dir string, level zapcore.Level, console *os.File) (*zap.Logger, io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	file := &lumberjack.Logger{Filename: filepath.Join(dir, fileName), MaxSize: fileMB, MaxBackups: filesKept}
	conf := zap.NewProductionEncoderConfig()
	conf.TimeKey = "time"
	conf.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	conf.EncodeDuration = zapcore.StringDurationEncoder
	json := zapcore.NewJSONEncoder(conf)
	var out outputs
	out.file = newQueue(file, noticeBy(json), file.Close)
	cores := []zapcore.Core{zapcore.NewCore(json, out.file, level)}
	if console != nil {
		plain := conf
		plain.EncodeTime = zapcore.TimeEncoderOfLayout(time.TimeOnly)
		plain.EncodeLevel = zapcore.CapitalLevelEncoder
		text := zapcore.NewConsoleEncoder(plain)
		out.console = newQueue(console, noticeBy(text), nil)
		cores = append(cores, zapcore.NewCore(text, out.console, max(level, zapcore.InfoLevel)))
	}
	return zap.New(zapcore.NewTee(cores...)), out, nil
}

// noticeBy gives the line that stands where others are missing.
func noticeBy(enc zapcore.Encoder) func(lost int) []byte {
	return func(lost int) []byte {
		e := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: "lines of the log are missing here: it could not be written for a while"}
		line, err := enc.EncodeEntry(e, []zapcore.Field{zap.Int("lines", lost)})
		if err != nil { // never: there is nothing in it that cannot be encoded
			return nil
		}
		defer line.Free()
		return slices.Clone(line.Bytes())
	}
}

// outputs are the queues of a log.
type outputs struct{ file, console *queue }

// Close writes what is left, if it can.
func (o outputs) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	err := o.file.Close(ctx)
	if o.console != nil {
		_ = o.console.Close(ctx) // nobody reads it, and there is nobody else to tell
	}
	return err
}
