package intake

import (
	"math/bits"
	"strings"
)

// shortLabel is the longest label in which two slips would make another word.
const shortLabel = 8

// tellingLabel is the shortest label of a mailbox host that can be recognised
// when misspelt: aon.com is no slip for aol.com, but aol.con is. The choice and
// its figures: docs/decisions/003-typo-candidates.md.
const tellingLabel = 5

// candidate is a domain that somebody may have meant.
type candidate struct {
	domain     string
	suffixOnly bool // the slip must be after the first label
}

// candidates are held by length, for a slip changes it by one at most.
type candidates struct{ ofLength []peers }

// peers are candidates of one length. A mask has a bit for each character in a
// domain: a cheap proof that it is too far away, and for nearly all the only thing
// that is looked at, which is why they stand by themselves.
type peers struct {
	masks []uint64
	words []candidate
}

func (c *candidates) add(domain string, suffixOnly bool) {
	for len(c.ofLength) <= len(domain) {
		c.ofLength = append(c.ofLength, peers{})
	}
	p := &c.ofLength[len(domain)]
	p.masks, p.words = append(p.masks, maskOf(domain)), append(p.words, candidate{domain, suffixOnly})
}

// listing adds the hosts of a base list. The short ones are full of words that
// are companies too, so those must be typed right.
func (c *candidates) listing(hosts []string) {
	for _, h := range hosts {
		label, _, _ := strings.Cut(h, ".")
		c.add(h, len(label) < tellingLabel)
	}
}

func maskOf(s string) uint64 {
	var m uint64
	for _, c := range []byte(s) {
		m |= 1 << (c & 63)
	}
	return m
}

// didYouMean finds the nearest candidate within reach of the domain, the first
// by alphabet among equals, "" when none is near. It is never the domain itself.
func didYouMean(domain string, among ...*candidates) string {
	label, _, _ := strings.Cut(domain, ".")
	reach := 2
	if len(label) <= shortLabel {
		reach = 1
	}
	best, at := "", reach+1
	mask := maskOf(domain)
	for _, list := range among {
		from, to := max(0, len(domain)-reach), min(len(list.ofLength), len(domain)+reach+1)
		for n := from; n < to; n++ {
			for i, m := range list.ofLength[n].masks {
				if bits.OnesCount64(mask^m) > 2*reach {
					continue // each slip changes at most two characters of the alphabet used
				}
				c := list.ofLength[n].words[i]
				if c.suffixOnly && !strings.HasPrefix(c.domain, label+".") {
					continue
				}
				if !within(domain, c.domain, reach) {
					continue
				}
				d := distance(domain, c.domain)
				if d > 0 && (d < at || d == at && d <= reach && c.domain < best) {
					best, at = c.domain, d
				}
			}
		}
	}
	return best
}

// within says whether two words are at most so many slips apart, for up to two.
// It walks to the first difference and tries each slip there, which needs no
// table and ends early for nearly every candidate.
func within(a, b string, slips int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if a == "" || b == "" {
		return len(a)+len(b) <= slips
	}
	if slips == 0 {
		return false
	}
	left := slips - 1
	if within(a[1:], b[1:], left) || within(a[1:], b, left) || within(a, b[1:], left) {
		return true
	}
	if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] && within(a[2:], b[2:], left) {
		return true
	}
	// Two neighbours changed places and one character came or went between them.
	return slips == 2 && (len(a) > 1 && len(b) > 2 && a[0] == b[2] && a[1] == b[0] && a[2:] == b[3:] ||
		len(a) > 2 && len(b) > 1 && a[0] == b[1] && a[2] == b[0] && a[3:] == b[2:])
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
