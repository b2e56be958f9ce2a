package intake

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// shortest is how long a person needs at least for a form, in milliseconds.
const shortest = 1500

// findings is one judgement in the making: the steps of hygiene in their order.
type findings struct {
	judge    *Judge
	address  address
	website  string
	hosts    []string // the host and its parents, down to the registrable domain
	domain   string   // registrable
	role     bool
	kind     galena.EmailClass
	resolved string // company domain from the website
	codes    []string
}

func (f *findings) say(code string) { f.codes = append(f.codes, code) }

// readable says that the address has both its halves, so that it can be known.
func (f *findings) readable() bool { return f.address.key != "" && f.domain != "" }

// robot spots what only a robot does: it fills the field that nobody sees, or
// is faster than anybody.
func (f *findings) robot(s galena.Submission) {
	if strings.TrimSpace(s.Honeypot) != "" || s.ElapsedMS > 0 && s.ElapsedMS < shortest {
		f.say(codeBotSuspect)
	}
}

// place judges the address as a text and its domain as a name.
func (f *findings) place() {
	a := f.address
	if a.fault != "" {
		f.say(a.fault)
	}
	if a.long && a.fault != codeAddressTooLong {
		f.say(codeAddressTooLong)
	}
	if a.fault == codeSyntax || a.host == "" || a.fault == codeSingleLabel {
		return
	}
	if a.lowered {
		f.say(codeLowercased)
	}
	if a.dotted {
		f.say(codeTrailingDot)
	}
	if a.tagged {
		f.say(codePlusTag)
	}
	if mixedScript(a.host) {
		f.say(codeMixedScript)
	}
	if international(a.host) {
		f.say(codeIDN)
	}
	if reserved(a.host) && !f.judge.allowed(a.host) {
		f.say(codeReserved)
	}
	f.domain = registrable(a.host)
	if f.domain == "" && f.judge.listed([]string{a.host}) {
		f.domain = a.host
	}
	if f.domain == "" {
		f.say(codePublicSuffix)
		return
	}
	f.hosts = parents(a.host, f.domain)
	if f.domain != a.host && !f.judge.listed([]string{a.host}) {
		f.say(codeSubdomainOf + f.domain)
	}
}

// memory looks for people who asked to be left alone.
func (f *findings) memory(known Known) {
	listed := func(s string) bool { return f.judge.suppressed.has(digest(s)) }
	if known.Suppressed || len(f.judge.suppressed) > 0 && (listed(f.address.canonical()) || slices.ContainsFunc(f.hosts, listed)) {
		f.say(codeSuppressed)
	}
}

// class says what kind of mailbox it is, and whose.
func (f *findings) class() {
	on := func(s set) bool { return s.hasAny(f.hosts) }
	f.role = f.judge.roles.has(f.address.key)
	f.kind = galena.Corporate
	if f.role {
		f.kind = galena.Role
		f.say(codeRoleAddress)
	}
	switch j := f.judge; {
	case on(j.own):
		f.kind = galena.Own
		f.say(codeOwnDomain)
	case on(j.disposable):
		f.kind = galena.Disposable
		f.say(codeDisposable)
	case on(j.freemail):
		f.kind = galena.Freemail
		f.say(codeFreemail)
		f.fromWebsite()
	case on(j.shared):
		f.kind = galena.Shared
		f.say(codeSharedDomain)
		f.fromWebsite()
	}
	if on(f.judge.competitor) {
		f.say(codeCompetitor)
	}
	if on(f.judge.nullMX) {
		f.say(codeNullMX)
	}
}

// fromWebsite finds the company of somebody whose mailbox names none.
func (f *findings) fromWebsite() {
	d := websiteDomain(f.website)
	j := f.judge
	if d == "" || mixedScript(d) || reserved(d) && !j.allowed(d) || j.nobodys(d) {
		return
	}
	f.resolved = d
	f.say(codeFromWebsite + d)
}

// typo asks whether a near neighbour was meant. Whatever is on a list or known
// to anybody here was meant.
func (f *findings) typo(known Known) {
	if known.DomainKnown || f.judge.listed(f.hosts) || f.judge.companies.hasAny(f.hosts) {
		return
	}
	near := known.near
	if near == nil {
		near = accountsOf(known.KnownDomains)
	}
	if near.names.has(f.domain) || near.names.has(f.address.host) {
		return
	}
	if d := didYouMean(f.domain, &f.judge.meant, &near.meant); d != "" {
		f.say(codeDidYouMean + d)
	}
}

// judgement weighs the codes into a verdict.
func (f *findings) judgement() galena.Judgement {
	out := galena.Judgement{Verdict: verdict(f.codes), Codes: sorted(f.codes), Email: f.address.text, Role: f.role}
	if f.readable() {
		out.Key, out.Host = f.address.canonical(), f.address.host
	}
	if out.Verdict == galena.Reject {
		out.Role = false
		return out
	}
	out.Class = f.kind
	switch {
	case out.Verdict == galena.Drop || out.Verdict == galena.Confirm:
	case f.kind == galena.Freemail || f.kind == galena.Shared:
		out.Domain = f.resolved
	default:
		out.Domain = f.domain
	}
	out.Spendable = out.Verdict == galena.Accept && out.Domain != ""
	return out
}
