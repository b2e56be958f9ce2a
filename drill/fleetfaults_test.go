package drill

import (
	"fmt"
	"strings"
	"time"
)

// fleetFaults are those of several processes that must agree (F88, F89).
func fleetFaults() []fault {
	return []fault{
		{id: "F88", name: "two schedulers, the leader killed", cause: twoSchedulers},
		{id: "F89", name: "workers of two versions", cause: twoVersions},
	}
}

// ticked writes down each run of a periodic job that somebody begins.
const ticked = `CREATE TABLE drill_ticks (name text, tick bigint, holder text, at timestamptz DEFAULT clock_timestamp());
	CREATE FUNCTION drill_ticked() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF TG_OP = 'INSERT' OR NEW.ran_at <> OLD.ran_at THEN
			INSERT INTO drill_ticks (name, tick, holder) VALUES (NEW.name, NEW.tick, NEW.holder);
		END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER drill_ticked AFTER INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION drill_ticked()`

// tick is how often the sweep is due (worker/sweep.go).
const tick = time.Second

// twoSchedulers counts the ticks of the sweep. In the middle of one, in the
// middle of the count, the scheduler that runs it is killed for good.
func twoSchedulers(b *bench) {
	ticks := float64(b.times(60, 8))
	_, err := b.pg.db.ExecContext(b.ctx, ticked)
	b.must(err)
	count := func() float64 { return b.sql(`SELECT count(*) FROM drill_ticks WHERE name = 'sweep'`) }
	b.within(20*time.Second, "the first tick", func() bool { return count() >= 1 })
	var first string
	b.must(b.pg.db.QueryRowContext(b.ctx, `SELECT holder FROM drill_ticks WHERE name = 'sweep'`).Scan(&first))
	second := b.process("scheduler2")
	b.workers = append(b.workers, second) // healed and ended like them
	l := b.gen.run("f88", b.plan.rate)
	patience := time.Duration(ticks+4) * tick
	b.within(patience, "half of the ticks", func() bool { return count() >= ticks/2 })
	b.killTheLeader(first, second, count)
	b.within(patience, "all ticks", func() bool { return count() >= ticks })
	l.end()
	b.judgeTicks()
	_, err = b.pg.db.ExecContext(b.ctx, `DROP FUNCTION drill_ticked CASCADE`)
	b.must(err)
}

// judgeTicks holds what ran against what was due. Where the sweep is due at other
// times than the drill thinks, no other figure would mean anything.
func (b *bench) judgeTicks() {
	b.t.Helper()
	nearest := b.sql(`SELECT min(d) / 1e6 FROM (SELECT tick - lag(tick) OVER (ORDER BY tick) AS d
		FROM (SELECT DISTINCT tick FROM drill_ticks WHERE name = 'sweep') AS t) AS x`)
	if nearest != tick.Seconds() {
		b.fail("the nearest ticks are %v s apart, the drill counts in %v", nearest, tick)
	}
	b.atMost("ticks that ran twice", b.sql(`SELECT count(*) - count(DISTINCT tick) FROM drill_ticks WHERE name = 'sweep'`), 0)
	b.atMost("ticks that nobody ran", b.sql(`SELECT (max(tick) - min(tick)) / $1 + 1 - count(DISTINCT tick) FROM drill_ticks WHERE name = 'sweep'`, tick.Microseconds()), 0)
	b.atMost("latest tick s", b.sql(`SELECT max(extract(epoch FROM at) - tick / 1e6) FROM drill_ticks WHERE name = 'sweep'`), (2 * tick).Seconds())
	b.atLeast("schedulers that ran some", b.sql(`SELECT count(DISTINCT holder) FROM drill_ticks WHERE name = 'sweep'`), 2)
}

// killTheLeader holds the next sweep up by a lock, and kills who runs it.
func (b *bench) killTheLeader(first string, second *process, count func() float64) {
	b.t.Helper()
	tx, err := b.pg.db.BeginTx(b.ctx, nil)
	b.must(err)
	_, err = tx.ExecContext(b.ctx, `LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE`)
	b.must(err)
	n := count()
	b.within(10*time.Second, "the next tick", func() bool { return count() > n })
	var holder string
	b.must(b.pg.db.QueryRowContext(b.ctx, `SELECT holder FROM drill_ticks WHERE name = 'sweep' ORDER BY tick DESC LIMIT 1`).Scan(&holder))
	leader := second
	if holder == first {
		leader = b.scheduler
	}
	leader.kill()
	b.must(tx.Rollback())
	b.figure("%s killed at tick %.0f", leader.name, n+1)
}

// A task says in its payload which version wrote it, and in its type what is to
// be done. Another version is made of ours on the line to Redis.
const (
	ourVersion, nextVersion = `{"v":1,`, `{"v":2,`
	ourKind, nextKind       = "lead:created", "lead:creatad"
)

// twoVersions lets web and scheduler be of the next version: a worker of ours
// puts back what it does not know, until one of the next version takes it.
func twoVersions(b *bench) {
	old, next := b.workers[0], b.workers[1]
	for i, change := range [][2]string{{ourVersion, nextVersion}, {ourKind, nextKind}} {
		next.kill()
		for _, p := range []*process{b.web, b.scheduler, next} {
			line := b.lines["redis "+p.name]
			line.edit(true, change[0], change[1])
			line.edit(false, change[1], change[0])
		}
		from, tag := time.Now(), fmt.Sprintf("f89-%d", i)
		l := b.gen.run(tag, b.plan.rate)
		b.rest(b.span(time.Minute, 15*time.Second))
		ours := 0.0 // its own relay may have made a task of ours of some
		for _, e := range b.sink.events() {
			if e.Type == eventRouted && strings.HasPrefix(e.Caller, tag+"-") {
				ours++
			}
		}
		b.atMost("share decided by a worker that cannot know", ours/float64(b.posted(from, time.Now())), 0.2)
		b.must(next.start())
		b.rest(time.Duration(float64(b.times(1000, 50)) / b.plan.rate * float64(time.Second)))
		l.end()
		b.drain()
		b.figure("%d leads by %s", b.posted(from, time.Now()), next.name)
		for _, line := range b.to("redis") {
			line.heal()
		}
	}
	b.rest(6 * time.Second) // what rests in the queue under the other name is looked at again
	b.nothingArchived()
	if !old.running() {
		b.fail("%s died of what it does not know", old.name)
	}
	b.atMost("leads that had to wait for another try", float64(b.complaints("step parked")), 0)
}
