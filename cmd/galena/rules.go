package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/notify"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
	"github.com/galenahq/galena/worker"
)

// loadRules reads the files of GALENA_CONFIG_DIR over the built-in ones.
// Warnings are logged, errors end the start with every fault named.
func loadRules(env configs.Env, log *slog.Logger) (configs.Rules, error) {
	var dir fs.FS
	if env.ConfigDir != "" {
		dir = os.DirFS(env.ConfigDir)
	}
	rules, err := configs.Load(dir, configs.Options{Path: env.ConfigDir, Specs: registry.All()})
	if err != nil {
		return rules, err
	}
	for _, f := range rules.Warnings {
		log.Warn("configuration", "finding", f.String())
	}
	return rules, env.CheckVendors(rules.Providers.KeyIDs(registry.All()), nil)
}

// catalogueOf is what is configured of providers, as people see it.
func catalogueOf(r configs.Rules, env configs.Env) galena.Catalogue {
	return r.Providers.List(registry.All(), env.ProviderKey, env.ProviderURL, env.Contact)
}

// providerIDs lists the catalogue.
func providerIDs(r configs.Rules) []string {
	var ids []string
	for _, e := range r.Providers.Entries(registry.All()) {
		ids = append(ids, e.ID)
	}
	return ids
}

// judgeOf is hygiene with the lists of the file. The named accounts of routing
// are known domains too: what somebody may have meant, and never a slip.
func judgeOf(r configs.Rules, env configs.Env) (*intake.Judge, error) {
	router, err := routing.New(r.Routing)
	if err != nil {
		return nil, fmt.Errorf("routing: %w", err)
	}
	return intake.NewJudge(r.Hygiene.Knowing(router.NamedDomains()), intake.Options{AllowReserved: env.AllowReservedDomains})
}

// tiers lists the profile's tiers, highest first.
func tiers(r configs.Rules) []string {
	var names []string
	for _, t := range r.ICP.Tiers {
		names = append(names, t.Name)
	}
	return names
}

// targets are whom a lead can be given to: reps who have not left, and pools.
func targets(r configs.Rules) []string {
	var names []string
	for _, rep := range r.Routing.Reps {
		if rep.Active == nil || *rep.Active {
			names = append(names, rep.ID)
		}
	}
	for _, pool := range r.Routing.Pools {
		names = append(names, "pool:"+pool.ID)
	}
	return names
}

// ruleset is one set of files and everything that is made of it. It never
// changes: changed files make another. Only what decided leads say together (means.go)
// may come later, to compiled.
type ruleset struct {
	rules     configs.Rules
	compiled  *worker.Rules        // nil where nobody is asked
	waterfall *providers.Waterfall // nil where nobody is asked
	hooks     *notify.Webhooks
	judge     *intake.Judge
	router    *routing.Router
	scribe    *scribe // nil where nothing is written to a CRM
	ttl       func(field string) (fresh, held time.Duration)

	users   int // leads that began with it and are not through
	retired bool
}

// workshop makes rulesets.
type workshop struct {
	env       configs.Env
	asks      bool // make what it takes to ask vendors
	must      bool // and fail where that cannot be made: what is it there for
	log       *slog.Logger
	guarded   *http.Client // for calls to the outside
	providers providers.Deps
	scribe    func(configs.CRM) (*scribe, error) // nil: this process writes to no CRM
	clock     func() time.Time                   // that receivers of webhooks hold against theirs
	frozen    bool
	reg       prometheus.Registerer
}

// misfit is a fault that only shows when files meet this process: the kind whose
// file it is, and the place in it.
type misfit struct {
	kind, path string
	err        error
}

func (m misfit) Error() string { return m.err.Error() }

// findings places misfits in their files, one for each joined error.
func findings(r configs.Rules, err error) configs.Report {
	var out configs.Report
	for _, e := range unjoin(err) {
		m, ok := errors.AsType[misfit](e)
		if !ok {
			m = misfit{configs.KindICP, "", e}
		}
		for _, cause := range unjoin(m.err) {
			out = append(out, r.Place(m.kind, *galena.Faultf(m.path, "E02", "%v", cause)))
		}
	}
	return out
}

func unjoin(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// build makes a set; what is known of the vendors is taken over from the set
// before, which goes on as it was.
func (w workshop) build(r configs.Rules, before *ruleset) (*ruleset, error) {
	set, errs := &ruleset{rules: r}, []error(nil)
	fails := func(kind, path string, err error) {
		if err != nil {
			errs = append(errs, misfit{kind, path, err})
		}
	}
	fails(configs.KindProviders, "spec.providers", w.env.CheckVendors(r.Providers.KeyIDs(registry.All()), nil))
	var err error
	set.hooks, err = w.webhooks(r.Notify)
	fails(configs.KindNotify, "spec.webhooks", err)
	set.judge, err = judgeOf(r, w.env)
	fails(configs.KindHygiene, "spec", err)
	set.router, err = routing.New(r.Routing)
	fails(configs.KindRouting, "spec", err)
	set.router = set.router.Believing(r.ICP.Unknown.MinConfidence)
	set.ttl, err = lifetimes(r)
	fails(configs.KindMerging, "spec", err)
	set.scribe, err = w.scribeOf(r.CRM, before)
	fails(configs.KindCRM, "spec", err)
	if !w.asks || len(errs) > 0 {
		return set, errors.Join(errs...)
	}
	deps := w.providers
	deps.TTL = set.ttl
	if before != nil {
		deps.Before = before.waterfall
	}
	set.waterfall, err = providers.New(r.Providers, deps)
	if err != nil && !w.must {
		w.log.Warn("this process asks no provider", "error", err)
		set.waterfall = nil
		return set, nil
	}
	if err != nil {
		return nil, misfit{configs.KindProviders, "spec.providers", err}
	}
	if set.compiled, err = compile(r, set.router, set.waterfall, w.frozen); err != nil {
		set.waterfall.Close()
		return nil, err
	}
	return set, nil
}

// scribeOf writes to the CRM of the file. One that stays as it was keeps what it
// knows: its layout, its pace, and whether it rests.
func (w workshop) scribeOf(c configs.CRM, before *ruleset) (*scribe, error) {
	switch {
	case w.scribe == nil || !c.Chosen():
		return nil, nil //nolint:nilnil // no CRM is no error
	case before != nil && before.scribe != nil && reflect.DeepEqual(before.rules.CRM, c):
		return before.scribe, nil
	}
	return w.scribe(c)
}

// webhooks joins the endpoints of the file with the one of the environment.
func (w workshop) webhooks(c notify.Config) (*notify.Webhooks, error) {
	endpoints := c.Endpoints(func(name string) string {
		secret, err := w.env.Lookup(name)
		if err != nil {
			return "" // an endpoint without its secret is refused just below
		}
		return secret.Reveal()
	})
	if w.env.WebhookURL.Set() {
		endpoints = append(endpoints, notify.Endpoint{ID: notify.Default, URL: w.env.WebhookURL.Reveal(),
			Secret: w.env.WebhookSecret.Reveal(), Personal: true})
	}
	return notify.New(endpoints, notify.Deps{Client: w.guarded, AllowPlain: w.env.AllowPrivateTargets,
		Registerer: w.reg, Now: w.clock})
}

// compile makes one consistent set of rules. In a scenario the deadline never fires.
func compile(r configs.Rules, router *routing.Router, w *providers.Waterfall, frozen bool) (*worker.Rules, error) {
	icp, err := scoring.New(r.ICP)
	if err != nil {
		return nil, misfit{configs.KindICP, "spec", fmt.Errorf("ICP: %w", err)}
	}
	policy, err := merging.New(r.Merging, w.Trust())
	if err != nil {
		return nil, misfit{configs.KindMerging, "spec", fmt.Errorf("merging: %w", err)}
	}
	out := &worker.Rules{Enricher: w, Market: w, ICP: icp, Merging: policy, Routing: router, Refs: r.Refs,
		AlwaysCollect: w.AlwaysCollect(), LimitMicros: w.Limits().PerLeadMicros(),
		Deadline: w.Limits().Deadline(), AuditShare: r.Providers.Audit.Share}
	if frozen {
		out.Deadline, out.AuditShare = -1, 0
	}
	return out, nil
}
