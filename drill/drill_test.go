package drill

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is one way to break the installation.
type fault struct {
	id    string
	name  string
	limit time.Duration // from the post to the sink, for leads posted while the fault lasts; 0 = only never lost
	short bool          // runs in make test too
	spoil bool          // needs a build that can be broken from inside
	setup func(*bench)  // before anything is started
	cause func(*bench)  // breaks, looks and heals; posts its own load
}

// faults are all that the drill knows to do.
func faults() []fault {
	return slices.Concat(processFaults(), leadFaults(), roomFaults(), fleetFaults(), queueFaults(), storeFaults(), vendorFaults(), outageFaults(), sinkFaults(), clockFaults(), startFaults(), redisFleetFaults())
}

// drain is how long the last lead may take once everything is healed.
const drain = 180 * time.Second

// run does one fault from a clean installation to its verdict.
func (f fault) run(t *testing.T, p plan) string {
	t.Helper()
	began := time.Now()
	b := newBench(t, p, f.id)
	if f.spoil {
		b.galena = p.spoiled
	}
	if f.setup != nil {
		f.setup(b)
	}
	b.start()
	b.steady("before", f)
	b.began = time.Now()
	f.cause(b)
	b.ended = time.Now()
	b.heal()
	b.drain()
	if p.patience == 1 {
		b.steady("after", f)
	}
	line := b.verdict(f) + fmt.Sprintf("; seed %d, chance %s, took %.0fs", p.seed, b.dice, time.Since(began).Seconds())
	for _, msg := range b.faults {
		t.Errorf("%s: %s", f.id, msg)
	}
	return line
}

// steady is the claim that holds before and after a fault: a minute of leads,
// 95 of 100 routed within 3 s, none refused. A run that begins in no such state
// would prove nothing.
func (b *bench) steady(when string, f fault) {
	b.t.Helper()
	began, refusedBefore := time.Now(), total(b.gen.refusals())
	l := b.gen.run(strings.ToLower(f.id)+"-"+when, b.plan.rate)
	b.rest(b.span(time.Minute, 4*time.Second))
	l.end()
	b.drain()
	all, acks := b.gen.books()
	c := count(all, acks, b.sink.events(), began, time.Now(), 0)
	p95 := quantile(c.Waits, 0.95)
	b.figure("%s p95 %.2fs", when, p95.Seconds())
	if when == "before" { // later it may have had its reason
		b.atMost("events told again although nothing is broken", float64(c.Again), 0)
	}
	limit := time.Duration(3 * b.plan.patience * float64(time.Second))
	if refused := total(b.gen.refusals()) - refusedBefore; p95 > limit || refused > 0 || len(c.Waits) == 0 {
		if when == "before" {
			b.t.Fatalf("%s is void: before the fault p95 is %v and %d of %d posts were refused", b.id, p95, refused, len(c.Waits))
		}
		b.fail("%s the fault p95 is %v (limit %v) and %d posts were refused", when, p95, limit, refused)
	}
}

func total(refusals map[int]int) (n int) {
	for _, m := range refusals {
		n += m
	}
	return n
}

// heal ends every fault that a bench can have.
func (b *bench) heal() {
	b.t.Helper()
	b.p1.heal()
	b.p2.heal()
	b.sink.heal()
	for _, l := range b.lines {
		l.heal()
	}
	b.must(b.pg.up())
	b.must(b.redis.up())
	for _, p := range b.ours() {
		if !p.running() { // one that the drill left ended, or one that the verdict tells of
			b.must(p.start())
		}
	}
	b.within(time.Minute, "web is ready again", func() bool { return statusOf(b.gen.base+"/readyz") == 200 })
}

// drain waits until every acked lead is routed. A lead that chance let be there
// when three workers died is put aside as if it had killed them; as an operator
// would, the drill runs it again.
func (b *bench) drain() {
	b.t.Helper()
	var left int
	patience := max(drain, b.patience)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); b.rest(100 * time.Millisecond) {
		if !b.aside && b.sql(`SELECT count(*) FROM steps WHERE state = 'failed' AND error_kind = 'killed'`) > 0 {
			b.replay("--reason", "killed")
		}
		all, acks := b.gen.books()
		left = count(all, acks, b.sink.events(), time.Time{}, time.Now(), 0).Lost
		if left == 0 {
			return
		}
	}
	b.figure("not drained after %v: %d left", patience, left)
}

// replay runs again what was put aside.
func (b *bench) replay(which ...string) {
	b.t.Helper()
	out, err := b.command(append([]string{"steps", "replay", "--json"}, which...)...)
	if err != nil {
		b.fail("galena steps replay: %v: %s", err, out)
		return
	}
	var told struct{ Replayed int }
	b.must(json.Unmarshal([]byte(out[strings.LastIndex(out, "{"):]), &told))
	b.replayed += told.Replayed
}

// verdict judges what must hold after every fault and words the line.
func (b *bench) verdict(f fault) string {
	b.t.Helper()
	limit := time.Duration(float64(f.limit) * b.plan.patience)
	all, acks := b.gen.books()
	c := count(all, acks, b.sink.events(), b.began, b.ended, limit)
	twice := int(b.sql(`SELECT count(*) - count(DISTINCT external_id) FROM leads`))
	stuck := int(b.sql(`SELECT count(*) FROM steps WHERE state = 'failed'`))
	for what, n := range map[string]int{"leads lost": c.Lost, "leads unexpected": c.Unexpected, "leads notified twice": c.Doubled,
		"leads stored twice": twice, "leads late": c.Late, "events with a bad signature": c.Forged, "steps failed for good": stuck,
		"posts never accepted": c.Sent - c.Acked, "refusals without Retry-After": b.gen.bare} {
		if n > 0 {
			b.fail("%d %s", n, what)
		}
	}
	for _, p := range slices.Concat(b.ours(), b.stores()) {
		if p.deaths.Load() > 0 {
			b.fail("%s died by itself", p.name)
		}
	}
	if b.replayed > 0 {
		b.figure("run again by hand %d", b.replayed)
	}
	result := "PASS"
	if len(b.faults) > 0 {
		result = "FAIL: " + strings.Join(b.faults, "; ")
	}
	late := "late -"
	if limit > 0 {
		late = fmt.Sprintf("late %d (limit %v)", c.Late, limit)
	}
	return fmt.Sprintf("%-4s %-34s sent %d lost %d dup %d again %d unexpected %d recovered %d %s p50 %.2fs p99 %.2fs max %.2fs | %s | %s",
		f.id, f.name, c.Sent, c.Lost, c.Doubled+twice, c.Again, c.Unexpected, c.Recovered, late,
		quantile(c.Waits, 0.5).Seconds(), quantile(c.Waits, 0.99).Seconds(), quantile(c.Waits, 1).Seconds(), strings.Join(b.figures, ", "), result)
}

// build makes the program once for all faults.
func build(t *testing.T, tags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "galena"+tags)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-o", path, "../cmd/galena")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// TestAFewFaultsLoseNothing is the drill's short form: what a change may break
// first is told by make test, in less than three minutes.
func TestAFewFaultsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Log("the drill needs real stores and a minute: run make test")
		return
	}
	programs, err := findPrograms()
	if err != nil {
		if os.Getenv("CI") != "" || os.Getenv("TEST_FULL") != "" {
			t.Fatal(err)
		}
		t.Log(err)
		return
	}
	p := plan{programs: programs, galena: build(t, ""), seed: 1, scale: 0, rate: 5, patience: 4}
	for _, f := range faults() {
		if f.short {
			t.Run(f.id, func(t *testing.T) { t.Log(f.run(t, p)) })
		}
	}
}
