package worker

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

const (
	// profilesMost bounds the profiles that are kept: some five megabytes.
	profilesMost = 512
	// profileLeast is how many observations are worth keeping for: a lead is first
	// looked at with the word or two of its form, which are weighed in no time.
	profileLeast = 4
	// profileKept is how long one is used: it says how sure and how old values are
	// as of the moment it was made.
	profileKept = time.Minute
)

// profile is what one set of observations comes to, whoever the lead is. Nobody
// changes it: leads share it.
type profile struct {
	at        time.Time
	facts     galena.Facts
	conflicts []galena.Dispute // about the company, not judged yet
	// tense says that a criterion or a rule reads a field of a conflict: a decision
	// may hang on it, and each lead finds out. Of the others each side leads to the
	// decision that is made.
	tense   bool
	weighed merging.Weighed // for who finds out
}

// profiles keeps the profiles that were made lately. Most leads come from a
// company of which another one has just come, with the same observations; to
// weigh them again, a hundred kilobytes of garbage, was half of the work on such
// a lead. Observations are append-only, so their ids say what they say.
type profiles struct {
	mu       sync.Mutex
	now, old map[profileKey]*profile
}

// profileKey is the rules that weigh and read, and the ids of what is weighed.
type profileKey struct {
	merging *merging.Policy
	icp     *scoring.Profile
	routing *routing.Router
	ids     [sha256.Size]byte
}

// of is the profile that the observations come to, made now or a moment ago.
func (p *profiles) of(r *Rules, obs []*galena.Observation, now time.Time) *profile {
	if len(obs) < profileLeast {
		return newProfile(r, obs, now)
	}
	key, ok := keyOf(r, obs)
	if !ok {
		return newProfile(r, obs, now)
	}
	p.mu.Lock()
	held := p.now[key]
	if held == nil {
		held = p.old[key]
	}
	p.mu.Unlock()
	if held != nil && now.Sub(held.at).Abs() < profileKept {
		return held
	}
	made := newProfile(r, obs, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil || len(p.now) >= profilesMost/2 {
		p.old, p.now = p.now, map[profileKey]*profile{}
	}
	p.now[key] = made
	return made
}

// keyOf names what is weighed. What has no id cannot be told from something else.
func keyOf(r *Rules, obs []*galena.Observation) (key profileKey, ok bool) {
	b := make([]byte, 0, 1<<10)
	for _, o := range obs {
		if o.ID == "" {
			return key, false
		}
		b = append(append(b, o.ID...), 0)
	}
	return profileKey{r.Merging, r.ICP, r.Routing, sha256.Sum256(b)}, true
}

func newProfile(r *Rules, obs []*galena.Observation, now time.Time) *profile {
	p := &profile{at: now, weighed: r.Merging.Weigh(obs, now)}
	p.facts = p.weighed.Facts()
	for _, d := range p.weighed.Conflicts(merging.Lens{Band: r.band(now)}) {
		if strings.HasPrefix(d.Field, "company.") {
			p.tense = p.tense || r.read(d.Field)
			p.conflicts = append(p.conflicts, d)
		}
	}
	if !p.tense {
		p.weighed = merging.Weighed{} // nobody will ask what else it could have come to
	}
	return p
}

// band names the bands of the profile in force.
func (r *Rules) band(now time.Time) func(string, galena.Value) string {
	return func(field string, v galena.Value) string { return r.ICP.Band(field, v, now) }
}
