package drill

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// queueFaults are what the queue leaves open by itself (F11, F12, F30), and more
// work than there is room for (F45, F85).
func queueFaults() []fault {
	return []fault{
		{id: "F11", name: "a task that nobody can read", limit: time.Minute, cause: func(b *bench) {
			b.killedWhile(func() {
				b.say("HSET asynq:{leads}:t:garbage msg garbage state active")
				b.say("RPUSH asynq:{leads}:active garbage")
				b.say("ZADD asynq:{leads}:lease 1 garbage")
			})
			b.drain()
			b.queueCleaned(90 * time.Second)
			b.atLeast("lines that name it", float64(b.complaints(`"task":"garbage"`)), 1)
		}},
		{id: "F12", name: "active tasks without lease", limit: time.Minute, cause: func(b *bench) {
			orphans := 0
			b.killedWhile(func() {
				for _, id := range b.redis.list("LRANGE asynq:{leads}:active 0 -1") {
					b.say("ZREM asynq:{leads}:lease " + id)
					orphans++
				}
			})
			b.atLeast("orphans", float64(orphans), 1)
			b.drain()
			b.queueCleaned(90 * time.Second)
		}},
		{id: "F30", name: "an archive full of old tasks", limit: time.Minute, cause: archiveBomb},
		{id: "F45", name: "5 connections for 200 workers", limit: time.Minute,
			setup: func(b *bench) { b.pool, b.concurrency = "&pool_max_conns=5", 200 }, cause: fewConnections},
		{id: "F85", name: "ten times as many leads", limit: 5 * time.Minute, cause: burst},
	}
}

// say tells Redis something that must be taken.
func (b *bench) say(command string) {
	b.t.Helper()
	if answer, err := b.redis.say(command); err != nil || strings.HasPrefix(answer, "-") {
		b.fail("redis %q: %s, %v", command, answer, err)
	}
}

// list sends a command and returns the texts of a short answer.
func (r *redis) list(command string) (out []string) {
	for i, line := range r.lines(command) {
		if i > 0 && i%2 == 0 {
			out = append(out, line)
		}
	}
	return out
}

// lines sends a command and returns a short answer as it comes.
func (r *redis) lines(command string) []string {
	c, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return nil
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = fmt.Fprintf(c, "%s\r\n", command)
	b := make([]byte, 64<<10)
	n, _ := c.Read(b)
	return strings.Split(string(b[:n]), "\r\n")
}

// killedWhile spoils the queue while leads are in flight and kills every worker
// at once.
func (b *bench) killedWhile(spoil func()) {
	b.t.Helper()
	b.p1.always(b.p1.well(1500 * time.Millisecond))
	l := b.gen.run(strings.ToLower(b.id), b.plan.rate)
	for range b.times(10, 2) {
		b.rest(4 * time.Second)
		spoil()
		for _, w := range b.workers {
			w.kill()
		}
		b.rest(time.Second)
		for _, w := range b.workers {
			b.must(w.start())
		}
	}
	b.rest(2 * time.Second)
	l.end()
}

// archiveBomb fills the archive with tasks that are older than the queue keeps,
// more than its own script can remove at once, and lets tasks fail for good: the
// script then fails, and what failed stays active by itself for ever.
func archiveBomb(b *bench) {
	b.oneAttempt()
	l := b.gen.run("f30", b.plan.rate)
	old := time.Now().Add(-91 * 24 * time.Hour).Unix()
	for range b.times(10, 2) {
		for n := range 50 {
			var add strings.Builder
			add.WriteString("ZADD asynq:{leads}:archived")
			for i := range 200 {
				fmt.Fprintf(&add, " %d old-%d", old, 200*n+i)
			}
			b.say(add.String())
		}
		for _, w := range b.workers {
			b.lines["pg "+w.name].part()
		}
		b.rest(4 * time.Second)
		for _, w := range b.workers {
			b.lines["pg "+w.name].heal()
		}
		b.rest(4 * time.Second)
	}
	l.end()
	stuck := 0
	for _, w := range b.workers {
		stuck += b.logged(w, "Could not move task")
	}
	b.atLeast("tasks that the archive did not take", float64(stuck), 1)
	b.drain()
	b.archiveEmptied(90 * time.Second)
}

// fewConnections gives each process five connections and slow vendors: nobody
// may hold one while a vendor is asked.
func fewConnections(b *bench) {
	b.p1.always(b.p1.well(1500 * time.Millisecond))
	l := b.gen.run("f45", 2*b.plan.rate)
	idle := 0.0
	for range int(b.span(2*time.Minute, 15*time.Second) / (250 * time.Millisecond)) {
		b.rest(250 * time.Millisecond)
		idle = max(idle, b.sql(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'galena'
			AND state = 'idle in transaction' AND state_change < clock_timestamp() - interval '500 milliseconds'`))
	}
	l.end()
	b.atMost("transactions idle for half a second", idle, 0)
	b.figure("connections %.0f", b.sql(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'galena'`))
}

// burst sends ten times as many leads for a while: none may be refused, and none
// may wait at the gate.
func burst(b *bench) {
	l := b.gen.run("f85", 10*b.plan.rate)
	b.rest(b.span(time.Minute, 10*time.Second))
	l.end()
	b.drain()
	b.figure("refused %v", b.gen.refusals())
	for status, n := range b.gen.refusals() {
		if status != http.StatusTooManyRequests {
			b.fail("%d posts answered %d", n, status)
		}
	}
	b.atMost("p99 of 2xx s", quantile(b.accepted(), 0.99).Seconds(), 0.25*b.plan.patience)
	for _, p := range b.ours() {
		b.atMost(p.name+" peak MB", b.peakMB(p), 256)
	}
}
