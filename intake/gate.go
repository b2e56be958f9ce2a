package intake

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/galenahq/galena"
)

// RepeatWithin is how long the same person on the same form is the same lead.
const RepeatWithin = 24 * time.Hour

// MaxForm is how long the name of a form may be, in octets: with the address it is
// the key by which repeats are found, and Postgres keeps no key beyond 2.7 KB.
const MaxForm = 255

// remember is how long the list of accounts may be held: it only feeds the
// question "did you mean".
const remember = 10 * time.Second

// waitMost is how long a lead waits for that list, and readMost how long it may take
// to be read.
const (
	waitMost = time.Second
	readMost = 5 * time.Second
)

// Store is what the gate needs of the database.
type Store interface {
	Accept(ctx context.Context, in galena.Intake) (galena.Receipt, error)
	Recall(ctx context.Context, hashes [][]byte, domain string) (suppressed, known bool, err error)
	KnownDomains(ctx context.Context) ([]string, error)
	Record(ctx context.Context, leadID string) (galena.Record, error)
	Release(ctx context.Context, r galena.Release) error
}

// Queue is told that there is work; losing the call loses nothing.
type Queue interface{ Nudge() }

// Deps is what a gate is made of. Deliveries may be nil: then nobody is told of
// quarantined leads; and so may Log. Pepper keys the digests of suppressed addresses.
type Deps struct {
	Judge      *Judge
	Store      Store
	Queue      Queue
	Deliveries func(galena.Lead) ([]galena.Delivery, error)
	Pepper     []byte
	Registerer prometheus.Registerer
	Now        func() time.Time
	Log        *slog.Logger
}

// Gate takes leads in.
type Gate struct {
	deps  Deps
	judge atomic.Pointer[Judge]
	leads *prometheus.CounterVec
	macs  sync.Pool // of keyed hashes: to key one costs as much as to use it three times

	reading  singleflight.Group // of the list of accounts
	mu       sync.Mutex
	accounts *accounts
	heldAt   time.Time
}

// NewGate registers the gate's counter, one series a verdict from the start.
func NewGate(d Deps) (*Gate, error) {
	if d.Judge == nil || d.Store == nil || d.Queue == nil || d.Now == nil || d.Registerer == nil {
		return nil, errors.New("a gate needs a judge, a store, a queue, a registerer and a clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{deps: d, leads: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_leads_total", Help: "Leads handed in, by verdict.",
	}, []string{"verdict"})}
	g.macs.New = func() any { return hmac.New(sha256.New, d.Pepper) }
	g.judge.Store(d.Judge)
	for _, v := range severity() {
		g.leads.WithLabelValues(string(v))
	}
	if err := d.Registerer.Register(g.leads); err != nil {
		return nil, fmt.Errorf("galena_leads_total: %w", err)
	}
	return g, nil
}

// Use judges by other lists from the next submission on.
func (g *Gate) Use(j *Judge) { g.judge.Store(j) }

// CompanyDomain reads the domain of a company by the lists in force.
func (g *Gate) CompanyDomain(domain string) (string, error) {
	return g.judge.Load().CompanyDomain(domain)
}

// Hash is how a suppressed address or domain is kept: keyed, so that the list
// alone gives nobody away.
func Hash(pepper []byte, canonical string) []byte {
	m := hmac.New(sha256.New, pepper)
	m.Write([]byte(canonical))
	return m.Sum(nil)
}

// SuppressionHashes are the digests that keep somebody out, an address or a
// domain as people write it: first its own, then those of the domains it stands
// under. A public suffix is nobody's.
func SuppressionHashes(pepper []byte, who string) ([][]byte, error) {
	invalid := func(why string) ([][]byte, error) {
		return nil, galena.Errorf(galena.Invalid, "suppress", "neither an address nor a domain: %s", why)
	}
	m := hmac.New(sha256.New, pepper)
	if strings.Contains(who, "@") {
		a := readAddress(who)
		if a.fault != "" {
			return invalid(a.fault)
		}
		return suppressionHashes(m, a.canonical(), a.host), nil
	}
	h := readHost(strings.TrimSpace(who))
	if h.fault != "" {
		return invalid(h.fault)
	}
	if registrable(h.ascii) == "" {
		return invalid(codePublicSuffix)
	}
	return suppressionHashes(m, h.ascii, h.ascii), nil
}

func suppressionHashes(m hash.Hash, own, host string) [][]byte {
	all := parents(host, cmp.Or(registrable(host), host))
	if own != host {
		all = append([]string{own}, all...)
	}
	hashes, sums := make([][]byte, len(all)), make([]byte, 0, len(all)*sha256.Size)
	for i, of := range all {
		m.Reset()
		m.Write([]byte(of))
		sums = m.Sum(sums)
		hashes[i] = sums[i*sha256.Size : len(sums) : len(sums)]
	}
	return hashes
}

// Submit judges a submission and writes it with everything that follows, in one
// transaction. A rejected one is a galena.Invalid error that lists the codes; a
// suppressed one is answered as any other, with an id that nobody knows; hence the
// form is looked at before anything is known of the person.
func (g *Gate) Submit(ctx context.Context, s galena.Submission, key *galena.Idempotency, warnings []string) (galena.Receipt, galena.Judgement, error) {
	if len(s.Form) > MaxForm {
		return galena.Receipt{}, galena.Judgement{}, galena.Errorf(galena.Invalid, "intake", "form has more than %d octets", MaxForm)
	}
	a := readAddress(s.Email)
	known, err := g.recall(ctx, a)
	if err != nil {
		return galena.Receipt{}, galena.Judgement{}, err
	}
	j := g.judge.Load().judge(s, a, known, true)
	if j.Verdict == galena.Reject {
		g.leads.WithLabelValues(string(j.Verdict)).Inc()
		return galena.Receipt{}, j, galena.Errorf(galena.Invalid, "intake", "%s", strings.Join(j.Codes, ", "))
	}
	in, err := g.build(s, j)
	if err != nil {
		return galena.Receipt{}, j, err
	}
	in.Idempotency, in.Warnings = key, warnings
	receipt, err := g.deps.Store.Accept(ctx, in)
	if err != nil {
		return galena.Receipt{}, j, err
	}
	if receipt.ID == in.Lead.ID && !receipt.Duplicate {
		g.leads.WithLabelValues(string(j.Verdict)).Inc() // repeats and replays were counted the first time
		if j.Verdict != galena.Drop {
			g.deps.Queue.Nudge()
		}
	}
	return receipt, j, nil
}

func (g *Gate) build(s galena.Submission, j galena.Judgement) (galena.Intake, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return galena.Intake{}, err
	}
	now := g.deps.Now()
	in := galena.Intake{RepeatWithin: RepeatWithin, Lead: newLead(id.String(), s, j, now)}
	if j.Verdict == galena.Drop {
		// Nothing of the person may reach the store, not even by mistake.
		in.Forget = true
		in.Lead = galena.Lead{ID: id.String(), ExternalID: s.ExternalID, Status: galena.StatusAccepted,
			Judgement: galena.Judgement{Verdict: galena.Drop, Codes: j.Codes}, CreatedAt: now}
		return in, nil
	}
	if in.Observations, err = observations(in.Lead, now); err != nil {
		return in, err
	}
	if in.Lead.Status == galena.StatusQuarantined && g.deps.Deliveries != nil {
		in.Deliveries, err = g.deps.Deliveries(in.Lead)
	}
	return in, err
}

// recall asks the store what it knows of the sender. An address that cannot be
// read is asked about nowhere.
func (g *Gate) recall(ctx context.Context, a address) (Known, error) {
	domain := mailDomain(a)
	if domain == "" {
		return Known{}, nil
	}
	m, ok := g.macs.Get().(hash.Hash)
	if !ok {
		return Known{}, galena.Errorf(galena.Internal, "intake", "no keyed hash")
	}
	hashes := suppressionHashes(m, a.canonical(), a.host)
	g.macs.Put(m)
	var k Known
	var err error
	if k.Suppressed, k.DomainKnown, err = g.deps.Store.Recall(ctx, hashes, domain); err != nil {
		return k, err
	}
	k.near = g.knownDomains(ctx)
	return k, nil
}

// mailDomain is the registrable domain of an address, or its host where there is
// none; "" for what is no address.
func mailDomain(a address) string {
	if a.fault != "" || a.long {
		return ""
	}
	if d := registrable(a.host); d != "" {
		return d
	}
	return a.host
}

// knownDomains is the list of accounts, read once however many come when it is too
// old. One that cannot be read, or not soon, stays as it was: it refuses no lead.
func (g *Gate) knownDomains(ctx context.Context) *accounts {
	held, fresh := g.held()
	if fresh {
		return held
	}
	read := g.reading.DoChan("", func() (any, error) {
		if _, fresh := g.held(); !fresh { // by the one before us
			g.readDomains(context.WithoutCancel(ctx))
		}
		return struct{}{}, nil
	})
	wait := time.NewTimer(waitMost)
	defer wait.Stop()
	select {
	case <-read:
	case <-wait.C:
	case <-ctx.Done():
	}
	held, _ = g.held()
	return held
}

func (g *Gate) readDomains(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readMost)
	defer cancel()
	list, err := g.deps.Store.KnownDomains(ctx)
	if err != nil {
		g.deps.Log.WarnContext(ctx, "accounts not read: did_you_mean goes by those of before", "error", err)
	}
	read := accountsOf(list)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.accounts = read
	}
	g.heldAt = g.deps.Now()
}

// held is the list as it was read last, and whether that was lately.
func (g *Gate) held() (list *accounts, fresh bool) {
	now := g.deps.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accounts, !g.heldAt.IsZero() && now.Sub(g.heldAt) < remember && !now.Before(g.heldAt)
}
