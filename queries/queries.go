// Package queries holds the example queries; its test runs each of them and
// compares what it gives with the .csv beside it.
package queries
