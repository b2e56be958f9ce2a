package intake

import (
	"math/bits"
	"strings"
)

// shortLabel is the longest label in which two slips would make another word.
const shortLabel = 8

// tellingLabel is the shortest label of a mailbox host that can be recognised
// when misspelt: aon.com is no slip for aol.com, but aol.con is.
const tellingLabel = 5

// candidate is a domain that somebody may have meant. mask has a bit for each
// character in it: a cheap proof that most candidates are too far away.
type candidate struct {
	domain     string
	mask       uint64
	suffixOnly bool // the slip must be after the first label
}

func newCandidate(domain string) candidate { return candidate{domain: domain, mask: maskOf(domain)} }

func maskOf(s string) uint64 {
	var m uint64
	for _, c := range []byte(s) {
		m |= 1 << (c & 63)
	}
	return m
}

// didYouMean finds the nearest candidate within reach of the domain, the first
// by alphabet among equals, "" when none is near. It is never the domain itself.
func didYouMean(domain string, lists ...[]candidate) string {
	label, _, _ := strings.Cut(domain, ".")
	reach := 2
	if len(label) <= shortLabel {
		reach = 1
	}
	best, at := "", reach+1
	mask := maskOf(domain)
	for _, list := range lists {
		for _, c := range list {
			if abs(len(c.domain)-len(domain)) > reach || bits.OnesCount64(mask^c.mask) > 2*reach {
				continue // each slip changes at most two characters of the alphabet used
			}
			if c.suffixOnly && !strings.HasPrefix(c.domain, label+".") {
				continue
			}
			d := distance(domain, c.domain)
			if d > 0 && (d < at || d == at && d <= reach && c.domain < best) {
				best, at = c.domain, d
			}
		}
	}
	return best
}

// distance is Damerau-Levenshtein, unrestricted: insertions, deletions,
// substitutions and transpositions of neighbours, on ASCII.
func distance(a, b string) int {
	far := len(a) + len(b)
	w := len(b) + 2
	d := make([]int, (len(a)+2)*w)
	d[0] = far
	for i := 0; i <= len(a); i++ {
		d[(i+1)*w], d[(i+1)*w+1] = far, i
	}
	for j := 0; j <= len(b); j++ {
		d[j+1], d[w+j+1] = far, j
	}
	var last [256]int // row in which a character was last seen in a
	for i := 1; i <= len(a); i++ {
		match := 0 // column of the last match in this row
		for j := 1; j <= len(b); j++ {
			k, l, cost := last[b[j-1]], match, 1
			if a[i-1] == b[j-1] {
				cost, match = 0, j
			}
			d[(i+1)*w+j+1] = min(
				d[i*w+j]+cost,
				d[(i+1)*w+j]+1,
				d[i*w+j+1]+1,
				d[k*w+l]+(i-k-1)+1+(j-l-1))
		}
		last[a[i-1]] = i
	}
	return d[(len(a)+1)*w+len(b)+1]
}

func abs(n int) int { return max(n, -n) }
