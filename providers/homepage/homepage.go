// Package homepage reads what a company says of itself on the first page of its
// own site: the data it publishes for search engines, and the tools that its
// page loads.
//
//	https://acme.example/ ── one GET, at most 512 KiB, no script is run
//	   ├ headers, generator, hosts of scripts ──► technologies (signatures.go)
//	   ├ JSON-LD Organization ──────────────────► name, size, address (organization.go)
//	   └ meta, links ───────────────────────────► description, LinkedIn
package homepage

import (
	"context"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes the home page. Only / is read: a site's robots.txt speaks to
// those who crawl more than that.
var Spec = providers.Spec{
	Name: "homepage", Title: "The company's home page", Docs: "https://schema.org/Organization",
	Direct: true, Keyless: true, P95: 900 * time.Millisecond, Timeout: 2 * time.Second,
	Trust: 0.6, Class: galena.ClassCrawl, Rate: 20, Burst: 20,
	Fields: map[string]float64{
		"company.name": 0.6, "company.legal_name": 0.1, "company.description": 0.75, "company.employee_count": 0.03,
		"company.founded_year": 0.08, "company.hq_country": 0.15, "company.hq_city": 0.15,
		"company.technologies": 0.75, "company.linkedin_url": 0.5, "company.phone": 0.15, "company.parent_domain": 0.02,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "homepage.enrich"

type adapter struct{ settings providers.Settings }

// Enrich reads one page. A page that calls another domain its own address is
// about somebody else.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	got, err := providers.GetPage(ctx, a.settings, op, q.Domain)
	if err != nil {
		return providers.Record{}, err
	}
	p := parse(got.Body)
	if u, err := url.Parse(p.canonical); err == nil && u.Host != "" {
		if err := providers.CheckSubject(op, q.Domain, p.canonical, nil); err != nil {
			return providers.Record{}, err
		}
	}
	p.detectHeaders(got.Header)
	return p.record(q.Domain, a.settings.Now()), nil
}

// page is what one pass over the tags has found.
type page struct {
	canonical string
	meta      map[string]string // by name or property, the first of each
	linkedin  string
	data      []providers.Object // JSON-LD
	products  map[string]bool
}

// maxData bounds how many blocks of JSON-LD are read.
const maxData = 16

// parse reads the tags one after the other: neither their nesting nor their
// number makes it slower than the page is long.
func parse(body string) page {
	p := page{meta: map[string]string{}, products: map[string]bool{}}
	z := html.NewTokenizer(strings.NewReader(body))
	script := "" // the type of the script whose text comes next
	inScript := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			tag := string(name)
			attrs := attributes(z, hasAttr)
			p.tag(tag, attrs)
			inScript, script = tag == "script", strings.ToLower(attrs["type"])
		case html.EndTagToken:
			inScript = false
		case html.TextToken:
			if inScript {
				p.script(script, string(z.Text()))
			}
		default:
		}
	}
}

// attributes are the first of each name.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	out := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if _, twice := out[string(key)]; !twice {
			out[string(key)] = strings.TrimSpace(string(value))
		}
	}
	return out
}

// tag takes what one tag tells.
func (p *page) tag(tag string, attrs map[string]string) {
	switch tag {
	case "meta":
		name := strings.ToLower(attrs["name"] + attrs["property"])
		if _, twice := p.meta[name]; name != "" && !twice {
			p.meta[name] = attrs["content"]
		}
		if name == "generator" {
			p.detect(generators, attrs["content"])
		}
	case "link":
		if strings.EqualFold(attrs["rel"], "canonical") && p.canonical == "" {
			p.canonical = attrs["href"]
		}
		p.detectHost(attrs["href"])
	case "script", "iframe", "img":
		p.detectHost(attrs["src"])
	case "a":
		if v := providers.LinkedIn(attrs["href"]); p.linkedin == "" && strings.Contains(v.Text, "linkedin.com/company/") {
			p.linkedin = v.Text
		}
	}
}

// script takes what an inline script tells: data, or the address of a tool that
// it would load.
func (p *page) script(kind, text string) {
	if kind != "application/ld+json" {
		p.detectInline(text)
		return
	}
	// A list at the top is as good as an object with a graph.
	if o, err := providers.ParseObject([]byte(`{"@graph":` + text + `}`)); err == nil && len(p.data) < maxData {
		p.data = append(p.data, o)
	}
}
