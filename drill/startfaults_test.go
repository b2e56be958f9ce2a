package drill

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startFaults are starts at which somebody is missing (F93).
func startFaults() []fault {
	return []fault{{id: "F93", name: "started before what they need", limit: time.Minute, cause: lateCompany}}
}

// missing is something that may be away when everything starts.
type missing struct {
	name     string
	away     func()
	back     func() error
	accepted bool // leads are, without it
}

// lateCompany starts everything while some of what it needs is away, in every
// combination, and lets it come one by one.
func lateCompany(b *bench) {
	all := []missing{
		{"postgres", b.pg.kill, b.pg.up, false},
		{"redis", b.redis.kill, b.redis.up, true},
		{"vendors", func() { b.p1.away(); b.p2.away() }, func() error { _ = b.p1.back(); return b.p2.back() }, true},
	}
	for _, n := range append([]int{6}, b.chance.Perm(6)[:min(b.times(6, 2), 6)]...) {
		without := n + 1 // nobody missing is no fault
		var gone []missing
		for i, m := range all {
			if without>>i&1 == 1 {
				gone = append(gone, m)
			}
		}
		b.chance.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
		b.startWithout(gone)
	}
}

// startWithout starts every process anew. Whoever cannot wait ends with a word,
// not sooner than a second after its start, and is started again at once.
func (b *bench) startWithout(gone []missing) {
	b.t.Helper()
	all := b.ours()
	for _, p := range all {
		p.kill()
	}
	names, accepted := []string{}, true
	for _, m := range gone {
		m.away()
		names, accepted = append(names, m.name), accepted && m.accepted
	}
	what := "without " + strings.Join(names, ", ")
	lives := map[*process]time.Time{}
	platform := func(d time.Duration, ok func() bool) bool {
		for until := time.Now().Add(d); time.Now().Before(until); b.rest(20 * time.Millisecond) {
			for _, p := range all {
				if p.running() {
					continue
				}
				if began, lived := lives[p]; lived {
					p.forgive()
					b.judgeEnd(what, p, time.Since(began))
				}
				lives[p] = time.Now()
				b.must(p.start())
			}
			if ok() {
				return true
			}
		}
		return ok()
	}
	ready := func() bool { return statusOf(b.gen.base+"/readyz") == http.StatusOK }
	never := func() bool { return false }
	switch {
	case accepted && !platform(10*time.Second, ready):
		b.fail("%s web is not ready", what)
	case !accepted:
		if platform(b.span(20*time.Second, 8*time.Second), never); ready() {
			b.fail("%s web is ready", what)
		}
	}
	for _, m := range gone {
		b.must(m.back())
		platform(2*time.Second, never)
	}
	if !platform(20*time.Second, ready) {
		b.fail("web is not ready after a start %s", what)
	}
	b.loaded(3 * time.Second)
	b.drain()
	b.figure("%s", what)
}

// judgeEnd judges a process that ended by itself at its start.
func (b *bench) judgeEnd(what string, p *process, lived time.Duration) {
	b.t.Helper()
	log, err := os.ReadFile(filepath.Join(b.dir, p.name+".log"))
	b.must(err)
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	last := lines[len(lines)-1]
	switch {
	case p.err == nil:
		b.fail("%s %s ended as if all were well", what, p.name)
	case !strings.HasPrefix(last, "galena: "):
		b.fail("%s %s ended without a word: %.100s", what, p.name, last)
	case lived < time.Second:
		b.fail("%s %s ended after %v", what, p.name, lived)
	case lived > 10*time.Second:
		b.fail("%s %s ended only after %v", what, p.name, lived)
	}
}
