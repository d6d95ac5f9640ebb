//go:build race

package ring

// simulated is how many nodes the simulations have; the race detector makes all slow, and finds nothing more in many.
const simulated = 1000
