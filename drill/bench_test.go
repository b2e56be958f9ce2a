package drill

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plan is what one run of drills has in common.
type plan struct {
	programs programs
	galena   string // the built program
	spoiled  string // the same, built so that it can be broken from inside
	seed     uint64
	scale    float64 // of the durations that the promises are written with
	rate     float64 // leads per second where a fault does not say
	patience float64 // how much later than its limit a lead may be: the machine is shared
}

// bench is one installation with everything around it, for one fault.
type bench struct {
	t      *testing.T
	ctx    context.Context // ends when the run is interrupted
	plan   plan
	galena string // the program of this bench
	id     string
	dir    string
	dice   *dice
	chance *rand.Rand // throws them

	pg          *postgres
	redis       *redis
	lines       map[string]*proxy // "pg web", "redis worker1": from each process to each store
	p1, p2      *vendor
	urls        map[string]string // of a vendor, where a fault wants another
	allowed     []string          // private addresses beside the bench's own
	more        map[string]string // settings of single processes: "worker1" and "NAME=value"
	queue       string            // the URL of another Redis than the bench's own, "" = ours behind a proxy
	pace        map[string]string // of a vendor, as its entry of the catalogue says it
	pool        string            // what is added to the database's URL
	concurrency int               // of a worker, 0 = 64
	notify      string            // notify.yaml, "" = none
	sink        *sink
	others      []*sink // further ones that a fault wants
	fleet       []*redis
	gen         *generator
	web         *process
	scheduler   *process
	workers     []*process
	ports       map[*process]string // of the metrics

	patience     time.Duration // until all is drained, where a fault needs more than usual
	aside        bool          // what workers die on stays put aside: the fault looks at it
	replayed     int           // steps that chance had put aside and that were run again
	began, ended time.Time     // the part of the load that the limit judges
	loads        int           // each has leads of its own
	faults       []string
	figures      []string
}

const token = "bootstrap-token-of-the-drill-0123456789"

// newBench makes an installation that is not started yet.
func newBench(t *testing.T, p plan, id string) *bench {
	t.Helper()
	dir, err := os.MkdirTemp("", "galena-drill-"+id+"-") //nolint:usetesting // what failed is kept, and Postgres must get in
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres runs as somebody else
		t.Fatal(err)
	}
	b := &bench{t: t, plan: p, galena: p.galena, id: id, dir: dir, lines: map[string]*proxy{}, urls: map[string]string{}, pace: map[string]string{}, more: map[string]string{},
		ports: map[*process]string{}, dice: newDice(p.seed, id)}
	b.chance = rand.New(b.dice)
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	b.ctx = ctx
	t.Cleanup(func() {
		stop()
		b.close()
	})
	b.must(b.open())
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", b.id, err)
	}
}

func (b *bench) open() (err error) {
	if b.pg, err = newPostgres(b.plan.programs, b.dir); err != nil {
		return err
	}
	if b.redis, err = newRedis(b.plan.programs, b.dir); err != nil {
		return err
	}
	if b.p1, err = newVendor(b.dir, "p1", `{"company.employee_count": 420}`); err != nil {
		return err
	}
	if b.p2, err = newVendor(b.dir, "p2", `{"company.industry": "software", "company.hq_country": "US"}`); err != nil {
		return err
	}
	b.sink, err = newSink(b.dir, "sink")
	return err
}

// close ends every process; the folder stays only where something failed.
func (b *bench) close() {
	for _, p := range b.ours() {
		if p != nil {
			p.kill()
		}
	}
	if b.redis != nil {
		b.redis.kill()
	}
	if b.pg != nil {
		_ = b.pg.db.Close()
		b.pg.kill()
	}
	for _, l := range b.lines {
		if l != nil {
			l.close()
		}
	}
	for _, v := range []*vendor{b.p1, b.p2} {
		if v != nil {
			v.close()
		}
	}
	if b.sink != nil {
		b.sink.close()
	}
	if b.t.Failed() {
		_ = os.RemoveAll(filepath.Join(b.dir, "pg"))
		b.t.Logf("%s: the logs and ledgers are in %s", b.id, b.dir)
		return
	}
	_ = os.RemoveAll(b.dir)
}

// vendorEntry is p1's or p2's line of the catalogue.
func (b *bench) vendorEntry(id, fields string) string {
	return fmt.Sprintf("    - {id: %s, adapter: fixture, cost_cents: 1, billing: per_call, p95_ms: 50, trust: 0.8, %s fields: {%s}}\n", id, b.pace[id], fields)
}

// start brings up the schema, then web, two workers and the scheduler.
func (b *bench) start() {
	b.t.Helper()
	configs := filepath.Join(b.dir, "configs")
	b.must(os.Mkdir(configs, 0o700))
	catalogue := "apiVersion: galena/v1\nkind: Providers\nspec:\n  providers:\n" +
		b.vendorEntry("p1", "company.employee_count: 0.95") +
		b.vendorEntry("p2", "company.industry: 0.95, company.hq_country: 0.95") +
		"  limits: {per_lead_cents: 15, per_day_cents: 100000000, interactive_deadline_ms: 2200}\n  audit: {share: 0}\n"
	b.must(os.WriteFile(filepath.Join(configs, "providers.yaml"), []byte(catalogue), 0o600))
	if b.notify != "" {
		b.must(os.WriteFile(filepath.Join(configs, "notify.yaml"), []byte(b.notify), 0o600))
	}
	if out, err := b.command("migrate"); err != nil {
		b.t.Fatalf("%s: galena migrate: %v\n%s", b.id, err, out)
	}
	addr, _ := freePort()
	b.web = b.process("web", "GALENA_ADDR="+addr)
	b.scheduler = b.process("scheduler")
	for i := range 2 {
		b.workers = append(b.workers, b.process("worker"+strconv.Itoa(i+1)))
	}
	var err error
	b.gen, err = newGenerator(b.dir, "http://"+addr, token)
	b.must(err)
	b.within(time.Minute, "web is ready", func() bool { return statusOf("http://"+addr+"/readyz") == http.StatusOK })
	for _, w := range b.workers {
		b.within(time.Minute, w.name+" is up", func() bool { return b.metrics(w) != "" })
	}
}

// command runs a galena to its end, as an operator would, and returns what it says.
func (b *bench) command(args ...string) (string, error) {
	b.t.Helper()
	cmd := exec.CommandContext(b.ctx, b.galena, args...)
	cmd.Env = b.env("operator")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// process starts a galena in a role: the first word of the name up to a digit.
func (b *bench) process(name string, more ...string) *process {
	b.t.Helper()
	port, _ := freePort()
	p := &process{name: name, path: b.galena, args: []string{strings.TrimRight(name, "0123456789")}, dir: b.dir,
		env: append(b.env(name), append(more, "GALENA_METRICS_ADDR="+port)...)}
	b.ports[p] = port
	b.must(p.start())
	return p
}

// ours are the processes of galena.
func (b *bench) ours() []*process {
	return append([]*process{b.web, b.scheduler}, b.workers...)
}

// stores are the servers that they need.
func (b *bench) stores() []*process {
	all := []*process{&b.pg.process, &b.redis.process}
	for _, r := range b.fleet {
		all = append(all, &r.process)
	}
	return all
}

// line is the address of a process's proxy to a store, which is made for it.
func (b *bench) line(store, name, target string) string {
	b.t.Helper()
	key := store + " " + name
	if b.lines[key] == nil {
		p, err := newProxy(target, rand.New(rand.NewPCG(b.plan.seed, hashOf(b.id+key))))
		b.must(err)
		b.lines[key] = p
	}
	return b.lines[key].addr()
}

// to are the lines of every process to a store.
func (b *bench) to(store string) (out []*proxy) {
	for _, key := range slices.Sorted(maps.Keys(b.lines)) {
		if strings.HasPrefix(key, store+" ") {
			out = append(out, b.lines[key])
		}
	}
	return out
}

// env is what a process is given. Each is told an own path of the vendors, so
// that their ledgers say who asked.
func (b *bench) env(name string) []string {
	b.t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "GALENA_") || strings.HasPrefix(kv, "DATABASE_URL=") || strings.HasPrefix(kv, "REDIS_URL=") || strings.HasPrefix(kv, "PORT=")
	})
	if b.more[name] != "" {
		env = append(env, b.more[name])
	}
	queue := b.queue
	if queue == "" {
		queue = "redis://" + b.line("redis", name, b.redis.addr) + "/0"
	}
	env = append(env,
		"GALENA_DATABASE_URL="+b.pg.url(b.line("pg", name, b.pg.addr))+b.pool, "GALENA_REDIS_URL="+queue,
		"GALENA_SECRET_KEY=a-secret-of-the-drill", "GALENA_BOOTSTRAP_TOKEN="+token,
		"GALENA_ALLOW_RESERVED_DOMAINS=true", "GALENA_DNS=off", "GALENA_LOG_FORMAT=json",
		"GALENA_ALLOW_PRIVATE_TARGETS="+strings.Join(append([]string{b.p1.addr(), b.p2.addr(), b.sink.addr}, b.allowed...), ","),
		"GALENA_WEBHOOK_URL=http://"+b.sink.addr, "GALENA_WEBHOOK_SECRET="+sinkSecret,
		"GALENA_CONFIG_DIR="+filepath.Join(b.dir, "configs"), "GALENA_WORKER_CONCURRENCY="+strconv.Itoa(cmp.Or(b.concurrency, 64)), "DRILL_HOOK_SECRET="+sinkSecret)
	for id, v := range map[string]*vendor{"p1": b.p1, "p2": b.p2} {
		base := b.urls[id]
		if base == "" {
			base = "http://" + v.addr() + "/" + name
		}
		env = append(env, "GALENA_PROVIDER_"+strings.ToUpper(id)+"_URL="+base)
	}
	return env
}

func statusOf(url string) int {
	client := &http.Client{Timeout: 2 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// metrics are the figures of one process, "" while it does not answer.
func (b *bench) metrics(p *process) string { return b.private(p, "/metrics") }

// private reads what a process says of itself to ops alone.
func (b *bench) private(p *process, path string) string {
	client := &http.Client{Timeout: 2 * time.Second}
	res, err := client.Get("http://" + b.ports[p] + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	return string(raw)
}

// logged counts a text in all that a process has said.
func (b *bench) logged(p *process, text string) int {
	b.t.Helper()
	log, err := os.ReadFile(filepath.Join(b.dir, p.name+".log"))
	b.must(err)
	return strings.Count(string(log), text)
}

// gauge reads one figure of a process, -1 when it does not say.
func (b *bench) gauge(p *process, name string) float64 {
	m := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(name) + " ([0-9.e+-]+)$").FindStringSubmatch(b.metrics(p))
	if m == nil {
		return -1
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return -1
	}
	return f
}

// The states of a breaker as the metrics show them.
const (
	shut = 0
	open = 2
)

func (b *bench) breaker(p *process, provider string) float64 {
	return b.gauge(p, `galena_breaker_state{provider="`+provider+`"}`)
}

// kilobytesOf reads a line of /proc/PID/status, 0 when there is none.
func kilobytesOf(status, name string) float64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			f, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return f
		}
	}
	return 0
}

// sql asks the database for one number, past every proxy.
func (b *bench) sql(query string, args ...any) float64 {
	b.t.Helper()
	var n *float64
	b.must(b.pg.db.QueryRowContext(b.ctx, query, args...).Scan(&n))
	if n == nil {
		return 0
	}
	return *n
}

// span is a duration of the promises at the scale of this run.
func (b *bench) span(d, least time.Duration) time.Duration {
	return max(time.Duration(float64(d)*b.plan.scale), least)
}

// times is a number of repetitions at the scale of this run.
func (b *bench) times(n, least int) int { return max(int(float64(n)*b.plan.scale), least) }

// rest lets time pass.
func (b *bench) rest(d time.Duration) {
	b.t.Helper()
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
		b.t.Fatalf("%s: interrupted", b.id)
	}
}

// within waits until something is so, and says how long that took.
func (b *bench) within(d time.Duration, what string, ok func() bool) time.Duration {
	b.t.Helper()
	began := time.Now()
	for time.Since(began) < d {
		if ok() {
			return time.Since(began)
		}
		b.rest(50 * time.Millisecond)
	}
	b.fail("not within %v: %s", d, what)
	return time.Since(began)
}

// fail notes what was promised and is not so, once.
func (b *bench) fail(format string, args ...any) {
	if msg := fmt.Sprintf(format, args...); !slices.Contains(b.faults, msg) {
		b.faults = append(b.faults, msg)
	}
}

// atMost fails when a figure is above its limit, and prints it.
func (b *bench) atMost(what string, got, limit float64) {
	b.figure("%s %.4g (<= %.4g)", what, got, limit)
	if got > limit {
		b.fail("%s: %.4g, may be %.4g", what, got, limit)
	}
}

// atLeast fails when a figure is below its limit, and prints it.
func (b *bench) atLeast(what string, got, limit float64) {
	b.figure("%s %.4g (>= %.4g)", what, got, limit)
	if got < limit {
		b.fail("%s: %.4g, must be %.4g", what, got, limit)
	}
}

// figure adds to the line of the fault.
func (b *bench) figure(format string, args ...any) {
	b.figures = append(b.figures, fmt.Sprintf(format, args...))
}
