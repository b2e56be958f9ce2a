package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/notify"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/redis"
	"github.com/galenahq/galena/sql"
	"github.com/galenahq/galena/worker"
)

// roles are the parts that a process plays; `serve` and the demo play them all.
type roles struct{ web, worker, scheduler bool }

// asks says that vendors are asked: for leads, or for whoever wants a company enriched.
func (r roles) asks() bool { return r.web || r.worker }

// settings are what an App is made of. The demo and a scenario replace the
// clock, the vendors and what happens after a decision; everything else is the
// same for all.
type settings struct {
	env     configs.Env
	rules   configs.Rules
	watched bool // the rules are those of GALENA_CONFIG_DIR and follow it
	roles   roles
	log     *slog.Logger
	key     []byte // GALENA_SECRET_KEY, or the generated one
	now     func() time.Time
	follows bool // the clock is put right by the database's
	decided func(context.Context, galena.Record)
	written func(lead string, plans []crm.Plan) // to the CRM; may be nil
	vendors *http.Client                        // nil = the guarded client
	urls    func(provider string) string
	specs   []providers.Spec // nil = the registry
	frozen  bool             // a scenario: time stands still inside a lead
	once    string           // one-time login
	// firstLook is how soon a decision made on too little is looked at again; 0 = the worker's own.
	firstLook time.Duration
}

// App is one process with its parts. Nothing is global: a test may run several.
type App struct {
	settings
	reg    *prometheus.Registry
	pepper []byte // of suppressed addresses and domains
	store  *sql.Store
	redis  *redis.Client
	herald *redis.Herald
	relay  *worker.Relay
	queue  *worker.Client
	book   *rulebook
	gate   *intake.Gate
	hands  *worker.Hands // leads after their assignment
	server *worker.Server
	public *httpServer // nil without the web role
	http   []*httpServer
	kept   bool // a worker that did not end in time still uses the stores
}

// newApp wires the parts. What it opened is closed again when it fails.
func newApp(ctx context.Context, s settings) (app *App, err error) {
	a := &App{settings: s, reg: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := a.open(ctx); err != nil {
		return nil, err
	}
	if err := a.derive(ctx); err != nil {
		return nil, err
	}
	if err := a.wireRules(ctx); err != nil {
		return nil, err
	}
	if err := a.adopt(ctx); err != nil {
		return nil, err
	}
	a.wireHands()
	if s.roles.worker {
		if err := a.wireWorker(); err != nil {
			return nil, err
		}
	}
	if err := a.wireGate(); err != nil {
		return nil, err
	}
	return a, a.wireHTTP(ctx)
}

// open connects the stores.
func (a *App) open(ctx context.Context) (err error) {
	if a.store, err = sql.Open(ctx, databaseURL(a.env), a.log, a.now); err != nil {
		return err
	}
	if a.follows {
		if err := a.store.SetClock(ctx); err != nil {
			return err
		}
		a.now = a.store.Now
	}
	if a.roles.web || a.roles.worker {
		a.store.Warm(ctx)
	}
	if a.redis, err = redis.Open(a.env.RedisURL.Reveal(), a.concurrency()+poolSpare, a.log); err != nil {
		return err
	}
	a.herald = redis.NewHerald(a.redis)
	a.queue = worker.NewClient(a.redis.Shared())
	a.queue.Tell = func(queue string) { a.herald.Tell(redis.TopicWork(queue)) }
	a.relay = worker.NewRelay(a.store, a.queue, a.log.With("part", "relay"))
	a.store.HandTo(a.relay)
	return nil
}

// derive makes the keys that follow from the secret one.
func (a *App) derive(context.Context) (err error) {
	a.pepper, err = suppressionPepper(a.key)
	return err
}

// suppressionPepper is what suppressed addresses and domains are hashed with.
func suppressionPepper(key []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "galena suppression", sha256.Size)
}

// poolSpare is how many Redis connections a process needs beside its workers.
const poolSpare = 20

// defaultConcurrency suits work that mostly waits for vendors.
const defaultConcurrency = 64

func (a *App) concurrency() int {
	if a.env.WorkerConcurrency > 0 {
		return a.env.WorkerConcurrency
	}
	return defaultConcurrency
}

// wireRules puts the rules in force and watches their files.
func (a *App) wireRules(ctx context.Context) error {
	client, err := providers.NewClient(a.env.AllowPrivateTargets)
	if err != nil {
		return err
	}
	if a.urls == nil {
		a.urls = a.env.ProviderURL
	}
	if a.specs == nil {
		a.specs = registry.All()
	}
	deps := providers.Deps{Specs: a.specs, Keys: a.env.ProviderKey, URLs: a.urls, Contact: a.env.Contact, Reachable: a.env.PublicURL != "", Client: a.vendors,
		Cache: a.store, Limiter: redis.NewLimiter(a.redis), Herald: a.herald, Registerer: a.reg, Published: !a.roles.worker,
		Chance: chance(a.frozen), Log: a.log.With("part", "providers"), Now: a.now, OnState: a.publish, Frozen: a.frozen}
	if deps.Client == nil {
		deps.Client = client
	}
	clock := time.Now // and never the demo's
	if a.follows {
		clock = a.now
	}
	a.book = &rulebook{store: a.store, dir: a.env.ConfigDir, log: a.log.With("part", "rules"), now: a.now,
		shop:    workshop{env: a.env, asks: a.roles.asks(), must: !a.roles.web || a.roles.worker, log: a.log.With("part", "rules"), guarded: client, providers: deps, clock: clock, frozen: a.frozen, reg: a.reg},
		adopted: func(set *ruleset) { a.follow(set) }}
	if a.roles.worker && !a.frozen {
		a.book.shop.scribe = func(c configs.CRM) (*scribe, error) {
			w := wires{env: a.env, client: client, limiter: redis.NewLimiter(a.redis), now: a.now}
			target, err := w.connect(c)
			if err != nil {
				return nil, err
			}
			return newScribe(target, a.store, a.now, a.publish, a.written, a.log.With("part", "crm")), nil
		}
	}
	if !a.frozen {
		a.book.history = a.store
	}
	if a.watched {
		a.book.watcher = configs.Watch(os.DirFS(a.env.ConfigDir), a.env.ConfigDir)
	}
	a.herald.Follow(a.heard)
	return a.book.adopt(ctx, a.rules)
}

// heard passes on what other processes say of a vendor's answers.
func (a *App) heard(topic string) {
	if w := a.book.current().waterfall; w != nil {
		w.Heard(topic)
	}
}

// follow hands a new set to the parts that do not ask for it at every turn.
func (a *App) follow(set *ruleset) {
	if a.gate != nil {
		a.gate.Use(set.judge)
	}
}

// queuePoll is how soon the server looks again once there was word of work.
const queuePoll = 200 * time.Microsecond

// wireWorker builds the pipeline and the server that feeds it.
func (a *App) wireWorker() error {
	log := a.log.With("part", "worker")
	screener, err := a.screener()
	if err != nil {
		return err
	}
	p := &worker.Pipeline{Screener: screener, Steps: a.store, Leads: a.store, Completions: a.store, Mover: a.store, Announce: announcer{a.book},
		Rules: a.book.begin, Wake: a.relay.Nudge, Decided: a.decided, Now: a.now,
		Chance: rand.Float64, FirstLook: a.firstLook, Metrics: worker.NewMetrics(a.reg), Log: log}
	if a.frozen {
		p.FirstLook = -1 // a second look would come between the leads of the play
	}
	d := &worker.Deliverer{Steps: a.store, Deliveries: a.store, Sender: sender{a.book}, Wait: a.patience(),
		Now: a.now, Chance: rand.Float64, Log: log}
	a.server = worker.NewServer(a.redis.Idle(worker.Queues(), a.herald), worker.ServerConfig{Concurrency: a.concurrency(), Poll: queuePoll}, p, d, log)
	a.relay.Near(a.server.Near())
	a.server.Watch(&worker.Watch{Hands: a.hands, Steps: a.store, Clocks: a.store, Chance: rand.Float64, Still: a.frozen})
	a.server.HandleRefreshes(&worker.Refresher{Steps: a.store, Holdings: a.store,
		Rules: p.Rules, Now: a.now, Chance: rand.Float64, Metrics: p.Metrics, Log: log})
	a.server.HandleAudits(&worker.Auditor{Pipeline: p, Audits: a.store})
	return nil
}

// lookup takes companies without a lead through the waterfall in force.
func (a *App) lookup() *worker.Lookup {
	return &worker.Lookup{Companies: a.store, Vetter: a.vetter(), Rules: a.book.begin, Now: a.now, Log: a.log.With("part", "lookup")}
}

// vetter judges companies by the lists in force.
func (a *App) vetter() intake.Companies {
	return intake.Companies{Judge: func() *intake.Judge { return a.book.current().judge }, Store: a.store, Pepper: a.pepper, Now: a.now}
}

// wireHands lets reps and clocks act on decided leads, in whatever process.
func (a *App) wireHands() {
	a.hands = &worker.Hands{Store: a.store, Tell: announcer{a.book}, Wake: a.relay.Nudge, Now: a.now,
		Router:  a.book.router,
		Metrics: worker.NewSLAMetrics(a.reg), Log: a.log.With("part", "hands")}
}

// screener is the DNS check, nil where it is off: lists decide in a scenario.
func (a *App) screener() (worker.Screener, error) {
	if !a.env.DNS || a.frozen {
		return nil, nil //nolint:nilnil // off is no error
	}
	return intake.NewDNS(a.store, nil, a.reg, a.now)
}

// publish lets other processes and the pages see a breaker or a pause change.
func (a *App) publish(s galena.ProviderState) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := a.store.SaveProviderState(ctx, s); err != nil {
		a.log.Warn("provider state not published", "provider", s.Provider, "kind", galena.KindOf(err), "error", err)
		return
	}
	a.herald.Tell(topicStates)
}

const (
	// topicStates is word that a pause or an open breaker was published.
	topicStates = "provider-states"
	// adoptEvery is how soon one is known to the others should the word be lost.
	adoptEvery = 2 * time.Second
)

// adopt learns from what other processes published.
func (a *App) adopt(ctx context.Context) error {
	set := a.book.current()
	if set.waterfall == nil && set.scribe == nil {
		return nil
	}
	states, err := a.store.ProviderStates(ctx)
	if err != nil {
		return err
	}
	if set.waterfall != nil {
		set.waterfall.Adopt(states)
	}
	for _, s := range states {
		if set.scribe != nil {
			set.scribe.keeper.Adopt(s)
		}
	}
	return nil
}

// patience is how long a delivery waits that failed: an endpoint is tried so many
// times, a CRM until the delivery is too old.
func (a *App) patience() func(d galena.Delivery, err error, chance float64) time.Duration {
	endpoints := worker.Patience(backoff)
	return func(d galena.Delivery, err error, chance float64) time.Duration {
		if _, ok := galena.CRMOf(d.Target); ok {
			return crm.Wait(err, a.now().Sub(d.At), chance)
		}
		return endpoints(d, err, chance)
	}
}

// backoff gives up after the tries that notify allows.
func backoff(tries int, chance float64) time.Duration {
	if tries >= notify.MaxTries {
		return -1
	}
	return notify.Backoff(tries, chance)
}

func (a *App) wireGate() error {
	if !a.roles.web {
		return nil
	}
	lists, err := a.rules.Hygiene.InForce()
	if err != nil {
		return err
	}
	for _, l := range lists {
		if l.Stale(a.now()) {
			a.log.Warn("a list of hygiene is older than 90 days: galena lists update, or upgrade", "list", l.File)
		}
	}
	a.gate, err = intake.NewGate(intake.Deps{Judge: a.book.current().judge, Store: a.store, Queue: a.relay, Pepper: a.pepper,
		Deliveries: announcer{a.book}.Quarantined, Registerer: a.reg, Now: a.now, Log: a.log.With("part", "intake")})
	return err
}

// stopMost is how long a process takes to end once it was told to: longer than
// its worker takes at most, and less than the 25 s that are promised.
const stopMost = 24 * time.Second

// live runs the parts until the context ends and closes the stores. A store that
// hangs does not hold it longer than stopMost: what is left then is left as by a
// process that was killed, and nothing is lost by that.
func (a *App) live(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() {
		err := a.Run(ctx)
		a.close()
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(stopMost):
		a.log.WarnContext(ctx, "the process ends although not all of its parts have", "after", stopMost)
		return nil
	}
}

// Run starts every part and returns when the context ends or a part fails. The
// worker stops last: it finishes the leads that it holds.
func (a *App) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if a.server != nil {
		g.Go(func() error {
			err := a.startWorker(ctx)
			if err == nil {
				<-ctx.Done()
			}
			a.kept = !a.server.Stop()
			return err
		})
	}
	if a.roles.asks() {
		g.Go(func() error {
			return a.every(ctx, meansEvery, nil, "look for portfolio means and hit rates", a.book.lookForMeans)
		})
		g.Go(func() error {
			heard, stop := a.herald.Listen(topicStates)
			defer stop()
			return a.every(ctx, adoptEvery, heard, "adopt provider states", a.adopt)
		})
	}
	g.Go(func() error { return a.herald.Run(ctx) })
	if a.follows {
		g.Go(func() error { return a.every(ctx, clockEvery, nil, "ask the database for the time", a.store.SetClock) })
	}
	g.Go(func() error { return a.relay.Run(ctx) })
	g.Go(func() error { return a.book.watch(ctx) })
	if a.roles.scheduler {
		g.Go(func() error { return a.schedule(ctx) })
	}
	for _, h := range a.http {
		g.Go(func() error { return h.run(ctx) })
	}
	return g.Wait()
}

// clockEvery is how often a process looks at the database's clock: while its own
// machine's is being set, leases are wrong for no longer than they last.
const clockEvery = 5 * time.Second

// tidyEvery is how often old idempotency keys and sessions are dropped.
const tidyEvery = 10 * time.Minute

// schedule does what is to be done once per tick for all processes together.
func (a *App) schedule(ctx context.Context) error {
	sweeper := worker.NewSweeper(a.store, a.queue.Ask, a.relay.Nudge, a.log.With("part", "sweep"))
	sweeper.Look, sweeper.Quarantined = a.queue.Look, announcer{a.book}.Quarantined
	reconciler := worker.NewReconciler(a.queue, a.redis, a.reg, time.Now, a.log.With("part", "reconcile"))
	jobs := []worker.Job{sweeper.Job(), reconciler.Job(), {Name: "tidy", Every: tidyEvery, Do: a.store.Tidy}}
	if !a.frozen {
		counter := &worker.Counter{Store: a.store, Now: a.now, Log: a.log.With("part", "hit rates"),
			Vendors: func() []string { return providerIDs(a.book.current().rules) }}
		jobs = append(jobs, counter.Job(), worker.Job{Name: "count the providers' days", Every: tidyEvery, Do: a.store.CountDays})
		jobs = append(jobs, a.restocker().Jobs()...)
	}
	s := &worker.Scheduler{Ticks: a.store, Holder: uuid.NewString(), Log: a.log.With("part", "scheduler")}
	return s.Run(ctx, jobs...)
}

// every does a thing again and again until the context ends. A failure is
// logged and tried again at the next turn, which is sooner when there is word.
func (a *App) every(ctx context.Context, interval time.Duration, soon <-chan struct{}, what string, do func(context.Context) error) error {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-soon:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, what+" failed", "kind", galena.KindOf(err), "error", err)
		}
	}
}

// startWorker waits for a Redis that is not there yet instead of dying of it.
// One that cannot carry the queue is refused.
func (a *App) startWorker(ctx context.Context) error {
	for {
		err := a.queueFits(ctx)
		if err == nil {
			err = a.server.Start(ctx)
		}
		if err == nil || galena.KindOf(err) == galena.Invalid {
			return err
		}
		a.log.WarnContext(ctx, "worker waits", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// queueFits looks at Redis as galena doctor does, and tells what is wrong with
// it. Only a version that lacks what the queue needs is an error: then nothing
// would work, and no waiting helps. A server that does not tell is taken as it is.
func (a *App) queueFits(ctx context.Context) error {
	if a.redis.Embedded() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	about, err := a.redis.About(ctx)
	if err != nil {
		return nil // whether it is there, the start finds out
	}
	for _, f := range redisFindings(about) {
		if f.Verdict == wrong {
			a.log.ErrorContext(ctx, "this Redis is not fit for the queue: it "+f.Says, "do", f.Do)
		}
	}
	if about.Version != "" && !about.AtLeast(6, 2) {
		return galena.Errorf(galena.Invalid, "worker.start", "redis %s is older than 6.2, which the queue needs", about.Version)
	}
	return nil
}

// close releases the stores, unless somebody is left who uses them: then they
// end with the process.
func (a *App) close() {
	if a.kept {
		return
	}
	var errs []error
	if a.book != nil {
		a.book.close()
	}
	if a.redis != nil {
		errs = append(errs, a.redis.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		a.log.Warn("stores not closed cleanly", "error", err)
	}
}
