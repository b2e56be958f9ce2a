package merging

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// The constants of SEMANTICS 3 and 5.
const (
	yearSeconds   = 31_557_600
	ttlCap        = 730 * day
	million       = 1_000_000
	strangerTrust = 0.5 // a provider whom no file gives a weight
)

// Policy is a checked configuration with the catalogue's weights. It never
// changes and is safe for concurrent use.
type Policy struct {
	fields map[string]*rules
	others *rules
}

// rules are a field's settings with nothing left open.
type rules struct {
	decay    float64
	ttl      time.Duration
	maxStale time.Duration
	rank     map[galena.SourceClass]int
	trust    []map[string]float64 // the first that names the source decides
}

// New checks the configuration and joins it with the providers' trust.
func New(c Config, trust map[string]float64) (*Policy, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	base := Defaults()
	resolve := func(layers ...Field) *rules {
		return settle(append(layers, c.Defaults, Field{Classes: c.Classes}, base.Defaults), trust)
	}
	p := &Policy{fields: map[string]*rules{}, others: resolve()}
	for name, f := range base.Fields {
		p.fields[name] = resolve(f)
	}
	for name, f := range c.Fields {
		p.fields[name] = resolve(f, base.Fields[name])
	}
	return p, nil
}

// settle takes each setting from the first layer that has it.
func settle(layers []Field, trust map[string]float64) *rules {
	r := &rules{}
	var decay, q *float64
	var order []galena.SourceClass
	for _, f := range layers {
		if decay == nil {
			decay = f.Decay
		}
		if q == nil {
			q = f.Q
		}
		if r.maxStale == 0 {
			r.maxStale = time.Duration(f.MaxStale)
		}
		if len(order) == 0 {
			order = f.Classes
		}
		if f.Trust != nil {
			r.trust = append(r.trust, f.Trust)
		}
	}
	r.trust = append(r.trust, trust)
	r.decay, r.ttl = *decay, ttl(*decay, *q)
	if r.maxStale == 0 {
		r.maxStale = 2 * r.ttl
	}
	r.rank = map[galena.SourceClass]int{}
	for _, c := range slices.Concat(order, galena.SourceClasses()) {
		if _, twice := r.rank[c]; !twice {
			r.rank[c] = len(r.rank)
		}
	}
	return r
}

// ttl is when the tolerated share q of values has become stale, in whole days.
func ttl(decay, q float64) time.Duration {
	if decay == 0 {
		return ttlCap
	}
	years := math.Log(1-q) / math.Log(1-decay)
	return min(ttlCap, time.Duration(math.Round(years*yearSeconds/86400))*day)
}

func (p *Policy) rules(field string) *rules {
	if r, ok := p.fields[field]; ok {
		return r
	}
	return p.others
}

// TTL is how long a value of the field counts as fresh.
func (p *Policy) TTL(field string) time.Duration { return p.rules(field).ttl }

// MaxStale is the age beyond which a value of the field is unknown.
func (p *Policy) MaxStale(field string) time.Duration { return p.rules(field).maxStale }

// vote is an observation that counts, with its weight. The observation is the
// caller's and is not changed.
type vote struct {
	*galena.Observation
	rank   int    // of its class, 0 is strongest
	conf   int64  // effective confidence in millionths
	weight int64  // trust × conf, in millionths of millionths
	closed bool   // a set that lists everything there is
	key    string // the form in which values other than numbers are compared
	voter  string // who casts it
}

// vote weighs an observation; ok is false when it says nothing or has expired.
func (r *rules) vote(o *galena.Observation, now time.Time) (v vote, ok bool) {
	class := classOf(o)
	human := class == galena.ClassHuman || class == galena.ClassHumanLocked
	age := time.Duration(0)
	if !o.ObservedAt.IsZero() && now.After(o.ObservedAt) {
		age = now.Sub(o.ObservedAt)
	}
	if o.Value.Empty() && !o.Absent || age > r.maxStale && !human {
		return vote{}, false
	}
	confidence := o.Confidence
	if confidence <= 0 || confidence > 1 {
		confidence = 1
	}
	years := age.Seconds() / yearSeconds
	v = vote{Observation: o, rank: r.rank[class], closed: o.Value.Closed || o.Absent}
	v.conf = millionths(confidence * math.Pow(1-r.decay, years))
	v.weight = v.conf * millionths(r.trustIn(o.Source, class))
	v.voter = voterOf(o, class)
	return v, true
}

func millionths(x float64) int64 { return int64(math.Floor(x*million + 0.5)) }

func (r *rules) trustIn(source string, class galena.SourceClass) float64 {
	for _, t := range r.trust {
		if w, ok := t[source]; ok {
			return w
		}
	}
	if class == galena.ClassProvider || class == galena.ClassCrawl || class == galena.ClassInferred {
		return strangerTrust
	}
	return 1
}

// classOf reads the class from the source where nobody gave one.
func classOf(o *galena.Observation) galena.SourceClass {
	if o.Class != "" {
		return o.Class
	}
	family, _, _ := strings.Cut(o.Source, ":")
	switch family {
	case "import", "crm":
		return galena.ClassCRM
	case "form", "hygiene":
		return galena.ClassForm
	case "human":
		return galena.ClassHuman
	default:
		return galena.ClassProvider
	}
}

// voterOf is who casts the vote: a source has one vote, its latest, and so do all
// people together, because the newer word of a person replaces the older.
func voterOf(o *galena.Observation, class galena.SourceClass) string {
	switch {
	case class == galena.ClassHuman || class == galena.ClassHumanLocked:
		return string(class)
	case o.Source == "":
		return "#" + o.ID
	default:
		return o.Source
	}
}
