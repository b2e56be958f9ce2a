package drill

import (
	"net/http"
	"syscall"
	"time"
)

// storeFaults are those of Redis (F20 to F24) and Postgres (F40 to F46).
func storeFaults() []fault {
	return []fault{
		{id: "F20", name: "redis killed, 10 s down, empty", limit: 40 * time.Second, short: true, cause: func(b *bench) {
			l := b.gen.run("f20", b.plan.rate)
			b.rest(3 * time.Second)
			b.redis.kill()
			b.rest(10 * time.Second)
			b.must(b.redis.up())
			b.rest(3 * time.Second)
			l.end()
			b.gateKeepsAnswering(time.Second)
		}},
		{id: "F22", name: "redis emptied twice", limit: 30 * time.Second, cause: func(b *bench) {
			l := b.gen.run("f22", b.plan.rate)
			for range 2 {
				b.rest(b.span(time.Minute, 8*time.Second))
				if answer, err := b.redis.say("FLUSHALL"); err != nil || answer != "+OK" {
					b.fail("FLUSHALL: %s, %v", answer, err)
				}
			}
			took := b.within(time.Minute, "the queues are registered again", func() bool {
				n, err := b.redis.say("SCARD asynq:queues")
				return err == nil && n != ":0" && n != ":1"
			})
			b.figure("queues visible after %.1fs", took.Seconds())
			b.rest(b.span(time.Minute, 8*time.Second))
			l.end()
			b.gateKeepsAnswering(time.Second)
		}},
		{id: "F23", name: "redis slow by 300 +- 200 ms", limit: 30 * time.Second, cause: func(b *bench) {
			for _, line := range b.to("redis") {
				line.slow(150*time.Millisecond, 100*time.Millisecond) // each way
			}
			b.loaded(b.span(5*time.Minute, 20*time.Second))
			b.gateKeepsAnswering(250*time.Millisecond + 2*500*time.Millisecond)
		}},
		{id: "F24", name: "a worker parted from redis", limit: 60 * time.Second, cause: func(b *bench) {
			b.p1.always(b.p1.well(500 * time.Millisecond))
			l := b.gen.run("f24", b.plan.rate)
			for _, d := range []time.Duration{45 * time.Second, 2 * time.Minute} {
				b.rest(3 * time.Second)
				b.lines["redis worker1"].stall()
				b.rest(b.span(d, 25*time.Second))
				b.lines["redis worker1"].heal()
			}
			b.rest(5 * time.Second)
			l.end()
		}},
		{id: "F40", name: "postgres restarted and killed", cause: restartPostgres},
		{id: "F41", name: "connections to postgres lost", limit: 30 * time.Second, cause: loseConnections},
		{id: "F42", name: "commits whose answer is lost", limit: 30 * time.Second, cause: func(b *bench) {
			l := b.gen.run("f42", b.plan.rate)
			web, n := b.lines["pg web"], b.times(200, 20)
			web.loseCommits(n, 4)
			b.within(10*time.Minute, "all commits are lost", func() bool { return web.lost() == 0 })
			l.end()
			b.figure("commits lost %d, posts answered 503 %d", n, b.gen.refusals()[http.StatusServiceUnavailable])
		}},
		{id: "F46", name: "the table of leads locked", limit: 60 * time.Second, cause: lockLeads},
	}
}

// gateKeepsAnswering judges how long an accepted post took while the fault
// lasted, and that none was refused.
func (b *bench) gateKeepsAnswering(limit time.Duration) {
	_, acks := b.gen.books()
	var slowest time.Duration
	for _, a := range acks {
		if !a.From.Before(b.began) {
			slowest = max(slowest, a.At.Sub(a.From))
		}
	}
	b.atMost("slowest 2xx s", slowest.Seconds(), limit.Seconds()*b.plan.patience)
	b.figure("refused %v", b.gen.refusals())
}

// restartPostgres ends the database in three ways while leads come in.
func restartPostgres(b *bench) {
	l := b.gen.run("f40", b.plan.rate)
	var slowest time.Duration
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} { // fast, immediate, no goodbye
		for range b.times(10, 1) {
			b.rest(time.Duration((0.5 + b.chance.Float64()) * float64(5*time.Second)))
			if _, err := b.pg.stop(s, 30*time.Second); err != nil && s == syscall.SIGINT {
				b.fail("postgres: %v", err)
			}
			b.rest(2 * time.Second)
			b.must(b.pg.up())
			up := time.Now()
			b.within(20*time.Second, "a lead is accepted again", func() bool {
				_, acks := b.gen.books()
				return len(acks) > 0 && acks[len(acks)-1].From.After(up)
			})
			slowest = max(slowest, time.Since(up))
		}
	}
	l.end()
	refused := b.gen.refusals()
	b.figure("refused %v", refused)
	b.atMost("slowest refusal s", b.gen.slowest.Seconds(), 1)
	b.atMost("first lead after s", slowest.Seconds(), 5)
	for status, n := range refused {
		if status != http.StatusServiceUnavailable {
			b.fail("%d posts answered %d, want 503", n, status)
		}
	}
}

// loseConnections resets one connection of a hundred a second and ends all on
// the server's side every five.
func loseConnections(b *bench) {
	l := b.gen.run("f41", b.plan.rate)
	cut := 0
	for i := range int(b.span(5*time.Minute, 25*time.Second) / time.Second) {
		b.rest(time.Second)
		for _, line := range b.to("pg") {
			cut += line.cut(0.01)
		}
		if i%5 == 4 {
			cut += int(b.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'galena'`))
		}
	}
	l.end()
	b.figure("connections lost %d", cut)
	refused := b.gen.refusals()
	b.figure("refused %v", refused)
	b.atMost("posts answered 5xx or not at all", float64(total(refused)), 0)
}

// lockLeads holds the table of leads: the gate must refuse, not hang.
func lockLeads(b *bench) {
	l := b.gen.run("f46", b.plan.rate)
	b.rest(2 * time.Second)
	tx, err := b.pg.db.BeginTx(b.ctx, nil)
	b.must(err)
	_, err = tx.ExecContext(b.ctx, `LOCK TABLE leads`)
	b.must(err)
	b.rest(b.span(20*time.Second, 10*time.Second))
	b.must(tx.Rollback())
	began := time.Now()
	b.within(20*time.Second, "a lead is accepted again", func() bool {
		_, acks := b.gen.books()
		return acks[len(acks)-1].From.After(began)
	})
	l.end()
	b.atMost("slowest refusal s", b.gen.slowest.Seconds(), 3.5)
	b.figure("refused %v", b.gen.refusals())
}
