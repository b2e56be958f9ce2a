package intake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/galenahq/galena"
)

const (
	// dnsBudget is the longest that a lead waits for the DNS, once.
	dnsBudget = 300 * time.Millisecond
	// dnsHeld is how long an answer counts.
	dnsHeld = 24 * time.Hour
	// dnsSilent is how long a domain whose servers did not answer is left alone:
	// the next lead from it must not wait for them again.
	dnsSilent = time.Minute
)

// What the DNS said of a mail host. A bad answer is the code that holds a lead.
const (
	dnsTakesMail = "deliverable"
	dnsUnknown   = "unknown"
)

// Checks is where answers of the DNS are kept.
type Checks interface {
	DNSCheck(ctx context.Context, domain string) (result string, checkedAt time.Time, err error)
	SaveDNSCheck(ctx context.Context, domain, result string, checkedAt time.Time) error
}

// Resolver is the part of net.Resolver that is asked.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DNS finds out whether the domain of an accepted lead takes mail. It runs after
// the gate, before money is spent: a form must not wait for foreign servers.
type DNS struct {
	checks   Checks
	resolver Resolver
	now      func() time.Time
	asked    *prometheus.CounterVec
	flights  singleflight.Group
}

// NewDNS registers the counter of questions. The resolver is nil for the
// system's own: Go's, which tells a silent server from a name that does not
// exist, and which takes half an answer for none.
func NewDNS(c Checks, r Resolver, reg prometheus.Registerer, now func() time.Time) (*DNS, error) {
	if c == nil || reg == nil || now == nil {
		return nil, errors.New("the DNS check needs a store, a registerer and a clock")
	}
	if r == nil {
		r = &net.Resolver{PreferGo: true, StrictErrors: true}
	}
	d := &DNS{checks: c, resolver: r, now: now, asked: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_dns_checks_total", Help: "Mail hosts asked about in the DNS, by what it said.",
	}, []string{"result"})}
	for _, result := range []string{dnsTakesMail, dnsUnknown, codeNullMX, codeUndeliverable} {
		d.asked.WithLabelValues(result)
	}
	if err := reg.Register(d.asked); err != nil {
		return nil, fmt.Errorf("galena_dns_checks_total: %w", err)
	}
	return d, nil
}

// Screen holds a lead whose domain takes no mail; hold is false for every other
// one, and whenever the DNS is silent. A lead that a person released is not held
// for its domain again, and a reserved name is nobody's to ask about.
func (d *DNS) Screen(ctx context.Context, l galena.Lead) (held galena.Lead, hold bool) {
	if l.Host == "" || reserved(l.Host) || slices.ContainsFunc(l.Codes, aboutMail) {
		return l, false
	}
	result := d.result(ctx, l.Host)
	if !aboutMail(result) {
		return l, false
	}
	l.Codes = sorted(append(slices.Clone(l.Codes), result))
	l.Verdict, l.Status, l.Spendable = galena.Quarantine, galena.StatusQuarantined, false
	return l, true
}

// aboutMail says that a code is the answer to our question.
func aboutMail(code string) bool { return code == codeNullMX || code == codeUndeliverable }

// result is what is held, or what the DNS says now. Many leads of one domain ask
// once: the others wait for the answer of the first.
func (d *DNS) result(ctx context.Context, host string) string {
	// The answer belongs to all who wait for it: it does not end with one of them.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dnsBudget)
	defer cancel()
	result, _, _ := d.flights.Do(host, func() (any, error) {
		if result, ok := d.held(ctx, host); ok {
			return result, nil
		}
		result := d.ask(ctx, host)
		d.asked.WithLabelValues(result).Inc()
		d.keep(ctx, host, result)
		return result, nil
	})
	s, _ := result.(string)
	return s
}

func (d *DNS) held(ctx context.Context, host string) (string, bool) {
	result, at, err := d.checks.DNSCheck(ctx, host)
	lasts := dnsHeld
	if result == dnsUnknown {
		lasts = dnsSilent
	}
	return result, err == nil && result != "" && d.now().Sub(at) < lasts
}

// keep writes the answer. One that cannot be written is asked for again, which
// costs the next lead a little time and nothing else.
func (d *DNS) keep(ctx context.Context, host, result string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dnsBudget)
	defer cancel()
	_ = d.checks.SaveDNSCheck(ctx, host, result, d.now())
}

// ask puts the question of RFC 5321 5.1: a mail exchanger, else an address. The
// dot makes the name absolute, or the machine's search list would answer.
func (d *DNS) ask(ctx context.Context, host string) string {
	name := strings.TrimSuffix(host, ".") + "."
	mx, err := d.resolver.LookupMX(ctx, name)
	switch {
	case len(mx) > 0:
		if slices.ContainsFunc(mx, func(r *net.MX) bool { return r.Host != "." }) {
			return dnsTakesMail
		}
		return codeNullMX // RFC 7505
	case !nothingThere(err):
		return dnsUnknown
	}
	ips, err := d.resolver.LookupNetIP(ctx, "ip", name)
	switch {
	case len(ips) > 0:
		return dnsTakesMail
	case nothingThere(err):
		return codeUndeliverable
	default:
		return dnsUnknown
	}
}

// nothingThere says that a server gave the answer "none", in contrast to no
// answer at all.
func nothingThere(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound && !e.IsTimeout && !e.IsTemporary
}
