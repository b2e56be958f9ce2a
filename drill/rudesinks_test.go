package drill

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// rude is a manner of a sink that is none, and what must come of it.
type rude struct {
	name   string
	manner http.HandlerFunc
	tries  [2]int        // of an event until the sink has learned manners: least and most
	gap    time.Duration // between two tries, at least
}

// A try ends after 15 s; of an answer no more is read than what says nothing new.
const (
	tryLimit  = 15*time.Second + 500*time.Millisecond
	longBody  = 64 << 20
	readLimit = 16 << 20 // what the kernels on both sides hold is more than what is read
)

// measured is what the sinks saw of whoever called them.
type measured struct {
	longest atomic.Int64 // a slow answer was waited for, ns
	taken   atomic.Int64 // bytes of a long answer
}

func manners(canary string, m *measured) []rude {
	return []rude{
		{"302", bare(http.StatusFound, "Location", "http://"+canary+"/"), [2]int{2, 3}, 0},
		{"410", bare(http.StatusGone), [2]int{1, 1}, 0},
		{"429", bare(http.StatusTooManyRequests, "Retry-After", "7"), [2]int{2, 4}, 7 * time.Second}, // at 0, 7, 14 and 21 of 25 s
		{"502", bare(http.StatusBadGateway), [2]int{2, 3}, 0},
		{"200 after 40 s", func(_ http.ResponseWriter, r *http.Request) {
			began := time.Now()
			pause(r, 40*time.Second)
			m.longest.Store(max(m.longest.Load(), int64(time.Since(began))))
		}, [2]int{1, 2}, 0},
		{"200 with a long body", func(w http.ResponseWriter, _ *http.Request) {
			n, _ := io.Copy(w, io.LimitReader(blanks{}, longBody))
			m.taken.Store(max(m.taken.Load(), n))
		}, [2]int{1, 1}, 0},
	}
}

// blanks never end.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// rudeSinks adds a sink for each manner.
func rudeSinks(b *bench) { b.moreSinks(len(manners("", &measured{}))) }

// rudeAnswers lets each sink have its manner for a while, and counts how often
// and when it is told again. Once they have learned manners everybody is told.
func rudeAnswers(b *bench) {
	canary, err := newSink(b.dir, "canary")
	b.must(err)
	defer canary.close()
	seen := &measured{}
	all := manners(canary.addr, seen)
	for i, m := range all {
		b.others[i].behave(m.manner)
	}
	began := time.Now()
	from, to := b.loaded(5 * time.Second)
	b.rest(25*time.Second - time.Since(began))
	for i, m := range all {
		b.judgeManner(m, b.others[i], from, b.posted(from, to))
	}
	b.atMost("canary visits", float64(len(canary.events())), 0)
	b.atLeast("slow answers waited for s", time.Duration(seen.longest.Load()).Seconds(), 10)
	b.atMost("slow answers waited for s", time.Duration(seen.longest.Load()).Seconds(), tryLimit.Seconds()*b.plan.patience)
	b.atMost("bytes taken of a long answer", float64(seen.taken.Load()), readLimit)
	b.atLeast("told to ops", b.gauge(b.web, `galena_steps_failed{kind="lead:deliver",reason="invalid"}`), 1)
	for _, s := range b.others {
		s.heal()
	}
	b.replay("--kind", "lead:deliver", "--reason", "invalid")
	took := b.within(15*time.Minute, "every sink is told of every lead", func() bool {
		for i, m := range all {
			if m.name != "200 with a long body" && told2xx(b.others[i], from) < b.posted(from, to) {
				return false
			}
		}
		return true
	})
	b.figure("all told after %.0fs", took.Seconds())
}

// told2xx counts the events that a sink took.
func told2xx(s *sink, since time.Time) int {
	taken := map[string]bool{}
	for _, e := range s.events() {
		if e.Type == eventRouted && e.Status/100 == 2 && !e.At.Before(since) {
			taken[e.Key] = true
		}
	}
	return len(taken)
}

// judgeManner holds the tries that a sink saw against what its manner allows.
func (b *bench) judgeManner(m rude, s *sink, since time.Time, leads int) {
	b.t.Helper()
	tries := map[string][]time.Time{}
	for _, e := range s.events() {
		if e.Type == eventRouted && !e.At.Before(since) && strings.HasPrefix(e.Caller, "f75-") && !strings.HasPrefix(e.Caller, "f75-before") {
			tries[e.Caller+e.Key] = append(tries[e.Caller+e.Key], e.At)
		}
	}
	most, shortest := 0, time.Hour
	again := 0
	for _, at := range tries {
		most = max(most, len(at))
		if len(at) >= m.tries[0] {
			again++
		}
		for i := 1; i < len(at); i++ {
			shortest = min(shortest, at[i].Sub(at[i-1]))
		}
	}
	b.figure("%s: %d of %d told, %d as often as they must, at most %d times", m.name, len(tries), leads, again, most)
	if most > m.tries[1] {
		b.fail("%s: told %d times, may be %d", m.name, most, m.tries[1])
	}
	if again == 0 {
		b.fail("%s: nobody was told %d times", m.name, m.tries[0])
	}
	if m.gap > 0 && shortest < m.gap {
		b.fail("%s: told again after %v, was asked for %v", m.name, shortest, m.gap)
	}
}

// bare is an answer of a sink that is a status and a header.
func bare(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(code)
	}
}
