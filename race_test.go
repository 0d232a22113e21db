//go:build race

package aiproxy

// poolFactor widens budgets where the race detector makes pools forget at random.
const poolFactor = 3
