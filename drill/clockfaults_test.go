package drill

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// clockFaults are wrong clocks (F80).
func clockFaults() []fault {
	return []fault{{id: "F80", name: "clocks that are wrong", limit: leadLimit, spoil: true, setup: func(b *bench) {
		for name, offset := range map[string]string{"worker1": "10m", "worker2": "-10m", "web": "1h"} {
			b.more[name] = "GALENA_DRILL_CLOCK_OFFSET=" + offset
		}
	}, cause: wrongClocks}}
}

// belowZero is a time in the metrics that cannot be.
var belowZero = regexp.MustCompile(`(?m)^galena_[a-z_]*seconds\S* -.*$`)

// buried writes down each step whose worker is taken for dead.
const buried = `CREATE TABLE drill_dead (kind text, id text);
	CREATE FUNCTION drill_buried() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO drill_dead VALUES (NEW.kind, NEW.id);
		RETURN NEW;
	END $$;
	CREATE TRIGGER drill_buried AFTER UPDATE ON steps FOR EACH ROW WHEN (NEW.kills > OLD.kills) EXECUTE FUNCTION drill_buried()`

// wrongClocks lets leads go through processes whose clocks are far apart: no
// living worker may be taken for dead, no due time be another process's. What
// waits for a vendor is looked at again by whoever comes first.
func wrongClocks(b *bench) {
	_, err := b.pg.db.ExecContext(b.ctx, buried)
	b.must(err)
	from := time.Now()
	b.loaded(b.span(5*time.Minute, 20*time.Second))
	b.p1.always(status(http.StatusInternalServerError))
	b.loaded(b.span(time.Minute, 8*time.Second))
	b.drain()
	b.atMost("steps whose worker was taken for dead", b.sql(`SELECT count(*) FROM drill_dead`), 0)
	b.atMost("leads decided before they came", b.sql(`SELECT count(*) FROM leads WHERE decided_at > 0 AND decided_at < created_at`), 0)
	b.atMost("leads of another time", b.sql(`SELECT count(*) FROM leads WHERE created_at > extract(epoch FROM clock_timestamp()) * 1e6
		OR created_at < (extract(epoch FROM clock_timestamp()) - $1) * 1e6`, time.Since(from).Seconds()+120), 0)
	b.figure("second looks %.0f", b.sql(`SELECT count(*) FROM steps WHERE kind = 'lead:complete'`))
	b.atLeast("steps that wait", b.sql(`SELECT count(*) FROM steps WHERE state = 'waiting'`), 1)
	b.atMost("of them due at another time", b.sql(`SELECT count(*) FROM steps WHERE state = 'waiting'
		AND abs(due_at / 1e6 - extract(epoch FROM clock_timestamp())) > 300`), 0)
	for _, p := range b.ours() {
		if below := belowZero.FindAllString(b.metrics(p), -1); len(below) > 0 {
			b.fail("%s tells of times below zero: %s", p.name, strings.Join(below, ", "))
		}
	}
	_, err = b.pg.db.ExecContext(b.ctx, `DROP FUNCTION drill_buried CASCADE`)
	b.must(err)
}
