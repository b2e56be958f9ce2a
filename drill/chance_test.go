package drill

import (
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// dice are where every choice of a fault comes from. What they showed can be
// told in a word, by which two runs are compared.
type dice struct {
	source rand.Source
	shown  hash.Hash64
	throws int
}

// newDice makes a fault's chance its own: alone or among others it does the same.
func newDice(seed uint64, id string) *dice {
	return &dice{source: rand.NewPCG(seed, hashOf(id)), shown: fnv.New64a()}
}

// Uint64 throws once.
func (d *dice) Uint64() uint64 {
	n := d.source.Uint64()
	d.throws++
	_, _ = fmt.Fprint(d.shown, n, ";")
	return n
}

// String is the number of throws and a mark of all that they showed.
func (d *dice) String() string { return fmt.Sprintf("%d:%04x", d.throws, d.shown.Sum64()&0xffff) }

func hashOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, id)
	return h.Sum64()
}

// blow is one of many like faults: when, and whom of some it meets.
type blow struct {
	after time.Duration // of the one before
	who   int
}

// blows are spread around an interval by chance.
func blows(chance *rand.Rand, times int, every time.Duration, of int) []blow {
	out := make([]blow, times)
	for i := range out {
		out[i] = blow{time.Duration((0.5 + chance.Float64()) * float64(every)), chance.IntN(of)}
	}
	return out
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64, id string) ([]blow, string) {
		d := newDice(seed, id)
		return blows(rand.New(d), 100, 12*time.Second, 2), d.String()
	}
	first, mark := draw(7, "F01")
	again, same := draw(7, "F01")
	if !slices.Equal(first, again) || mark != same {
		t.Errorf("seed 7 gave %s and then %s", mark, same)
	}
	for _, other := range []struct {
		seed uint64
		id   string
	}{{8, "F01"}, {7, "F04"}} {
		if got, m := draw(other.seed, other.id); slices.Equal(first, got) || m == mark {
			t.Errorf("seed %d gives %s what seed 7 gave F01", other.seed, other.id)
		}
	}
	met := map[int]int{}
	for _, b := range first {
		if met[b.who]++; b.after < 6*time.Second || b.after > 18*time.Second {
			t.Errorf("a blow after %v, want 6 to 18 s", b.after)
		}
	}
	if len(met) != 2 {
		t.Errorf("met %v, want both", met)
	}
}
