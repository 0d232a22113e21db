package providers

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of the work that [Nearest] does.
const (
	nearestLength     = 64
	nearestCandidates = 4096
)

// Nearest returns the n candidates that somebody who wrote name may have meant, the
// most likely first: those a few slips of the keyboard away, and those that go on where
// name ends. Case does not count. Names beyond 64 bytes and candidates beyond the 4096th
// are not looked at, so that a client cannot make it work for long.
func Nearest(name string, candidates []string, n int) []string {
	if name == "" || len(name) > nearestLength || n <= 0 {
		return nil
	}
	type match struct {
		name  string
		score int
	}
	var found []match
	low := strings.ToLower(name)
	limit := max(2, len(low)/3)
	var rows [3][nearestLength + 1]int
	for _, c := range candidates[:min(len(candidates), nearestCandidates)] {
		if len(c) > nearestLength {
			continue
		}
		lc := strings.ToLower(c)
		score := distance(low, lc, limit, &rows)
		if len(low) >= 3 && (strings.HasPrefix(lc, low) || strings.HasSuffix(lc, low)) {
			score = min(score, limit)
		}
		if score <= limit {
			found = append(found, match{c, score})
		}
	}
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.name, b.name))
	})
	names := make([]string, 0, min(n, len(found)))
	for _, m := range found[:min(n, len(found))] {
		names = append(names, m.name)
	}
	return names
}

// distance returns how many bytes must be inserted, left out, replaced or swapped with
// their neighbour to turn a into b; any number above limit if it is more than that.
func distance(a, b string, limit int, rows *[3][nearestLength + 1]int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit || len(b) > nearestLength {
		return limit + 1
	}
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			d := last[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			d = min(d, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
