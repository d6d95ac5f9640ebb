//go:build !amd64

package csv

// classify fills m, which has a word a block of data.
func classify(data []byte, sep, quote byte, m *masks) summary {
	return classifyWords(data, sep, quote, m)
}
