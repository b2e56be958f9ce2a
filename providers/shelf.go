package providers

import (
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

const (
	shelfMost = 512         // answers in each of two generations: 8 MB when each has 17 values
	shelfFor  = time.Minute // after that the store is asked again, should a word have been lost
)

// shelf keeps the answers that this process met lately, so that the next lead of a
// company that is known reads nothing about it from the store and decodes nothing.
// Another process that replaces an answer says so (Herald, Heard); should the word
// get lost, an answer that was replaced is used for a minute more, as by a lead
// that had come a minute earlier. An answer on the shelf is shared: nobody may
// change it.
type shelf struct {
	mu       sync.Mutex
	now, old map[string]shelved
}

type shelved struct {
	answer galena.Answer // as it is held
	since  time.Time
}

// get finds an answer by its topic.
func (s *shelf) get(topic string, now time.Time) (galena.Answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.now[topic]
	if !ok {
		if a, ok = s.old[topic]; ok {
			s.keep(topic, a)
		}
	}
	return a.answer, ok && now.Sub(a.since) < shelfFor && !now.Before(a.since)
}

// put keeps an answer that the store holds, unless a later one stands there.
func (s *shelf) put(topic string, a galena.Answer, now time.Time) {
	if room := cap(a.Observations) - len(a.Observations); room > 2 {
		a.Observations = slices.Clone(a.Observations) // without the room to grow, which may be as much again
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if had, ok := s.now[topic]; ok && had.answer.FetchedAt.After(a.FetchedAt) {
		return
	}
	s.keep(topic, shelved{a, now})
}

func (s *shelf) keep(topic string, a shelved) {
	if len(s.now) >= shelfMost {
		s.old, s.now = s.now, nil
	}
	if s.now == nil {
		s.now = map[string]shelved{}
	}
	s.now[topic] = a
}

// drop forgets an answer.
func (s *shelf) drop(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now, topic)
	delete(s.old, topic)
}

// Heard is told what other processes say: that a question, by its topic, has
// another answer now.
func (w *Waterfall) Heard(topic string) { w.shelf.drop(topic) }

// shelved answers a question from the shelf, if it may.
func (w *Waterfall) shelved(v *vendor, q Query) (galena.Answer, bool) {
	if w.deps.Cache == nil {
		return galena.Answer{}, false
	}
	now := w.deps.Now()
	a, ok := w.shelf.get(topic(v.id, q.Domain), now)
	if !ok {
		return galena.Answer{}, false
	}
	if a, ok = recalled(a, q); !ok {
		return galena.Answer{}, false
	}
	a = w.shorten(a)
	return a, now.Before(a.ExpiresAt)
}
