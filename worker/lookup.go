package worker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
)

// Companies is the part of the store that knows companies without a lead.
type Companies interface {
	CompanyMemory(ctx context.Context, domain string) (galena.Memory, error)
	Holding(ctx context.Context, domain, topTier string, since time.Time) (galena.Holding, error)
	SaveCompany(ctx context.Context, c galena.Company, learnt []*galena.Observation) error
}

// Vetter judges a company before money is spent on it.
type Vetter interface {
	// Vet says what our own lists know of the company, by all its domains. One that
	// asked to be left alone is an Invalid error.
	Vet(ctx context.Context, domains []string) ([]galena.Observation, error)
}

// Lookup takes one company through the waterfall although no lead came from it.
// It is the run of a lead with the person left out: the same plan, the same
// answers held, the same record; nothing is decided and nobody is told.
type Lookup struct {
	Companies Companies
	Vetter    Vetter
	Rules     func() *Rules // nil: this process asks nobody
	Now       func() time.Time
	Log       *slog.Logger
}

// Enrich asks vendors until no fact of the company can change a decision, or
// budget, deadline or vendors end it. What was learnt is kept, also when the
// caller stops waiting.
func (l *Lookup) Enrich(ctx context.Context, o galena.EnrichOrder) (galena.Enrichment, error) {
	inForce := l.Rules()
	if inForce == nil {
		return galena.Enrichment{}, galena.Errorf(galena.Unavailable, "worker.enrich", "this process asks no provider")
	}
	defer inForce.done()
	memory, before, err := l.recall(ctx, o.Domain, inForce)
	if err != nil {
		return galena.Enrichment{}, err
	}
	rules := *inForce
	rules.Enricher = byOrder{order: o, held: before, Enricher: inForce.Enricher, market: inForce.Market, now: l.Now}
	if o.LimitMicros >= 0 {
		rules.LimitMicros = o.LimitMicros
	}
	if o.Patient {
		rules.Deadline = -1
	}
	r := newRun(&Pipeline{Now: l.Now, Log: l.Log}, &rules, memory)
	r.person, r.told = false, o.Told
	maps.DeleteFunc(r.fixed, func(field string, _ *galena.Fact) bool { return ofPerson(field) })
	asking := r.enrich(ctx)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	out, err := l.conclude(keep, r, o)
	if asking != nil {
		return galena.Enrichment{}, asking
	}
	return out, err
}

// recallMost is how long the store may take to say what is known of a company.
const recallMost = 5 * time.Second

// recall is what is known of the company, and what is held of it, by vendor.
func (l *Lookup) recall(ctx context.Context, asked string, rules *Rules) (galena.Memory, map[string]galena.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, recallMost)
	defer cancel()
	memory, err := l.Companies.CompanyMemory(ctx, asked)
	if err != nil {
		return memory, nil, err
	}
	domain := memory.CompanyDomain()
	listed, err := l.Vetter.Vet(ctx, append([]string{domain, asked}, memory.Domains...))
	if err != nil {
		return memory, nil, err
	}
	memory.Observations = append(memory.Observations, listed...)
	before, err := l.holding(ctx, domain, rules)
	return memory, before, err
}

// ofPerson says that a field is of whoever asked, whom a company alone does not have.
func ofPerson(field string) bool {
	return field == "match.open_lead_owner" || strings.HasPrefix(field, "lead.")
}

// holding is what is held of the company, by vendor.
func (l *Lookup) holding(ctx context.Context, domain string, rules *Rules) (map[string]galena.Answer, error) {
	h, err := l.Companies.Holding(ctx, domain, topTier(rules), l.Now().Add(-recent))
	out := map[string]galena.Answer{}
	for _, a := range h.Answers {
		out[a.Provider] = a
	}
	return out, err
}

// conclude keeps what was learnt and says what is known. The record that is kept
// is made of everything that is held; the one that is told, of what the order lets
// through.
func (l *Lookup) conclude(ctx context.Context, r *run, o galena.EnrichOrder) (galena.Enrichment, error) {
	held, err := l.holding(ctx, r.memory.CompanyDomain(), r.rules)
	if err != nil {
		return galena.Enrichment{}, err
	}
	told, kept := slices.Clone(r.observed), slices.Clone(r.observed)
	for _, id := range slices.Sorted(maps.Keys(held)) {
		a := held[id]
		if a.Kind != "" || !l.Now().Before(a.ExpiresAt) {
			continue
		}
		kept = addNew(kept, a.Observations)
		if _, missed := r.missed[id]; o.Accepts(a, l.Now()) || missed && !o.NoFallback {
			told = addNew(told, a.Observations)
		}
	}
	if len(kept) > 0 {
		if err := l.Companies.SaveCompany(ctx, l.company(r, kept), kept[len(r.memory.Observations):]); err != nil {
			return galena.Enrichment{}, err
		}
	}
	r.observed = told
	out := galena.Enrichment{Company: l.company(r, told), Steps: r.steps, Stop: r.stop, Cents: galena.CentsOf(r.spent),
		LimitCents: galena.CentsOf(r.rules.LimitMicros), Open: planning.Open(r.state(r.look(true))),
		Away: slices.Sorted(maps.Keys(r.missed))}
	out.Company.Owner = r.memory.AccountOwner
	return out, nil
}

// addNew appends what is not there yet: a value that is counted twice would weigh
// twice as much.
func addNew(all []*galena.Observation, more []galena.Observation) []*galena.Observation {
	for i := range more {
		if !slices.ContainsFunc(all, func(x *galena.Observation) bool { return x.ID == more[i].ID }) {
			all = append(all, &more[i])
		}
	}
	return all
}

func (l *Lookup) company(r *run, obs []*galena.Observation) galena.Company {
	facts := r.rules.Merging.Merge(obs, l.Now())
	maps.Copy(facts, r.fixed)
	return galena.Company{Domain: r.memory.CompanyDomain(), Facts: companyFacts(facts), UpdatedAt: l.Now()}
}

// byOrder is the waterfall as an order wants it: what is held counts as far as the
// order lets it.
type byOrder struct {
	Enricher
	market Market
	order  galena.EnrichOrder
	held   map[string]galena.Answer
	now    func() time.Time
}

// Ask lets a held answer stand for the call, or asks anew. Where the vendor fails
// what it said before counts, unless the order wants no fallback.
func (c byOrder) Ask(ctx context.Context, provider, domain string, known galena.Facts) (galena.Answer, galena.Call, error) {
	held, ok := c.held[provider]
	if !ok || c.order.Accepts(held, c.now()) {
		return c.Enricher.Ask(ctx, provider, domain, known)
	}
	a, call, err := c.market.AskFresh(ctx, provider, domain, known)
	if err == nil || galena.KindOf(err) == galena.NotFound || c.order.NoFallback || held.Kind != "" || !c.now().Before(held.ExpiresAt) {
		return a, call, err
	}
	for _, o := range held.Observations {
		call.Added = append(call.Added, o.Field)
	}
	return held, call, err
}
