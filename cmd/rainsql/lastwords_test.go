package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// output is written to while it works, and keeps nothing until it is synced.
type output struct {
	works   chan struct{} // closed: it does
	pending bytes.Buffer
	bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	<-o.works
	return o.pending.Write(p)
}

func (o *output) Sync() error {
	<-o.works
	_, err := o.pending.WriteTo(&o.Buffer)
	return err
}

// TestLastWords: why the process ends is told wherever it can be, and nothing else is waited for.
func TestLastWords(t *testing.T) {
	const bound = 500 * time.Millisecond
	for name, test := range map[string]struct {
		errHangs, logHangs bool
		lasts              time.Duration
	}{
		"all is well":            {false, false, 0},
		"nobody reads stderr":    {true, false, bound},
		"the log's disk hangs":   {false, true, bound},
		"nothing can be written": {true, true, bound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stderr, log := &output{works: make(chan struct{})}, &output{works: make(chan struct{})}
				if !test.errHangs {
					close(stderr.works)
				}
				if !test.logHangs {
					close(log.works)
				}
				logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), log, zap.InfoLevel))
				began := time.Now()
				lastWords(stderr, logger, errors.New("it hangs"))
				if took := time.Since(began); took != test.lasts {
					t.Error("it took", took)
				}
				synctest.Wait()
				if said := stderr.pending.String(); (said == "rainsql: the node cannot go on: it hangs\n") == test.errHangs {
					t.Errorf("standard error has %q", said)
				}
				if strings.Contains(log.String(), "it hangs") == test.logHangs {
					t.Errorf("the log has %q", log.String())
				}
				for _, o := range []*output{stderr, log} {
					select {
					case <-o.works:
					default:
						close(o.works)
					}
				}
			})
		})
	}
}
