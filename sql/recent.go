package sql

import (
	"slices"
	"sync"

	"github.com/galenahq/galena"
)

// recentMost bounds the keys that are remembered: some megabytes.
const recentMost = 32 << 10

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
	lone := 0
	for _, o := range l.Observations {
		w := marked{Observation: o}
		switch {
		case !w.inAnswer():
			lone++
		case slices.Contains(wanted, w.RequestID):
		case !r.keys.has(w.RequestID) || slices.Contains(l.Used, w.ID) && !r.keys.has(w.ID):
			wanted = append(wanted, w.RequestID)
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

// seen remembers up to twice as many keys of rows that are never changed or removed.
type seen struct {
	mu       sync.Mutex
	now, old map[string]bool
}

func (s *seen) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[key] || s.old[key]
}

// add is called after the commit.
func (s *seen) add(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if s.now == nil || len(s.now) >= recentMost {
			s.old, s.now = s.now, map[string]bool{}
		}
		s.now[key] = true
	}
}
