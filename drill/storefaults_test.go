package drill

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
		{id: "F21", name: "redis killed, in three ways to keep", limit: 40 * time.Second, setup: func(b *bench) { b.concurrency = 4 }, cause: keepingRedis},
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
		{id: "F25", name: "redis full, then one that evicts", limit: time.Minute, cause: fullRedis},
		{id: "F28", name: "a redis that is too old", limit: 30 * time.Second, short: true, cause: oldRedis},
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
		{id: "F43", name: "deadlocks and serialization failures", limit: 30 * time.Second, short: true, cause: clashes},
		{id: "F46", name: "the table of leads locked", limit: 60 * time.Second, cause: lockLeads},
	}
}

// gateKeepsAnswering judges every post since the fault began: taken or refused with
// 503, and within the limit. Nothing was done to web itself, so that a post which
// finds nobody or hears nothing is a fault, too.
func (b *bench) gateKeepsAnswering(limit time.Duration) {
	b.t.Helper()
	b.atMost("slowest 2xx s", quantile(b.accepted(), 1).Seconds(), limit.Seconds()*b.plan.patience)
	b.refusesOnlyWith503(limit)
}

// accepted is how long each post took that was taken since the fault began, sorted.
func (b *bench) accepted() (took []time.Duration) {
	_, acks := b.gen.books()
	for _, a := range acks {
		if !a.From.Before(b.began) {
			took = append(took, a.At.Sub(a.From))
		}
	}
	slices.Sort(took)
	return took
}

// refusesOnlyWith503 judges the posts that were not taken; those without Retry-After
// are judged in every verdict.
func (b *bench) refusesOnlyWith503(limit time.Duration) {
	b.t.Helper()
	refused := b.gen.refusals()
	b.figure("refused %v", refused)
	b.atMost("slowest refusal s", b.gen.slowest.Seconds(), limit.Seconds()*b.plan.patience)
	for status, n := range refused {
		switch status {
		case http.StatusServiceUnavailable:
		case nobodyThere:
			b.fail("%d posts found nobody, want 503", n)
		case noAnswer:
			b.fail("%d posts had no answer, want 503", n)
		default:
			b.fail("%d posts answered %d, want 503", n, status)
		}
	}
}

// keepingRedis kills a Redis that keeps its tasks, in each of the ways in which
// it can, and starts it at once: what it remembers may be old. Few workers and a
// slow vendor leave some tasks waiting there each time. A snapshot is written some
// seconds before the end, so that what it remembers is old for certain.
func keepingRedis(b *bench) {
	forgetful := b.redis.args
	b.p1.always(b.p1.well(300 * time.Millisecond))
	l := b.gen.run("f21", b.plan.rate)
	long := b.span(20*time.Second, 5*time.Second)
	for i, mode := range [][]string{
		{"--appendonly", "yes", "--appendfsync", "everysec"},
		{"--appendonly", "yes", "--appendfsync", "always"},
		{"--appendonly", "no", "--save", "3600 1 300 100 60 10000"},
	} {
		dir := filepath.Join(b.dir, "redis"+strconv.Itoa(i))
		b.must(os.Mkdir(dir, 0o700))
		b.redis.kill()
		b.redis.args = append(slices.Clone(forgetful), append(mode, "--dir", dir)...)
		b.must(b.redis.up())
		if slices.Contains(mode, "--save") {
			b.rest(3 * time.Second)
			b.snapshot(dir)
		}
		b.rest(long)
		b.redis.kill()
		b.remembers(strings.Join(mode, " "))
		b.rest(b.span(20*time.Second, 4*time.Second))
	}
	l.end()
	b.gateKeepsAnswering(time.Second)
}

// snapshot lets Redis write what it holds. By its own rules it would do so after a
// minute at the soonest, and no fault lets it live that long.
func (b *bench) snapshot(dir string) {
	b.t.Helper()
	b.say("BGSAVE")
	b.within(10*time.Second, "the snapshot is written", func() bool {
		_, err := os.Stat(filepath.Join(dir, "dump.rdb"))
		return err == nil
	})
}

// remembers starts a Redis that was killed and judges that it has something of what
// it was told. Nobody may reach it before it is asked: they would all write to it anew.
func (b *bench) remembers(mode string) {
	b.t.Helper()
	for _, line := range b.to("redis") {
		line.part()
	}
	b.must(b.redis.up())
	said, err := b.redis.say("DBSIZE")
	b.must(err)
	keys, _ := strconv.ParseFloat(strings.TrimPrefix(said, ":"), 64)
	for _, line := range b.to("redis") {
		line.heal()
	}
	b.atLeast("keys kept by "+mode, keys, 1)
}

// fullRedis lets Redis take a little more, and then nothing whatever becomes free,
// while leads come in. Then it is told to throw away what it likes: a worker that starts must say so.
func fullRedis(b *bench) {
	used := 0
	for _, line := range b.redis.lines("INFO memory") {
		if n, ok := strings.CutPrefix(line, "used_memory:"); ok {
			used, _ = strconv.Atoi(n)
		}
	}
	b.say("CONFIG SET maxmemory " + strconv.Itoa(used+10_000))
	began, spent := time.Now(), b.workers[0].cpu()+b.workers[1].cpu()
	l := b.gen.run("f25", b.plan.rate)
	half := time.Duration(float64(b.times(5_000, 75)) / b.plan.rate * float64(time.Second))
	b.rest(half)
	b.say("CONFIG SET maxmemory " + strconv.Itoa(used/2))
	b.rest(half)
	l.end()
	full := 0.0
	for _, line := range b.redis.lines("INFO errorstats") {
		if n, ok := strings.CutPrefix(line, "errorstat_OOM:count="); ok {
			full, _ = strconv.ParseFloat(n, 64)
		}
	}
	b.atLeast("commands that a full Redis refused", full, 10)
	spent = b.workers[0].cpu() + b.workers[1].cpu() - spent
	b.atMost("processors that the workers took", spent.Seconds()/time.Since(began).Seconds(), 0.3)
	b.gateKeepsAnswering(time.Second)
	b.atMost("posts refused", float64(total(b.gen.refusals())), 0)
	b.say("CONFIG SET maxmemory 0")
	b.drain()
	b.say("CONFIG SET maxmemory-policy allkeys-lru")
	w := b.workers[0]
	w.kill()
	b.must(w.start())
	b.within(20*time.Second, "a worker that starts tells of the eviction", func() bool {
		return b.logged(w, `"level":"ERROR"`) > 0 && b.logged(w, "allkeys-lru") > 0
	})
	b.say("CONFIG SET maxmemory-policy noeviction")
}

// oldRedis says to one worker that it is of a version which lacks what the queue
// needs: that worker must refuse to start, with a line that says why.
func oldRedis(b *bench) {
	l := b.gen.run("f28", b.plan.rate)
	w := b.workers[0]
	w.kill()
	said := 0
	for _, line := range b.redis.lines("INFO server") {
		if version, ok := strings.CutPrefix(line, "redis_version:"); ok {
			b.lines["redis "+w.name].edit(false, line, "redis_version:6.0."+strings.Repeat("1", len(version)-len("6.0.")))
			said++
		}
	}
	b.atLeast("versions that Redis tells", float64(said), 1)
	began := time.Now()
	b.must(w.start())
	select {
	case <-w.end:
		w.forgive()
		b.figure("refused after %.1fs", time.Since(began).Seconds())
	case <-time.After(10 * time.Second):
		b.fail("a worker runs on a Redis of version 6.0")
	}
	if w.running() || w.err == nil || b.logged(w, "is older than 6.2, which the queue needs") == 0 {
		b.fail("refused without a word: %v", w.err)
	}
	l.end()
}

// restartPostgres ends the database in three ways while leads come in.
func restartPostgres(b *bench) {
	l := b.gen.run("f40", b.plan.rate)
	var slowest time.Duration
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} { // fast, immediate, no goodbye
		for _, blow := range blows(b.chance, b.times(10, 1), 5*time.Second, 1) {
			b.rest(blow.after)
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
	b.refusesOnlyWith503(time.Second)
	b.atMost("first lead after s", slowest.Seconds(), 5)
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

// clash ends two of forty transactions in a row as Postgres ends one of two that
// lock each other: whoever comes again is refused once more.
const clash = `CREATE SEQUENCE drill_clash;
	CREATE FUNCTION drill_clash() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE n bigint := nextval('drill_clash');
	BEGIN
		IF n % 40 = 0 THEN RAISE EXCEPTION 'drill' USING ERRCODE = '40P01'; END IF;
		IF n % 40 = 1 THEN RAISE EXCEPTION 'drill' USING ERRCODE = '40001'; END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER drill_clash AFTER INSERT ON leads FOR EACH STATEMENT EXECUTE FUNCTION drill_clash();
	CREATE TRIGGER drill_clash AFTER INSERT ON decisions FOR EACH STATEMENT EXECUTE FUNCTION drill_clash();
	CREATE TRIGGER drill_clash AFTER INSERT OR UPDATE ON companies FOR EACH STATEMENT EXECUTE FUNCTION drill_clash()`

// clashes lets transactions about a few companies fail in one another's favour.
// Nobody outside may notice, and what is known of the companies must be whole.
func clashes(b *bench) {
	const few = 5
	_, err := b.pg.db.ExecContext(b.ctx, clash)
	b.must(err)
	l := b.gen.stream(2*b.plan.rate, func(i int) (key, domain string) {
		return "f43-" + strconv.Itoa(i), "f43-" + strconv.Itoa(i%few) + ".example"
	})
	b.rest(b.span(5*time.Minute, 20*time.Second))
	l.end()
	b.drain()
	last := b.sql(`SELECT last_value FROM drill_clash`)
	b.figure("transactions %.0f, refused %.0f", last, 2*float64(int(last)/40))
	b.atLeast("transactions", last, 80)
	b.atMost("posts refused", float64(total(b.gen.refusals())), 0)
	b.atMost("leads that had to wait for another try", float64(b.complaints("step parked")), 0)
	whole := b.sql(`SELECT count(*) FROM companies WHERE domain LIKE 'f43-_.example' AND facts LIKE '%420%' AND facts LIKE '%software%'`)
	b.atLeast("companies that are whole", whole, few)
	_, err = b.pg.db.ExecContext(b.ctx, `DROP FUNCTION drill_clash CASCADE`)
	b.must(err)
}

// lockLeads holds the table of leads: the gate must refuse after a few seconds, not
// hang until the lock goes.
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
	b.gateKeepsAnswering(3500 * time.Millisecond)
	b.atLeast("posts refused", float64(total(b.gen.refusals())), 1)
}
