package drill

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// leadFaults are single leads that are more than a worker can bear (F08 to F10).
func leadFaults() []fault {
	return []fault{
		{id: "F08", name: "an answer on which the adapter panics", limit: leadLimit, spoil: true, cause: panics},
		{id: "F09", name: "p1 hangs on fifty leads at once", limit: leadLimit, setup: func(b *bench) { b.concurrency = few }, cause: fiftyHang},
		{id: "F10", name: "a lead that kills its worker", spoil: true, cause: poison},
	}
}

// keepWorkers starts workers that died again, as a platform does, until ok or
// the time is over. It says how often one had died.
func (b *bench) keepWorkers(d time.Duration, ok func() bool) (deaths int) {
	b.t.Helper()
	for until := time.Now().Add(d); time.Now().Before(until) && !ok(); b.rest(50 * time.Millisecond) {
		for _, w := range b.workers {
			if !w.running() {
				deaths++
				w.forgive()
				b.rest(time.Second)
				b.must(w.start())
			}
		}
	}
	return deaths
}

// poison posts a lead of which workers die among many that are sound. It must be
// put aside after the third, be seen, and go its way once the cause is mended.
func poison(b *bench) {
	b.aside = true
	b.p1.always(b.p1.well(300 * time.Millisecond))
	leads := time.Duration(float64(b.times(500, 150)) / b.plan.rate * float64(time.Second))
	from := time.Now()
	l := b.gen.run("f10-sound", b.plan.rate)
	b.rest(leads / 2)
	poisoned := time.Now()
	go b.gen.post("f10-poison", "poison-1.example", l.stop)
	aside := func() bool {
		return b.sql(`SELECT count(*) FROM steps s JOIN leads l ON l.id = s.lead_id
			WHERE s.state = 'failed' AND s.error_kind = 'killed' AND s.kills = 3 AND l.external_id = 'f10-poison'`) == 1
	}
	deaths := b.keepWorkers(3*time.Minute, aside)
	b.figure("put aside after %.0fs", time.Since(poisoned).Seconds())
	deaths += b.keepWorkers(leads/2, func() bool { return false })
	l.end()
	b.atLeast("put aside", b.sql(`SELECT count(*) FROM steps WHERE state = 'failed'`), 1)
	b.atMost("put aside", b.sql(`SELECT count(*) FROM steps WHERE state = 'failed'`), 1)
	b.atMost("workers that died", float64(deaths), 3)
	if list, err := b.command("steps", "list", "--reason", "killed"); err != nil || !strings.Contains(list, "workers died while they ran it") {
		b.fail("galena steps list does not show it: %v: %s", err, list)
	}
	for _, w := range b.workers { // the cause is mended
		w.kill()
		w.path = b.plan.galena
		b.must(w.start())
	}
	b.replay("--reason", "killed")
	b.drain()
	all, acks := b.gen.books()
	var others []acked
	for _, a := range acks {
		if a.Key != "f10-poison" {
			others = append(others, a)
		}
	}
	before := count(all, others, b.sink.events(), from, poisoned, 0)
	after := count(all, others, b.sink.events(), poisoned, time.Now(), 0)
	b.atMost("p95 of the others s", quantile(after.Waits, 0.95).Seconds(), 1.2*b.plan.patience*quantile(before.Waits, 0.95).Seconds())
}

// panics answers about some leads what their adapter panics on: the answer is
// lost, the lead is not, and nobody else notices.
func panics(b *bench) {
	pids := map[string]int{}
	for _, w := range b.workers {
		pids[w.name] = w.cmd.Process.Pid
	}
	l := b.gen.stream(b.plan.rate, func(i int) (key, domain string) {
		key = "f08-" + strconv.Itoa(i)
		if i%10 == 3 {
			return key, "panic-" + key + ".example"
		}
		return key, key + ".example"
	})
	from := time.Now()
	b.rest(b.span(time.Minute, 10*time.Second))
	to := time.Now()
	l.end()
	b.drain()
	told := 0
	for _, w := range b.workers {
		if !w.running() || w.cmd.Process.Pid != pids[w.name] {
			b.fail("%s died", w.name)
		}
		told += b.logged(w, `"adapter panicked"`)
	}
	b.atLeast("panics told in a log", float64(told), float64(b.posted(from, to)/10))
	b.atMost("calls of others that failed", b.sql(`SELECT count(*) FROM provider_calls WHERE outcome <> 'hit' AND domain NOT LIKE 'panic-%'`), 0)
	b.atLeast("calls told as internal", b.sql(`SELECT count(*) FROM provider_calls WHERE outcome = 'internal' AND domain LIKE 'panic-%'`), 1)
}

// few workers in a process, so that it shows when more is done at once. Of leads
// that share a task a process may work on four for each worker beside.
const (
	few    = 8
	shared = 4
)

// fiftyHang posts leads all at once to a vendor that answers nobody: each call
// ends, and when all have ended the process is as small as after as many that
// were answered.
func fiftyHang(b *bench) {
	b.fifty("f09-well-")
	b.drain()
	b.rest(2 * time.Second)
	base := map[string]int{}
	for _, w := range b.workers {
		base[w.name] = b.goroutines(w)
	}
	b.p1.always(hangs)
	from := time.Now()
	b.fifty("f09-")
	active := 0
	for time.Since(from) < 5*time.Second {
		n, err := b.redis.say("LLEN asynq:{leads}:active")
		b.must(err)
		live, _ := strconv.Atoi(strings.TrimPrefix(n, ":"))
		active = max(active, live)
		b.rest(20 * time.Millisecond)
	}
	b.drain()
	b.atMost("tasks at work", float64(active), float64(few*len(b.workers)))
	together, longest := 0, time.Duration(0)
	for _, c := range b.p1.asked(from) {
		together, longest = max(together, c.Others+1), max(longest, c.Took)
	}
	b.atLeast("calls of a process at a time", float64(together), few)
	b.atMost("calls of a process at a time", float64(together), few*(shared+1))
	b.atMost("longest call s", longest.Seconds(), callLimit.Seconds()*b.plan.patience)
	most := 0
	took := b.within(10*time.Second, "as many goroutines as before", func() bool {
		most = 0
		for _, w := range b.workers {
			most = max(most, b.goroutines(w)-base[w.name])
		}
		return most <= 10
	})
	b.figure("%+d goroutines after %.1fs", most, took.Seconds())
	for _, w := range b.workers {
		b.must(os.WriteFile(filepath.Join(b.dir, w.name+".goroutines"), []byte(b.private(w, "/debug/pprof/goroutine?debug=1")), 0o600))
	}
}

var goroutineGroup = regexp.MustCompile(`(?m)^(\d+) @ .*\n((?:#.*\n)+)`)

// goroutines counts those of a process, but for the two of each connection that is
// kept open and awaits nothing but a next call: how many those are hangs on which
// process took how many of the leads. One whose answer nobody reads counts.
func (b *bench) goroutines(p *process) (n int) {
	b.t.Helper()
	groups := goroutineGroup.FindAllStringSubmatch(b.private(p, "/debug/pprof/goroutine?debug=1"), -1)
	if len(groups) == 0 {
		b.t.Fatalf("%s does not tell its goroutines", p.name)
	}
	for _, g := range groups {
		many, err := strconv.Atoi(g[1])
		b.must(err)
		if n += many; strings.Contains(g[2], "bufio.(*Reader).Peek") && strings.Contains(g[2], "net/http.(*persistConn).readLoop") {
			n -= 2 * many // its writeLoop, too
		}
	}
	return n
}

// fifty posts as many leads at once and waits for the answers.
func (b *bench) fifty(tag string) {
	var posts sync.WaitGroup
	for i := range 50 {
		key := tag + strconv.Itoa(i)
		posts.Go(func() { b.gen.post(key, key+".example", nil) })
	}
	posts.Wait()
}
