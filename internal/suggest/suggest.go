// Package suggest finds the word a user may have meant.
package suggest

import "strings"

// Nearest returns the candidate closest to word by edit distance (insertions,
// deletions, substitutions and swaps of neighbours, case ignored), or "" where
// none is near: a third of the word's letters may differ, of two letters one.
// The first of several equally near wins.
func Nearest(word string, candidates []string) string {
	best, bestAt := "", (len([]rune(word))+1)/3+1
	low := []rune(strings.ToLower(word))
	for _, c := range candidates {
		if d := distance(low, []rune(strings.ToLower(c)), bestAt); d < bestAt {
			best, bestAt = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance, or limit where it is no less.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		old, prev, cur := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], old[j-2]+1)
			}
		}
	}
	return min(rows[(len(a)+1)%3][len(b)], limit)
}
