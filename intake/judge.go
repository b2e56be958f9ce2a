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
	meant      []candidate
}

// NewJudge checks the configuration and builds the lists.
func NewJudge(c Config, o Options) (*Judge, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	j := &Judge{options: o, freemail: set{}, disposable: set{}, shared: set{}, own: set{}, competitor: set{},
		nullMX: set{}, known: set{}, roles: set{}, suppressed: set{}}
	for name, to := range map[string]set{"freemail": j.freemail, "disposable": j.disposable} {
		words, err := baseList(lists, name)
		if err != nil {
			return nil, err
		}
		to.add(words...)
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
	return j, j.setMeant(c)
}

// setMeant collects what somebody may have meant: the mailbox hosts that people
// use and whatever the operator named. The whole free-mail list would hold a
// tenth of the best known companies for a question, each for its likeness to a
// host that nobody uses.
func (j *Judge) setMeant(c Config) error {
	hosts, err := baseList(lists, "mailhosts")
	if err != nil {
		return err
	}
	for _, h := range hosts {
		m := newCandidate(h)
		label, _, _ := strings.Cut(h, ".")
		m.suffixOnly = len(label) < tellingLabel
		j.meant = append(j.meant, m)
	}
	for _, d := range slices.Concat(c.Freemail, c.KnownDomains) {
		j.meant = append(j.meant, newCandidate(readHost(strings.TrimSpace(d)).ascii))
	}
	return nil
}

// Judge says what a submission is worth, and why. It asks nobody.
func (j *Judge) Judge(s galena.Submission, known Known) galena.Judgement {
	a := readAddress(s.Email)
	f := findings{judge: j, address: a, website: s.Website}
	f.robot(s)
	if a.trimmed {
		f.say(codeTrimmed)
	}
	f.place()
	if f.readable() {
		f.memory(known)
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
