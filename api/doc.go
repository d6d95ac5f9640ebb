// Package api is the messages and services of a cluster: cluster.proto, and the code that
// `make generate` writes from it.
package api
