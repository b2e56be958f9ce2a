package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Options are what the process decides about hygiene, not the file.
type Options struct {
	AllowReserved bool // let .example and .test through: demonstrations and tests
}

// Known is what the store remembers about the sender of a submission.
type Known struct {
	Suppressed   bool
	DomainKnown  bool     // an account or a held answer has this domain
	KnownDomains []string // accounts, as candidates for what was meant

	near *accounts // the same, ready to be searched; nil = nobody made it ready
}

// accounts are the known domains in the form in which a lead searches them. There may
// be many, and to sort them anew for each lead took longer than all else it costs.
type accounts struct {
	names set
	meant candidates
}

func accountsOf(domains []string) *accounts {
	a := &accounts{names: set{}}
	a.names.add(domains...)
	for _, d := range domains {
		a.meant.add(d, false)
	}
	return a
}

// Judge is hygiene with its lists. It is safe for concurrent use.
type Judge struct {
	options    Options
	freemail   set
	disposable set
	shared     set
	own        set
	competitor set
	nullMX     set
	known      set
	roles      set
	suppressed set
	companies  set
	meant      candidates
}

// NewJudge checks the configuration and builds the lists.
func NewJudge(c Config, o Options) (*Judge, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	j := &Judge{options: o, freemail: set{}, disposable: set{}, shared: set{}, own: set{}, competitor: set{},
		nullMX: set{}, known: set{}, roles: set{}, suppressed: set{}, companies: set{}}
	based, err := c.InForce()
	if err != nil {
		return nil, err
	}
	listed := map[string]set{"freemail": j.freemail, "disposable": j.disposable, "companies": j.companies}
	for _, l := range based {
		listed[l.Name].add(l.Entries...)
		if l.Name == "freemail" {
			j.meant.listing(l.Entries)
		}
	}
	into := map[string]set{"freemail": j.freemail, "disposable": j.disposable, "shared": j.shared, "own": j.own,
		"competitors": j.competitor, "null_mx": j.nullMX, "known_domains": j.known}
	for _, l := range c.domainLists() {
		for _, d := range *l.items {
			into[l.name].add(readHost(strings.TrimSpace(d)).ascii)
		}
	}
	j.roles.add(baseRoles()...)
	for _, r := range c.RoleLocals {
		j.roles.add(strings.ToLower(r))
	}
	for _, s := range c.SuppressedSHA256Of {
		k, _ := suppressionKey(s)
		j.suppressed.add(k)
	}
	// What the operator named is a candidate in full, however short.
	for _, d := range slices.Concat(c.Freemail, c.KnownDomains) {
		j.meant.add(readHost(strings.TrimSpace(d)).ascii, false)
	}
	return j, nil
}

// Judge says what a submission is worth, and why. It asks nobody.
func (j *Judge) Judge(s galena.Submission, known Known) galena.Judgement {
	return j.judge(s, readAddress(s.Email), known, true)
}

// Check judges an address as Judge does, blind to who asked to be left alone.
func (j *Judge) Check(email string, known Known) galena.Judgement {
	return j.judge(galena.Submission{Email: email}, readAddress(email), known, false)
}

func (j *Judge) judge(s galena.Submission, a address, known Known, remembers bool) galena.Judgement {
	f := findings{judge: j, address: a, website: s.Website}
	f.robot(s)
	if a.trimmed {
		f.say(codeTrimmed)
	}
	f.place()
	if f.readable() {
		if remembers {
			f.memory(known)
		}
		f.class()
		f.typo(known)
	}
	return f.judgement()
}

// digest is how a suppressed address is compared without being kept.
func digest(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum[:])
}

// listed says that somebody put this very host, or a parent of it, on a list:
// then it is a mailbox host even where the public-suffix list calls it a suffix.
func (j *Judge) listed(hosts []string) bool {
	return slices.ContainsFunc([]set{j.freemail, j.disposable, j.shared, j.own, j.competitor, j.known, j.nullMX},
		func(s set) bool { return s.hasAny(hosts) })
}

// nobodys says that the domain is no customer's: mailboxes for everybody, or our own.
func (j *Judge) nobodys(domain string) bool {
	return j.freemail.has(domain) || j.disposable.has(domain) || j.shared.has(domain) || j.own.has(domain)
}

// allowed lets the two documentation domains through where the process says so.
func (j *Judge) allowed(host string) bool {
	t := topLevel(host)
	return j.options.AllowReserved && (t == "example" || t == "test")
}
