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
	"ALinkIsNeverAChain":                 linkFlat,
	"ALinkIsUndoneByLinkingToItself":     linkUndone,
	"ALinkInACircleIsRefused":            linkCircle,
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

func aliasRemembered(s *bench) {
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
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

func aliasRead(s *bench) {
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
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
	s.ok(s.SetCompanyDomain(s.ctx, "acme.at", "acme.de", "alias"))
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
	s.ok(s.SetCompanyDomain(s.ctx, "acme.ch", "acme.at", "brand"))
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
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.de", "alias"))
	if m := s.memoryAt("acme.de"); m.Company != "acme.de" || !slices.Equal(m.Domains, []string{"acme.de"}) {
		s.Errorf("%+v, want a company by itself", m)
	}
}

func linkCircle(s *bench) {
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
	s.refused(s.SetCompanyDomain(s.ctx, "acme.com", "acme.de", "alias"), galena.Invalid, "")
	s.refused(s.SetCompanyDomain(s.ctx, "", "acme.de", "alias"), galena.Invalid, "")
}

func aliasOwner(s *bench) {
	s.ok(s.SetAccountOwner(s.ctx, "acme.de", "ben"))
	s.clock.pass(time.Minute)
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", "acme.com", "alias"))
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
	s.ok(s.SetCompanyDomain(s.ctx, "acme.de", d.Entity, "alias"))
	if got := s.only(galena.ConflictFilter{Entity: "acme.de"}); got.ID != d.ID {
		s.Errorf("found %+v", got)
	}
	if m := s.memoryAt("acme.de"); len(m.Disputes) != 1 {
		s.Errorf("remembered %+v", m.Disputes)
	}
}
