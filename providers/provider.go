package providers

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Query is what a vendor is asked: all it learns of a lead is the company's
// domain and, of one that cannot be asked by domain, what its Spec says it needs.
type Query struct {
	Domain string            // registrable, A-label, lower case
	Known  map[string]string // field -> value, of the fields in Spec.Needs and no others
	Ticket string            // what a vendor that answers later calls back with; "" = it is not to call
}

// Provider is one vendor. Enrich returns a record for a hit, a NotFound error
// for a clean miss and an error with any other Kind for the rest. The record is
// the caller's, who completes it. Its errors never carry the key, a URL or the
// vendor's words.
type Provider interface {
	Enrich(ctx context.Context, q Query) (Record, error)
}

// Record is what a vendor said of a company. An adapter fills Field, Value and
// Ref, and where the vendor tells them Confidence and ObservedAt; the waterfall
// adds the rest.
type Record struct {
	Observations []galena.Observation
	CostMicros   *int64            // what this call really cost; nil = as configured
	Credits      *int64            // or how many credits, of a vendor that counts them: each at the configured price
	Unmapped     map[string]string // field -> the vendor's word that no table of ours knows
}

// Add notes one value. A value that carries nothing leaves its field unknown,
// and so does one that cannot be true.
func (r *Record) Add(field string, v galena.Value, ref string) {
	if v.Type == "" || v.Type != galena.TypeSet && v.Empty() {
		return
	}
	if !plausible(field, v) {
		r.unmapped(field, v.String())
		return
	}
	if r.Observations == nil {
		r.Observations = make([]galena.Observation, 0, usual)
	}
	r.Observations = append(r.Observations, galena.Observation{Field: field, Value: kept(v), Ref: ref})
}

// usual is how many values a vendor tells of a company that it knows well.
const usual = 16

// kept is a value that does not keep the answer alive in which it was found.
func kept(v galena.Value) galena.Value {
	v.Text, v.Raw = strings.Clone(v.Text), strings.Clone(v.Raw)
	if len(v.Set) > 0 {
		set := make([]string, len(v.Set))
		for i := range v.Set {
			set[i] = strings.Clone(v.Set[i])
		}
		v.Set = set
	}
	return v
}

// Vouch says of all values so far how sure the vendor is of them and when they
// were true; 0 and the zero time are what it does not tell.
func (r *Record) Vouch(confidence float64, at time.Time) {
	for i := range r.Observations {
		r.Observations[i].Confidence, r.Observations[i].ObservedAt = confidence, at
	}
}

// unmapped remembers a word that could not be mapped, so that it is seen and
// can be mapped later, and never scored as zero.
func (r *Record) unmapped(field, raw string) {
	if r.Unmapped == nil {
		r.Unmapped = map[string]string{}
	}
	r.Unmapped[field] = raw
}

// Settings are what an adapter gets when it is made.
type Settings struct {
	ID      string // the catalogue's id; several may share an adapter
	BaseURL string // scheme, host and whatever stands before the vendor's own path
	Key     string
	Auth    string // how the key is shown, of a vendor that leaves the choice: one of its Spec's
	Contact string // whom a vendor may turn to, of one that demands it
	Client  *http.Client
	Now     func() time.Time
	Wire    *Wire // what the vendor's contract is, of one that the catalogue describes

	way func(to *net.TCPAddr) error // whether our own routes lead to an address; nil asks the kernel
}

// Spec says everything about a vendor that an operator does not have to.
type Spec struct {
	Name  string // the id in a catalogue: the folder's name, with "-service" behind it for a further service
	Title string
	Docs  string // the vendor's documentation

	BaseURL    string // "" = an operator must give one
	Direct     bool   // it asks the company's own domain and needs no address
	Keyless    bool
	Contact    bool     // it demands to know whom to turn to
	Auths      []string // how the key may be shown (bearer, basic, raw), the usual way first; none = the adapter knows
	KeyOf      string   // the vendor whose key and address it uses where it has none of its own
	CostMicros int64    // of one call, in millionths of a dollar
	Assumed    bool     // no document at hand names the price: an operator should set the plan's own
	PerMatch   bool     // misses are free
	P95        time.Duration
	Timeout    time.Duration
	Trust      float64 // 0..1: the weight of its word in a merge
	Class      galena.SourceClass
	SetClosed  bool               // its sets list everything there is
	Needs      []string           // fields of the company that must be known before it can be asked
	Rate       float64            // calls per second it allows; 0 = as many as we like
	Burst      int                // calls at once
	Fields     map[string]float64 // field -> share of companies for which it is answered

	New func(Settings) (Provider, error)
}
