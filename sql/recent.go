package sql

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/galenahq/galena"
)

// recentMost bounds the keys that are remembered, half a megabyte of them: as many
// as fill what Go makes room for in a map.
const recentMost = 24 << 10

// recent remembers which answers of vendors this process has logged, by their
// requests, and which of their observations as those that a decision rests on, by
// their ids. Every lead of a company brings the company's held answers along,
// which are there already; an answer that is known to be there is not sent again.
// The log is append-only, so what was committed once stays true, and what is
// forgotten here is merely sent again.
type recent struct{ keys seen }

// fresh leaves out the answers that were logged before with all that a decision
// rests on. It returns the words of the others, marked.
func (r *recent) fresh(l *galena.Lesson) []marked {
	var wanted []string // requests: mostly none
	var logged string   // the request that was found there: the words of an answer come in a row
	lone := 0
	for _, o := range l.Observations {
		w := marked{Observation: o}
		switch {
		case !w.inAnswer():
			lone++
		case slices.Contains(wanted, w.RequestID):
		case w.RequestID != logged && !r.keys.has(w.RequestID) || slices.Contains(l.Used, w.ID) && !r.keys.has(w.ID):
			wanted = append(wanted, w.RequestID)
		default:
			logged = w.RequestID
		}
	}
	if lone == 0 && len(wanted) == 0 {
		return nil
	}
	return slices.DeleteFunc(markedLesson(*l), func(w marked) bool { return w.inAnswer() && !slices.Contains(wanted, w.RequestID) })
}

// wrote is called after the commit.
func (r *recent) wrote(words []marked) {
	var keys []string
	for _, w := range words {
		if !w.inAnswer() {
			continue
		}
		if !slices.Contains(keys, w.RequestID) {
			keys = append(keys, w.RequestID)
		}
		if w.used {
			keys = append(keys, w.ID)
		}
	}
	r.keys.add(keys)
}

// seen remembers up to twice as many keys of rows that are never changed or removed,
// each by 128 bits of hash: the text of a key may be part of a whole answer, which
// it would keep in memory.
type seen struct {
	mu       sync.Mutex
	now, old map[[2]uint64]struct{}
}

// Two hashes of 64 bits, each with a seed of its own.
var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashed(key string) [2]uint64 {
	return [2]uint64{maphash.String(seeds[0], key), maphash.String(seeds[1], key)}
}

func (s *seen) has(key string) bool {
	k := hashed(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, now := s.now[k]
	_, before := s.old[k]
	return now || before
}

// add is called after the commit.
func (s *seen) add(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if s.now == nil || len(s.now) >= recentMost {
			s.old, s.now = s.now, map[[2]uint64]struct{}{}
		}
		s.now[hashed(key)] = struct{}{}
	}
}
