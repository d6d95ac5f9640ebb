package format

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// contextLines is how many unchanged lines a difference shows around a changed one.
const contextLines = 3

// Diff returns the unified difference of two texts, line by line, or "" where
// they are equal. It takes time in proportion to n log n: lines that occur
// once in both texts are matched first, and their neighbours after them, so the
// result is right but not always the shortest.
func Diff(oldName, newName, before, after string) string {
	if before == after {
		return ""
	}
	edits := editScript(splitLines(before), splitLines(after))
	var sb strings.Builder
	fmt.Fprintf(&sb, "--- %s\n+++ %s\n", oldName, newName)
	for from := 0; from < len(edits); {
		first := from + slices.IndexFunc(edits[from:], edit.changes)
		if first < from {
			break
		}
		start, end := max(from, first-contextLines), first
		for same := 0; end < len(edits) && same <= 2*contextLines; end++ {
			same++
			if edits[end].changes() {
				same = 0
			}
		}
		for end > first && !edits[end-1].changes() {
			end--
		}
		end = min(len(edits), end+contextLines)
		writeHunk(&sb, edits[start:end])
		from = end
	}
	return sb.String()
}

// edit is one line of either text: ' ' is in both, '-' in the old, '+' in the new.
type edit struct {
	op       byte
	line     string
	old, new int // lines of each text before this one
}

func (e edit) changes() bool { return e.op != ' ' }

// splitLines keeps the line feeds, so that a missing last one is a difference.
func splitLines(s string) []string {
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func editScript(a, b []string) []edit {
	var out []edit
	i, j := 0, 0
	advance := func(toI, toJ int) {
		for ; i < toI; i++ {
			out = append(out, edit{'-', a[i], i, j})
		}
		for ; j < toJ; j++ {
			out = append(out, edit{'+', b[j], i, j})
		}
	}
	same := func() {
		for ; i < len(a) && j < len(b) && a[i] == b[j]; i, j = i+1, j+1 {
			out = append(out, edit{' ', a[i], i, j})
		}
	}
	same()
	for _, m := range append(anchors(a, b), [2]int{len(a), len(b)}) {
		if m[0] < i || m[1] < j {
			continue // already passed as a neighbour of the one before
		}
		x, y := m[0], m[1]
		for x > i && y > j && a[x-1] == b[y-1] {
			x, y = x-1, y-1
		}
		advance(x, y)
		same()
	}
	return out
}

// anchors are pairs of lines that occur once in each text, in an order that is ascending in both.
func anchors(a, b []string) [][2]int {
	type place struct{ inA, inB, at, to int }
	seen := map[string]*place{}
	for i, l := range a {
		if seen[l] == nil {
			seen[l] = &place{}
		}
		seen[l].inA++
		seen[l].at = i
	}
	for j, l := range b {
		if p := seen[l]; p != nil {
			p.inB++
			p.to = j
		}
	}
	var pairs [][2]int
	for i, l := range a {
		if p := seen[l]; p.inA == 1 && p.inB == 1 {
			pairs = append(pairs, [2]int{i, p.to})
		}
	}
	return ascending(pairs)
}

// ascending is the longest run of pairs whose second parts ascend as their first do.
func ascending(pairs [][2]int) [][2]int {
	var tails []int // tails[n] is the pair that ends the best run of length n+1
	previous := make([]int, len(pairs))
	for k, p := range pairs {
		n := sort.Search(len(tails), func(n int) bool { return pairs[tails[n]][1] >= p[1] })
		previous[k] = -1
		if n > 0 {
			previous[k] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, k)
		} else {
			tails[n] = k
		}
	}
	if len(tails) == 0 {
		return nil
	}
	var run [][2]int
	for k := tails[len(tails)-1]; k >= 0; k = previous[k] {
		run = append(run, pairs[k])
	}
	slices.Reverse(run)
	return run
}

func writeHunk(sb *strings.Builder, edits []edit) {
	olds, news := 0, 0
	for _, e := range edits {
		if e.op != '+' {
			olds++
		}
		if e.op != '-' {
			news++
		}
	}
	fmt.Fprintf(sb, "@@ -%s +%s @@\n", hunkRange(edits[0].old, olds), hunkRange(edits[0].new, news))
	for _, e := range edits {
		sb.WriteByte(e.op)
		sb.WriteString(e.line)
		if !strings.HasSuffix(e.line, "\n") {
			sb.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// hunkRange is the first line and the number of lines, as diff writes them.
func hunkRange(before, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprint(before + 1)
	}
	return fmt.Sprintf("%d,%d", before+1, n)
}
