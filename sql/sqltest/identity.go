package sqltest

import (
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

var identityRules = map[string]func(*bench){
	"ALeadAtAnAliasBelongsToTheCompany":  aliasRemembered,
	"AnAliasFindsTheCompanyAndItsRecord": aliasRead,
	"ACompanyIsRememberedWithoutALead":   companyRemembered,
	"ALinkIsNeverAChain":                 linkFlat,
	"ALinkIsUndone":                      linkUndone,
	"ALinkThatLeadsElsewhereIsRefused":   linkRefused,
	"ALinkSaidTwiceIsDoneOnce":           linkOnce,
	"LinksAtOnceMakeNoCircle":            linksAtOnce,
	"TheOwnerOfAnAliasOwnsTheCompany":    aliasOwner,
	"ConflictsAreFoundByAnyDomain":       aliasConflicts,
}

func at(domain string) galena.Intake {
	in := submission("ana@"+domain, "demo")
	in.Lead.Host, in.Lead.Domain = domain, domain
	return in
}

func (s *bench) memoryAt(domain string) galena.Memory {
	s.Helper()
	m, err := s.Memory(s.ctx, s.accept(at(domain)).ID)
	s.ok(err)
	return m
}

func (s *bench) link(domain, company, kind string) galena.CompanyNames {
	s.Helper()
	names, err := s.LinkDomain(s.ctx, galena.DomainLink{Domain: domain, Company: company, Kind: kind, By: "ana"})
	s.ok(err)
	return names
}

func (s *bench) unlink(domain string) {
	s.Helper()
	_, err := s.UnlinkDomain(s.ctx, domain, "", "ben")
	s.ok(err)
}

// linked is what the trail tells of links, oldest first.
func (s *bench) linked() []string {
	s.Helper()
	trail, err := s.AuditTrail(s.ctx, 10)
	s.ok(err)
	var out []string
	for _, e := range slices.Backward(trail) {
		if e.Action == "company.link" {
			out = append(out, e.Target+": "+e.Detail+", by "+e.Actor)
		}
	}
	return out
}

func aliasRemembered(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	s.ok(s.SetAccountOwner(s.ctx, "acme.com", "ben"))
	for domain, n := range map[string]int64{"acme.com": 45, "acme.de": 46} {
		s.ok(s.AddObservations(s.ctx, []galena.Observation{{ID: "o-" + domain, Entity: domain, Field: headcount, Value: galena.Number(n),
			Source: "crm:" + domain, Class: galena.ClassCRM, ObservedAt: s.clock.now(), FetchedAt: s.clock.now()}}))
	}
	m := s.memoryAt("acme.de")
	if m.Company != "acme.com" || !slices.Equal(m.Domains, []string{"acme.com", "acme.de"}) || m.AccountOwner != "ben" || len(m.Observations) != 2 {
		s.Errorf("%+v, want acme.com with its owner and what was said of both domains", m)
	}
	if m.CompanyDomain() != "acme.com" {
		s.Errorf("kept by %s", m.CompanyDomain())
	}
	other := s.memoryAt("globex.test")
	if other.Company != "globex.test" || other.AccountOwner != "" || len(other.Observations) != 0 {
		s.Errorf("a stranger is %+v", other)
	}
}

func companyRemembered(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	s.ok(s.SetAccountOwner(s.ctx, "acme.com", "ben"))
	stated := galena.Observation{ID: "o-1", Entity: "acme.de", Field: headcount, Value: galena.Number(46), Source: "crm:one",
		Class: galena.ClassCRM, ObservedAt: s.clock.now(), FetchedAt: s.clock.now()}
	s.ok(s.AddObservations(s.ctx, []galena.Observation{stated}))
	m, err := s.CompanyMemory(s.ctx, "acme.de")
	s.ok(err)
	if m.CompanyDomain() != "acme.com" || m.AccountOwner != "ben" || len(m.Observations) != 1 || !m.Lead.Spendable || m.Lead.ID != "" || m.OpenLeadOwner != "" {
		s.Errorf("%+v, want acme.com with its owner and what was said, and no lead", m)
	}
	s.ok(s.SaveCompany(s.ctx, galena.Company{Domain: "acme.com", UpdatedAt: s.clock.now(), Facts: galena.Facts{headcount: galena.KnownFact(headcount, galena.Number(46), "crm:one", s.clock.now())}},
		[]*galena.Observation{&stated}))
	c, err := s.Company(s.ctx, "acme.de")
	s.ok(err)
	if c.Facts.Get(headcount).Value.Lo != 46 {
		s.Errorf("the record is %+v", c)
	}
}

func aliasRead(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	id := s.begun(at("acme.de"))
	r := s.ruling(id, to("ana", true))
	r.Company.Domain = "acme.com"
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	for _, domain := range []string{"acme.de", "acme.com"} {
		c, err := s.Company(s.ctx, domain)
		s.ok(err)
		if c.Domain != "acme.com" || c.Owner != "ana" || c.Facts.Get(headcount).Value.Raw != "51-200" {
			s.Errorf("%s finds %+v", domain, c)
		}
	}
	rec, err := s.Record(s.ctx, id)
	s.ok(err)
	if rec.Lead.Domain != "acme.de" || rec.Company.Domain != "acme.com" || rec.Company.Owner != "ana" {
		s.Errorf("record %+v, %+v", rec.Lead.Domain, rec.Company)
	}
	list, err := s.Records(s.ctx, galena.LeadFilter{})
	s.ok(err)
	if len(list) != 1 || list[0].Company.Domain != "acme.com" {
		s.Errorf("list %+v", list)
	}
	if owner := s.memoryAt("acme.com").AccountOwner; owner != "ana" {
		s.Errorf("a colleague at acme.com meets owner %q, want ana", owner)
	}
}

func linkFlat(s *bench) {
	s.link("acme.at", "acme.de", "alias")
	s.link("acme.de", "acme.com", "alias")
	s.link("acme.ch", "acme.at", "brand")
	for _, domain := range []string{"acme.at", "acme.de", "acme.ch"} {
		if m := s.memoryAt(domain); m.Company != "acme.com" || len(m.Domains) != 4 {
			s.Errorf("%s belongs to %s, known by %v", domain, m.Company, m.Domains)
		}
	}
	trail, err := s.AuditTrail(s.ctx, 10)
	s.ok(err)
	var moved []string
	for _, e := range trail {
		moved = append(moved, e.Target)
	}
	slices.Sort(moved)
	if want := "acme.at acme.at acme.ch acme.de"; strings.Join(moved, " ") != want {
		s.Errorf("the trail tells of %v, want %s", moved, want)
	}
}

func linkUndone(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	s.unlink("acme.de")
	s.unlink("acme.de") // said twice, it is done once
	if m := s.memoryAt("acme.de"); m.Company != "acme.de" || !slices.Equal(m.Domains, []string{"acme.de"}) {
		s.Errorf("%+v, want a company by itself", m)
	}
	if got := s.linked(); len(got) != 2 || got[1] != "acme.de: account of acme.de, before of acme.com, by ben" {
		s.Errorf("the trail tells of %q", got)
	}
}

func linkRefused(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	s.link("acme.at", "acme.com", "former")
	refuse := func(domain, company, kind string, want galena.Kind, op string) {
		s.Helper()
		_, err := s.LinkDomain(s.ctx, galena.DomainLink{Domain: domain, Company: company, Kind: kind, By: "ana"})
		s.refused(err, want, op)
	}
	refuse("acme.com", "acme.de", "alias", galena.Conflict, "linked")    // a circle
	refuse("acme.de", "globex.test", "alias", galena.Conflict, "linked") // it leads elsewhere
	refuse("acme.de", "acme.de", "alias", galena.Invalid, "")
	refuse("", "acme.de", "alias", galena.Invalid, "")
	refuse("acme.ch", "acme.de", "account", galena.Invalid, "")
	_, err := s.UnlinkDomain(s.ctx, "acme.de", "globex.test", "ana")
	s.refused(err, galena.Conflict, "linked")
	if got := s.linked(); len(got) != 2 {
		s.Errorf("the trail tells of %q, want the two links", got)
	}
}

func linkOnce(s *bench) {
	for range 2 {
		names := s.link("acme.de", "acme.com", "regional")
		if names.Domain != "acme.com" || len(names.Aliases) != 1 || names.Aliases[0] != (galena.DomainLink{Domain: "acme.de", Company: "acme.com", Kind: "regional"}) {
			s.Errorf("names %+v", names)
		}
	}
	s.link("acme.de", "acme.com", "former")
	want := []string{"acme.de: regional of acme.com, before of acme.de, by ana", "acme.de: former of acme.com, before of acme.com, by ana"}
	if got := s.linked(); !slices.Equal(got, want) {
		s.Errorf("the trail tells of %q, want %q", got, want)
	}
	for _, domain := range []string{"acme.com", "acme.de"} {
		names, err := s.CompanyNames(s.ctx, domain)
		s.ok(err)
		if names.Domain != "acme.com" || len(names.Aliases) != 1 || names.Aliases[0].Kind != "former" {
			s.Errorf("%s: %+v", domain, names)
		}
	}
}

// Links in a ring, all at once: whatever wins, every domain leads to one company
// that leads nowhere.
func linksAtOnce(s *bench) {
	ring := []string{"a.test", "b.test", "c.test", "d.test"}
	parallel(len(ring), func(i int) {
		_, err := s.LinkDomain(s.ctx, galena.DomainLink{Domain: ring[i], Company: ring[(i+1)%len(ring)], Kind: "alias", By: "ana"})
		if err != nil && galena.KindOf(err) != galena.Conflict {
			s.Error(err)
		}
	})
	for _, domain := range ring {
		names, err := s.CompanyNames(s.ctx, domain)
		s.ok(err)
		if len(names.Aliases) != len(ring)-1 {
			s.Errorf("%s belongs to %+v, want one company of four", domain, names)
		}
	}
}

func aliasOwner(s *bench) {
	s.ok(s.SetAccountOwner(s.ctx, "acme.de", "ben"))
	s.clock.pass(time.Minute)
	s.link("acme.de", "acme.com", "alias")
	if owner := s.memoryAt("acme.com").AccountOwner; owner != "ben" {
		s.Errorf("owner %q, want the alias's", owner)
	}
	s.ok(s.SetAccountOwner(s.ctx, "acme.de", "ana"))
	if owner := s.memoryAt("acme.de").AccountOwner; owner != "ana" {
		s.Errorf("owner %q, want the one the CRM named last", owner)
	}
	s.ok(s.SetAccountOwner(s.ctx, "acme.com", ""))
	s.clock.pass(48 * time.Hour)
	if owner := s.memoryAt("acme.de").AccountOwner; owner != "" {
		s.Errorf("owner %q, want nobody", owner)
	}
}

func aliasConflicts(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	s.link("acme.de", d.Entity, "alias")
	if got := s.only(galena.ConflictFilter{Entity: "acme.de"}); got.ID != d.ID {
		s.Errorf("found %+v", got)
	}
	if m := s.memoryAt("acme.de"); len(m.Disputes) != 1 {
		s.Errorf("remembered %+v", m.Disputes)
	}
}
