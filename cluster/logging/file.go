package logging

import (
	"io"
	"os"
	"path/filepath"
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
// more important ones readable on console. Close ends it.
func Open(dir string, level zapcore.Level, console *os.File) (*zap.Logger, io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	file := &lumberjack.Logger{Filename: filepath.Join(dir, fileName), MaxSize: fileMB, MaxBackups: filesKept}
	conf := zap.NewProductionEncoderConfig()
	conf.TimeKey = "time"
	conf.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	conf.EncodeDuration = zapcore.StringDurationEncoder
	cores := []zapcore.Core{zapcore.NewCore(zapcore.NewJSONEncoder(conf), zapcore.AddSync(file), level)}
	if console != nil {
		plain := conf
		plain.EncodeTime = zapcore.TimeEncoderOfLayout(time.TimeOnly)
		plain.EncodeLevel = zapcore.CapitalLevelEncoder
		cores = append(cores, zapcore.NewCore(zapcore.NewConsoleEncoder(plain), zapcore.Lock(console), max(level, zapcore.InfoLevel)))
	}
	return zap.New(zapcore.NewTee(cores...)), file, nil
}
