package drill

import (
	"net/http"
	"strings"
	"syscall"
	"time"
)

// processFaults are those of our own processes (F01 to F07).
func processFaults() []fault {
	return []fault{
		{id: "F01", name: "workers killed", limit: 30 * time.Second, short: true, cause: func(b *bench) {
			b.killing(b.times(100, 3), 12*time.Second, func(w *process) { w.kill() })
			b.nothingArchived()
		}},
		{id: "F02", name: "workers killed, one attempt allowed", limit: time.Minute, cause: func(b *bench) {
			b.oneAttempt()
			b.killing(b.times(20, 3), 12*time.Second, func(w *process) { w.kill() })
			b.archiveEmptied(150 * time.Second) // asynq takes up to 90 s to put such a task aside
		}},
		{id: "F03", name: "workers asked to stop", limit: 10 * time.Second, cause: stopWorkers},
		{id: "F03b", name: "all asked to stop, stores silent", cause: stopInSilence},
		{id: "F04", name: "workers asked to stop, killed 2 s later", limit: 30 * time.Second, cause: func(b *bench) {
			b.killing(b.times(20, 3), 12*time.Second, func(w *process) {
				w.signal(syscall.SIGTERM)
				b.rest(2 * time.Second)
				w.kill()
			})
			b.nothingArchived()
		}},
		{id: "F05", name: "web asked to stop", cause: stopWeb},
		{id: "F06", name: "a worker frozen, then woken", limit: 45 * time.Second, cause: func(b *bench) {
			b.p1.always(b.p1.well(500 * time.Millisecond))
			l := b.gen.run("f06", b.plan.rate)
			b.rest(3 * time.Second)
			b.workers[0].signal(syscall.SIGSTOP)
			b.rest(b.span(70*time.Second, 30*time.Second))
			b.workers[0].signal(syscall.SIGCONT)
			b.rest(5 * time.Second)
			l.end()
		}},
	}
}

// killing ends a worker by chance again and again under load, and starts it
// after a second. The vendors take half a second and the sink up to 400 ms, so
// that a kill meets every moment of a lead.
func (b *bench) killing(times int, every time.Duration, end func(*process)) {
	b.t.Helper()
	b.p1.always(b.p1.well(500 * time.Millisecond))
	b.p2.always(b.p2.well(500 * time.Millisecond))
	b.hesitantSink()
	l := b.gen.run(strings.ToLower(b.id), b.plan.rate)
	if b.plan.scale == 0 {
		every /= 3
	}
	for _, blow := range blows(b.chance, times, every, len(b.workers)) {
		b.rest(blow.after)
		w := b.workers[blow.who]
		end(w)
		b.rest(time.Second)
		b.must(w.start())
	}
	b.rest(every)
	l.end()
	b.drain()
	b.figure("kills %d", times)
	b.figure("most tries of a delivery %.0f", b.sql(`SELECT max(attempts) FROM deliveries`))
}

// hesitantSink answers after up to 400 ms.
func (b *bench) hesitantSink() {
	chance := b.chance.Uint64()
	b.sink.hesitate(func() time.Duration {
		chance = chance*6364136223846793005 + 1442695040888963407
		return time.Duration(chance>>33%400) * time.Millisecond
	})
}

// deadRemoved is what the upkeep says, within half a minute, of tasks that the queue
// put aside, and takes away.
const deadRemoved = `"dead tasks removed from the queue"`

// nothingArchived judges that the queue put no task aside, at any time.
func (b *bench) nothingArchived() {
	b.t.Helper()
	b.atMost("times that dead tasks were removed", float64(b.complaints(deadRemoved)), 0)
	for _, q := range queues() {
		if n, err := b.redis.say("ZCARD asynq:{" + q + "}:archived"); err != nil || n != ":0" {
			b.fail("archived tasks of %s: %s, %v", q, n, err)
		}
	}
}

// oneAttempt lets the queue store each task as one that may fail once: in the
// message the number of retries follows the queue's name.
func (b *bench) oneAttempt() {
	for _, line := range b.to("redis") {
		for _, q := range queues() {
			line.edit(true, q+"\x28\x0a", q+"\x28\x00")
		}
	}
}

// archiveEmptied judges that what the queue put aside does not stay there, and
// that something was.
func (b *bench) archiveEmptied(within time.Duration) {
	b.t.Helper()
	b.atLeast("tasks with one attempt", float64(b.edits("redis")), 1)
	b.queueCleaned(within)
	b.atLeast("times that dead tasks were removed", float64(b.complaints(deadRemoved)), 1)
}

// queueCleaned judges that no task stays in the queue that nobody works on.
func (b *bench) queueCleaned(within time.Duration) {
	b.t.Helper()
	took := b.within(within, "no task is archived or held by nobody", func() bool {
		for _, q := range queues() {
			for _, command := range []string{"ZCARD asynq:{" + q + "}:archived", "LLEN asynq:{" + q + "}:active"} {
				if n, err := b.redis.say(command); err != nil || n != ":0" {
					return false
				}
			}
		}
		return true
	})
	b.figure("queue clean after %.0fs", took.Seconds())
}

// queues are those that asynq keeps for galena.
func queues() []string { return []string{"leads", "deliveries", "bulk"} }

// stopWorkers ends workers as a deploy does, while their vendor is slow.
func stopWorkers(b *bench) {
	chance := b.chance.Uint64()
	b.p1.play(func(n int, _ call) answer {
		return b.p1.well(time.Second + time.Duration(hashOf(time.Duration(chance+uint64(n)).String())%3000)*time.Millisecond)
	})
	l := b.gen.run("f03", b.plan.rate)
	longest := time.Duration(0)
	for _, blow := range blows(b.chance, b.times(50, 3), 6*time.Second, len(b.workers)) {
		b.rest(blow.after)
		w := b.workers[blow.who]
		took, err := w.stop(syscall.SIGTERM, 40*time.Second)
		if err != nil {
			b.fail("%s: %v", w.name, err)
		}
		longest = max(longest, took)
		b.must(w.start())
	}
	b.rest(3 * time.Second)
	l.end()
	b.atMost("longest stop s", longest.Seconds(), 25)
	b.nothingArchived()
}

// stopInSilence ends all of ours while a store, then the other, then both take
// everything and answer nothing.
func stopInSilence(b *bench) {
	b.p1.always(b.p1.well(500 * time.Millisecond))
	b.p2.always(b.p2.well(500 * time.Millisecond))
	longest := time.Duration(0)
	for _, silent := range [][]string{{"redis"}, {"pg"}, {"pg", "redis"}} {
		l := b.gen.run("f03b-"+strings.Join(silent, ""), b.plan.rate)
		b.rest(3 * time.Second)
		for _, store := range silent {
			for _, line := range b.to(store) {
				line.stall()
			}
		}
		b.rest(3 * time.Second)
		longest = max(longest, b.stopAll(strings.Join(silent, " and ")))
		for _, store := range silent {
			for _, line := range b.to(store) {
				line.heal()
			}
		}
		for _, p := range b.ours() {
			b.must(p.start())
		}
		b.within(20*time.Second, "web is ready again", func() bool { return statusOf(b.gen.base+"/readyz") == http.StatusOK })
		l.end()
	}
	b.atMost("longest stop s", longest.Seconds(), 25)
}

// stopAll asks all of ours to stop at once, and says how long the last one took.
func (b *bench) stopAll(when string) (longest time.Duration) {
	b.t.Helper()
	type end struct {
		who  string
		took time.Duration
		err  error
	}
	ends := make(chan end)
	for _, p := range b.ours() {
		go func() {
			took, err := p.stop(syscall.SIGTERM, time.Minute)
			ends <- end{p.name, took, err}
		}()
	}
	for range b.ours() {
		e := <-ends
		if e.err != nil {
			b.fail("%s, %s silent: %v", e.who, when, e.err)
		}
		longest = max(longest, e.took)
	}
	return longest
}

// stopWeb ends the gate while requests are under way.
func stopWeb(b *bench) {
	l := b.gen.run("f05", 2.5*b.plan.rate)
	stops, early, longest := b.times(20, 3), 0, time.Duration(0)
	for _, blow := range blows(b.chance, stops, 2*time.Second, 1) {
		b.rest(blow.after)
		turned := make(chan bool)
		go func() { turned <- b.turnsBeforeItCloses() }()
		took, err := b.web.stop(syscall.SIGTERM, 40*time.Second)
		if err != nil {
			b.fail("web: %v", err)
		}
		longest = max(longest, took)
		if <-turned {
			early++
		}
		b.must(b.web.start())
		b.within(20*time.Second, "web is ready again", func() bool { return statusOf(b.gen.base+"/readyz") == http.StatusOK })
	}
	l.end()
	b.atLeast("stops whose readiness was seen turning first", float64(early), float64(stops))
	b.atMost("longest stop s", longest.Seconds(), 25)
	b.atMost("posts broken off", float64(b.gen.refusals()[noAnswer]), 0)
}

// turnsBeforeItCloses watches a gate that stops: readiness must be seen to turn
// while it still listens.
func (b *bench) turnsBeforeItCloses() bool {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		switch statusOf(b.gen.base + "/readyz") {
		case http.StatusServiceUnavailable:
			return true
		case 0:
			return false
		}
	}
	return false
}
