// Package dns asks the name servers what a company's own domain tells of its
// tools: where its mail goes, which services it proved its domain to, and who
// may send mail for it. It costs nothing and takes some tens of milliseconds.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes the DNS. What it finds is open: a tool that leaves no trace
// here may be there all the same.
var Spec = providers.Spec{
	Name: "dns", Title: "The company's DNS records", Docs: "https://www.rfc-editor.org/rfc/rfc7208",
	Direct: true, Keyless: true, P95: 300 * time.Millisecond, Timeout: 1500 * time.Millisecond,
	Trust: 0.6, Class: galena.ClassCrawl, Rate: 50, Burst: 50,
	Fields: map[string]float64{"company.technologies": 0.6},
	New: func(s providers.Settings) (providers.Provider, error) {
		r, err := resolver(s.BaseURL)
		return adapter{r}, err
	},
}

const (
	op = "dns.enrich"
	// lookup is how long one question may take; all are asked at once.
	lookup = 700 * time.Millisecond
	// maxText bounds what is read of a domain's TXT records.
	maxText = 16 << 10
)

type adapter struct{ resolver *net.Resolver }

// resolver asks the name servers of the machine, or the one of an address such
// as dns://127.0.0.1:5353.
func resolver(address string) (*net.Resolver, error) {
	r := &net.Resolver{PreferGo: true}
	if address == "" {
		return r, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "dns" || u.Port() == "" {
		return nil, galena.Errorf(galena.Invalid, "dns.new", "the address must be dns://host:port")
	}
	r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, u.Host)
	}
	return r, nil
}

// Enrich asks for the records of one domain.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	var (
		z    zone
		wg   sync.WaitGroup
		errs [3]error
	)
	name := q.Domain + "." // or a search domain of the machine would be tried
	wg.Go(func() { z.mx, errs[0] = within(ctx, name, a.resolver.LookupMX) })
	wg.Go(func() { z.txt, errs[1] = within(ctx, name, a.resolver.LookupTXT) })
	wg.Go(func() { z.ns, errs[2] = within(ctx, name, a.resolver.LookupNS) })
	wg.Go(func() { z.www, _ = within(ctx, "www."+name, a.resolver.LookupCNAME) })
	wg.Wait()
	if err := failure(ctx, errs[:]); err != nil {
		return providers.Record{}, err
	}
	var r providers.Record
	if tech := z.technologies(); len(tech) > 0 {
		r.Add("company.technologies", providers.Technologies(tech), "MX, TXT, NS, CNAME")
	}
	return r, nil
}

// within asks one question in its own time.
func within[T any](ctx context.Context, name string, ask func(context.Context, string) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	return ask(ctx, name)
}

// failure is what the answers mean together. One good answer is enough; that
// there is none of anything is a domain that does not exist, and everything
// else may be better next time.
func failure(ctx context.Context, errs []error) error {
	missing, answered := 0, true // by our resolver, with nothing but a failure of theirs
	for _, err := range errs {
		d, ok := errors.AsType[*net.DNSError](err)
		switch {
		case err == nil:
			return nil
		case ok && d.IsNotFound:
			missing++
		default:
			answered = answered && ok && !d.IsTimeout && !providers.NoResolver(d)
		}
	}
	switch {
	case missing == len(errs):
		return providers.NoHost(op, "no such domain")
	case errors.Is(ctx.Err(), context.Canceled):
		return &galena.Error{Kind: galena.Unavailable, Op: op, Cause: "cancelled", Err: context.Canceled}
	case ctx.Err() != nil:
		return &galena.Error{Kind: galena.Unavailable, Op: op, Cause: "timeout",
			Err: fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)}
	case answered:
		return providers.OfCompany(galena.Errorf(galena.Unavailable, op, "the name servers of the domain fail"))
	default:
		return galena.Errorf(galena.Unavailable, op, "the name servers do not answer")
	}
}

// salesforceOrg is the id of a customer, which is all that Salesforce asks for.
var salesforceOrg = regexp.MustCompile(`^00d[0-9a-z]{12}([0-9a-z]{3})?=`)

// zone is what the name servers said.
type zone struct {
	mx  []*net.MX
	txt []string
	ns  []*net.NS
	www string
}

// technologies names the products that left a trace, as their makers spell them.
func (z zone) technologies() []string {
	var out []string
	for _, mx := range z.mx {
		out = append(out, byHost(mailHosts, mx.Host)...)
	}
	for _, ns := range z.ns {
		out = append(out, byHost(nameServers, ns.Host)...)
	}
	out = append(out, byHost(siteHosts, z.www)...)
	size := 0
	for _, txt := range z.txt {
		if size += len(txt); size > maxText {
			break
		}
		txt = strings.ToLower(strings.TrimSpace(txt))
		if strings.HasPrefix(txt, "v=spf1 ") {
			for term := range strings.FieldsSeq(txt) {
				if host, ok := strings.CutPrefix(strings.TrimLeft(term, "+?~"), "include:"); ok {
					out = append(out, byHost(senders, host)...)
				}
			}
			continue
		}
		if salesforceOrg.MatchString(txt) {
			out = append(out, "salesforce")
		}
		for _, s := range tokens {
			if strings.HasPrefix(txt, s.mark) {
				out = append(out, s.product)
			}
		}
	}
	return out
}

// byHost finds the product that a host belongs to.
func byHost(table []signature, host string) []string {
	host = "." + strings.ToLower(strings.TrimSuffix(host, "."))
	for _, s := range table {
		if strings.HasSuffix(host, "."+s.mark) || strings.HasSuffix(s.mark, "-") && strings.Contains(host, "."+s.mark) {
			return []string{s.product}
		}
	}
	return nil
}
