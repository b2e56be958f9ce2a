package drill

import (
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// outageFaults are how a vendor is left alone and taken back (F51, F59, F62 to F67).
func outageFaults() []fault {
	return []fault{
		{id: "F51", name: "p1 throttles in every form", limit: leadLimit, cause: throttles},
		{id: "F59", name: "p1 refuses our key, p2 our money", limit: leadLimit, cause: refusals},
		{id: "F62", name: "p1 down, its probes hang, then slow", limit: leadLimit, cause: halfOpen},
		{id: "F63", name: "a breaker for each vendor", limit: leadLimit, cause: eachItsOwn},
		{id: "F64", name: "p1 down for long", limit: leadLimit, cause: longOutage},
		{id: "F65", name: "p1 comes back to many who wait", limit: leadLimit,
			setup: func(b *bench) { b.pace["p1"] = "rate: {per_second: 20, burst: 1}," }, cause: herd},
		{id: "F67", name: "every vendor down", limit: leadLimit, cause: nobodyAnswers},
	}
}

// throttle is one form of a 429.
type throttle struct {
	name  string
	wait  time.Duration // 0 = the form says nothing usable
	value func(until time.Time) string
}

func throttleForms() []throttle {
	date := func(layout string) func(time.Time) string {
		return func(until time.Time) string { return until.UTC().Format(layout) }
	}
	word := func(s string) func(time.Time) string { return func(time.Time) string { return s } }
	return []throttle{
		{"seconds", 3 * time.Second, word("3")},
		{"IMF date", 4 * time.Second, date(http.TimeFormat)},
		{"RFC 850 date", 4 * time.Second, date("Monday, 02-Jan-06 15:04:05 GMT")},
		{"asctime date", 4 * time.Second, date(time.ANSIC)},
		{"nothing", 0, nil},
		{"zero", 0, word("0")},
		{"minus one", 0, word("-1")},
		{"words", 0, word("soon")},
		{"one day", 24 * time.Hour, word("86400")},
	}
}

// throttles answers 429 in one form after the other. Until the time that was
// given nobody may call, whichever process was told.
func throttles(b *bench) {
	l := b.gen.run("f51", b.plan.rate)
	early, promised, worst := 0, 0, 0.0
	for _, form := range throttleForms() {
		from, to, given := b.throttled(form)
		for _, c := range b.p1.asked(from) {
			if until, ok := given[c.At]; ok && c.At.Before(to) {
				promised++
				early += b.p1.askedBetween(c.At.Add(500*time.Millisecond), until.Add(-500*time.Millisecond))
			}
		}
		if form.wait == 0 {
			worst = max(worst, float64(b.p1.askedBetween(from.Add(time.Second), to))/(to.Sub(from)-time.Second).Seconds())
		}
	}
	l.end()
	b.atLeast("times given", float64(promised), 5)
	b.atMost("calls before the time given", float64(early), 0)
	b.atMost("calls/s where no time was given", worst, 2.2)
	for _, w := range b.workers {
		if b.breaker(w, "p1") == open {
			b.fail("the breaker of p1 opened because of 429")
		}
	}
}

// throttled plays one form for a while, and lets p1 get well again.
func (b *bench) throttled(form throttle) (from, to time.Time, given map[time.Time]time.Time) {
	b.t.Helper()
	given = map[time.Time]time.Time{}
	var mu sync.Mutex
	from = time.Now()
	b.p1.play(func(_ int, c call) answer {
		if form.value == nil {
			return status(http.StatusTooManyRequests)
		}
		until := c.At.Add(form.wait)
		if strings.HasSuffix(form.name, "date") {
			until = until.Truncate(time.Second)
		}
		mu.Lock()
		defer mu.Unlock()
		if form.wait > 0 {
			given[c.At] = until
		}
		return status(http.StatusTooManyRequests, "Retry-After", form.value(until))
	})
	b.rest(min(2*form.wait+2*time.Second, 10*time.Second))
	to = time.Now()
	b.p1.heal()
	if form.wait < time.Hour {
		b.rest(form.wait + 3*time.Second) // every pause is over, and somebody has asked
	}
	mu.Lock()
	defer mu.Unlock()
	return from, to, given
}

// refusals lets p1 refuse the key and p2 ask for money.
func refusals(b *bench) {
	b.p1.play(func(n int, _ call) answer {
		return status([]int{http.StatusUnauthorized, http.StatusForbidden}[n%2])
	})
	b.p2.always(status(http.StatusPaymentRequired))
	from, to := b.loaded(b.span(5*time.Minute, 20*time.Second))
	b.decidedPartly(from, to)
	minutes := math.Ceil(to.Sub(from).Minutes())
	for _, v := range []*vendor{b.p1, b.p2} {
		b.atMost(v.name+" calls/min", float64(v.askedBetween(from, to))/minutes, 5)
		alerts := 0
		for _, w := range b.workers {
			log, err := os.ReadFile(filepath.Join(b.dir, w.name+".log"))
			b.must(err)
			for line := range strings.Lines(string(log)) {
				if strings.Contains(line, `"provider paused"`) && strings.Contains(line, `"provider":"`+v.name+`"`) {
					alerts++
				}
			}
		}
		b.atLeast(v.name+" alerts", float64(alerts), 1)
		b.atMost(v.name+" alerts", float64(alerts), float64(len(b.workers)))
	}
}

// halfOpen takes p1 through an outage whose probes hang and a slow recovery.
func halfOpen(b *bench) {
	l := b.gen.run("f62", b.plan.rate)
	b.p1.always(status(http.StatusInternalServerError))
	b.rest(b.span(time.Minute, 15*time.Second))
	b.p1.always(hangs)
	from := time.Now()
	b.rest(b.span(2*time.Minute, 35*time.Second))
	b.p1.always(b.p1.well(1900 * time.Millisecond))
	to := time.Now()
	b.rest(20 * time.Second)
	b.p1.heal()
	closed := b.within(probeGap+2*time.Second, "every breaker of p1 is closed again", b.shutEverywhere("p1"))
	l.end()
	together, longest := 0, time.Duration(0)
	for _, c := range b.p1.asked(from) {
		if c.At.Before(to) {
			together, longest = max(together, c.Others+1), max(longest, c.Took)
		}
	}
	b.atMost("hanging probes at a time", float64(together), 1)
	b.atMost("longest probe s", longest.Seconds(), callLimit.Seconds())
	b.atLeast("probes", float64(b.p1.askedBetween(from, to)), 1)
	b.figure("closed after %.1fs", closed.Seconds())
}

// eachItsOwn holds p1's breaker against p2's, and starts a worker that cannot
// know of it.
func eachItsOwn(b *bench) {
	b.p1.always(status(http.StatusInternalServerError))
	l := b.gen.run("f63", b.plan.rate)
	b.rest(b.span(2*time.Minute, 15*time.Second))
	if !b.shutEverywhere("p2")() {
		b.fail("the breaker of p2 opened")
	}
	b.within(probeGap, "web shows p1 as open and p2 as none", func() bool {
		return b.breaker(b.web, "p1") == open && b.breaker(b.web, "p2") < open
	})
	late := b.process("worker3")
	b.workers = append(b.workers, late)
	began := time.Now()
	b.rest(8 * time.Second)
	l.end()
	asked := func(v *vendor) (n float64) {
		for _, c := range v.asked(began) {
			if c.Who == late.name {
				n++
			}
		}
		return n
	}
	b.atMost("calls of a new worker to p1", asked(b.p1), 5)
	b.atLeast("calls of a new worker to p2", asked(b.p2), 5)
}

// longOutage leaves leads waiting for p1, and looks at how they wait.
func longOutage(b *bench) {
	b.p1.always(status(http.StatusInternalServerError))
	from := time.Now()
	l := b.gen.run("f64", b.plan.rate)
	b.rest(time.Duration(float64(b.times(500, 100)) / b.plan.rate * float64(time.Second)))
	l.end()
	down := b.span(30*time.Minute, 75*time.Second)
	b.rest(down - time.Since(from))
	b.atLeast("leads that wait", b.waiting(), 1)
	b.atMost("attempts used", b.sql(`SELECT max(attempts) FROM steps WHERE kind = 'lead:complete'`), 0)
	b.atMost("waiting steps of a lead", b.sql(`SELECT max(n) FROM (SELECT count(*) AS n FROM steps WHERE kind = 'lead:complete' GROUP BY lead_id) AS x`), 1)
	b.atMost("looks at a lead", b.sql(`SELECT max(run) FROM steps WHERE kind = 'lead:complete'`), 2+down.Seconds()/30)
}

// herd lets many wait for p1, which then comes back with a limit of its own.
func herd(b *bench) {
	b.p1.always(status(http.StatusInternalServerError))
	from := time.Now()
	l := b.gen.run("f65", b.plan.rate/2)
	b.rest(b.span(10*time.Minute, 45*time.Second))
	b.atLeast("leads that wait", b.waiting(), 1)
	b.p1.heal()
	up := time.Now()
	done := b.within(10*time.Minute, "nobody who waited when p1 came back waits any more", func() bool {
		return b.sql(`SELECT count(*) FROM steps s JOIN leads l ON l.id = s.lead_id
			WHERE s.kind = 'lead:complete' AND s.state <> 'done' AND l.created_at < $1`, up.UnixMicro()) == 0
	})
	to := time.Now()
	l.end()
	all, acks := b.gen.books()
	fresh := count(all, acks, b.sink.events(), up, to, 0)
	b.figure("done after %.0fs", done.Seconds())
	b.lookedAgain(from, up.Add(-10*time.Second)) // what came later may have been decided when p1 was back
	b.atLeast("calls after p1 came back", float64(b.p1.askedBetween(up, to)), 1)
	b.atLeast("fresh leads", float64(len(fresh.Waits)), 1)
	b.atMost("calls in the busiest second", float64(busiestSecond(b.p1.asked(up))), 20)
	b.atMost("p95 of fresh leads s", quantile(fresh.Waits, 0.95).Seconds(), 3)
}

// nobodyAnswers takes every vendor away and gives them back.
func nobodyAnswers(b *bench) {
	down := status(http.StatusInternalServerError)
	b.p1.always(down)
	b.p2.always(down)
	from, to := b.loaded(b.span(10*time.Minute, 40*time.Second))
	b.decidedPartly(from, to)
	b.atLeast("leads that wait", b.waiting(), 1)
	b.p1.heal()
	b.p2.heal()
	done := b.within(15*time.Minute, "nobody waits any more", func() bool { return b.waiting() == 0 })
	b.figure("done after %.0fs", done.Seconds())
	b.lookedAgain(from, to)
}

// lookedAgain judges that every lead of an interval that was decided on a part, and
// still is, was looked at again.
func (b *bench) lookedAgain(from, to time.Time) {
	b.t.Helper()
	b.atMost("leads that were not looked at again", b.sql(`SELECT count(*) FROM decisions d JOIN leads l ON l.id = d.lead_id AND l.epoch = d.epoch
		WHERE d.stop IN ('degraded', 'deadline') AND l.created_at BETWEEN $1 AND $2
		AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.lead_id = d.lead_id AND n.epoch = d.epoch)`, from.UnixMicro(), to.UnixMicro()), 0)
}

// waiting is how many leads are to be completed.
func (b *bench) waiting() float64 {
	return b.sql(`SELECT count(*) FROM steps WHERE kind = 'lead:complete' AND state <> 'done'`)
}
