package galena

import "fmt"

// Nearest proposes the known word closest to a mistyped one as
// `did you mean "x"?`, or "" when none is near. The beginning of a longer word
// is nearly the word: people shorten.
func Nearest(word string, known []string) string {
	best, bestAt := "", len(word)/3+2
	for _, k := range known {
		d := editDistance(word, k)
		if len(k) > len(word) {
			d = min(d, editDistance(word, k[:len(word)])+1)
		}
		if d < bestAt || d == bestAt && best != "" && k < best {
			best, bestAt = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// editDistance counts insertions, deletions and substitutions between two words.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
