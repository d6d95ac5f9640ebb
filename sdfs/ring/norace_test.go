//go:build !race

package ring

// simulated is how many nodes the simulations have.
const simulated = 10000
