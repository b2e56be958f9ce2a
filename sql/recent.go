package sql

import (
	"slices"
	"sync"

	"github.com/galenahq/galena"
)

// recentMost bounds the ids that are remembered: some megabytes.
const recentMost = 32 << 10

// recent remembers which observations of vendors this process has written. Every
// lead of a company brings the company's held answers along, a dozen rows that
// are there already; a row that is known to be there is not sent again. They are
// append-only, so what was committed once stays true, and what is forgotten here
// is merely sent again.
type recent struct {
	mu       sync.Mutex
	now, old map[string]bool // true: with the word that a decision rests on it
}

// fresh leaves out what was written before, and marks what a decision rests on.
func (r *recent) fresh(obs []galena.Observation, rests []string) []galena.Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []galena.Observation // mostly none
	for i := range obs {
		o := &obs[i]
		used, known := r.now[o.ID]
		if !known {
			used, known = r.old[o.ID]
		}
		rested := o.Used || slices.Contains(rests, o.ID)
		if o.ID == "" || !known || rested && !used {
			out = append(out, *o)
			out[len(out)-1].Used = rested
		}
	}
	return out
}

// wrote is called after the commit.
func (r *recent) wrote(obs []galena.Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range obs {
		if len(r.now) >= recentMost {
			r.old, r.now = r.now, nil
		}
		if r.now == nil {
			r.now = map[string]bool{}
		}
		if o.Class == galena.ClassProvider && o.ID != "" {
			r.now[o.ID] = o.Used || r.now[o.ID]
		}
	}
}

// seen remembers as many keys of rows that are never changed or removed.
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
