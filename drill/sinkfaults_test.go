package drill

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sinkFaults are those of whoever is told (F74 to F76).
func sinkFaults() []fault {
	return []fault{
		{id: "F74", name: "the sink refuses for an hour", cause: refusingSink},
		{id: "F75", name: "sinks that answer amiss", limit: leadLimit, setup: rudeSinks, cause: rudeAnswers},
		{id: "F76", name: "one of ten sinks hangs", limit: leadLimit, setup: nineMore, cause: func(b *bench) {
			from, to := b.loaded(b.span(5*time.Minute, 30*time.Second))
			b.drain()
			for _, s := range b.others[1:] {
				b.atLeast("told", float64(told2xx(s, from)), float64(b.posted(from, to)))
			}
		}},
	}
}

// refusingSink answers 503 for a scaled hour and then takes everything. Each
// event comes again under the same key, later and later, not all at once.
func refusingSink(b *bench) {
	b.sink.play(func(told) int { return http.StatusServiceUnavailable })
	l := b.gen.run("f74", min(5, b.plan.rate))
	b.rest(b.span(time.Hour, 45*time.Second))
	l.end()
	b.sink.heal()
	up := time.Now()
	b.patience = 15 * time.Minute
	b.drain()
	b.atMost("all told after min", time.Since(up).Minutes(), 15)
	tries, keys := map[string][]time.Time{}, map[string]map[string]bool{}
	for _, e := range b.sink.events() {
		if e.Type != eventRouted || e.At.Before(b.began) {
			continue
		}
		tries[e.Caller] = append(tries[e.Caller], e.At)
		if keys[e.Caller] == nil {
			keys[e.Caller] = map[string]bool{}
		}
		keys[e.Caller][e.Key] = true
	}
	most, mostKeys, shortest, longest := 0, 0, time.Hour, time.Duration(0)
	for caller, at := range tries {
		most, mostKeys = max(most, len(at)), max(mostKeys, len(keys[caller]))
		if len(at) > 1 {
			gap := at[1].Sub(at[0])
			shortest, longest = min(shortest, gap), max(longest, gap)
		}
	}
	b.atMost("most tries", float64(most), 10)
	b.atMost("most keys of an event", float64(mostKeys), 1)
	b.figure("second try after %.1f to %.1fs", shortest.Seconds(), longest.Seconds())
	b.atLeast("spread of the second try", float64(longest-shortest)/float64(longest+shortest), 0.2)
}

// nineMore adds nine endpoints, the first of which never answers.
func nineMore(b *bench) {
	b.moreSinks(9)
	b.others[0].hesitate(func() time.Duration { return -1 })
}

// moreSinks adds endpoints beside the one that the checker reads.
func (b *bench) moreSinks(n int) {
	b.t.Helper()
	var yaml strings.Builder
	yaml.WriteString("apiVersion: galena/v1\nkind: Notify\nspec:\n  webhooks:\n")
	for i := range n {
		s, err := newSink(b.dir, fmt.Sprintf("sink%d", i+2))
		b.must(err)
		b.t.Cleanup(s.close)
		b.others = append(b.others, s)
		b.allowed = append(b.allowed, s.addr)
		fmt.Fprintf(&yaml, "    - {id: hook%d, url: \"http://%s\", secret_env: DRILL_HOOK_SECRET, events: [lead.routed]}\n", i+2, s.addr)
	}
	b.notify = yaml.String()
}
