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
// rests on, and marks that.
func (r *recent) fresh(obs []galena.Observation, rests []string) []galena.Observation {
	var wanted []string // requests: mostly none
	for i := range obs {
		o := &obs[i]
		if inAnswer(o) && !slices.Contains(wanted, o.RequestID) && (!r.keys.has(o.RequestID) || slices.Contains(rests, o.ID) && !r.keys.has(o.ID)) {
			wanted = append(wanted, o.RequestID)
		}
	}
	var out []galena.Observation
	for i := range obs {
		if !inAnswer(&obs[i]) || slices.Contains(wanted, obs[i].RequestID) {
			out = append(out, obs[i])
			out[len(out)-1].Used = obs[i].Used || slices.Contains(rests, obs[i].ID)
		}
	}
	return out
}

// wrote is called after the commit.
func (r *recent) wrote(obs []galena.Observation) {
	var keys []string
	for i := range obs {
		o := &obs[i]
		if !inAnswer(o) {
			continue
		}
		if n := len(keys); n == 0 || keys[n-1] != o.RequestID {
			keys = append(keys, o.RequestID)
		}
		if o.Used {
			keys = append(keys, o.ID)
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
