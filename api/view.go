package api

import (
	"math"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Lead is one lead as it is read.
type Lead struct {
	ID         string            `json:"id"`
	ExternalID *string           `json:"external_id"`
	Status     galena.LeadStatus `json:"status" enum:"accepted,decided,quarantined,internal"`
	Verdict    galena.Verdict    `json:"verdict" enum:"accept,confirm,quarantine,internal"`
	Codes      []string          `json:"codes" nullable:"false" doc:"What hygiene has to say"`
	Email      string            `json:"email"`
	Domain     string            `json:"domain" doc:"The company's registrable domain, empty when there is none"`
	CreatedAt  time.Time         `json:"created_at"`
	DecidedAt  *time.Time        `json:"decided_at"`
	Company    map[string]any    `json:"company" doc:"What is known of the company, by short field name"`
	Decision   *Decision         `json:"decision" doc:"null while the lead is undecided"`
}

// Decision is the current decision, in short.
type Decision struct {
	Epoch       int         `json:"epoch"`
	Score       float64     `json:"score"`
	Lo          float64     `json:"lo"`
	Hi          float64     `json:"hi"`
	Coverage    float64     `json:"coverage"`
	Confidence  float64     `json:"confidence"`
	Tier        string      `json:"tier"`
	Settled     bool        `json:"settled"`
	Provisional bool        `json:"provisional"`
	Undecided   bool        `json:"undecided"`
	Stop        galena.Stop `json:"stop"`
	Cents       float64     `json:"cents"`
	Calls       int         `json:"calls"`
	Rule        string      `json:"rule"`
	To          string      `json:"to"`
	Owner       *string     `json:"owner"`
	Reasons     []string    `json:"reasons" nullable:"false"`
}

// Why is a decision with everything that led to it.
type Why struct {
	LeadID        string                     `json:"lead_id"`
	ExternalID    *string                    `json:"external_id"`
	Status        galena.LeadStatus          `json:"status"`
	Verdict       galena.Verdict             `json:"verdict"`
	Codes         []string                   `json:"codes" nullable:"false"`
	Decision      *Decision                  `json:"decision"`
	Disqualified  *galena.Disqualification   `json:"disqualified"`
	Disqualifiers []galena.DisqualifierState `json:"disqualifiers" nullable:"false"`
	Rows          []galena.Row               `json:"rows" nullable:"false" doc:"One per criterion: what was known and what it earned"`
	WouldChange   *galena.Hint               `json:"would_change"`
	Steps         []galena.Call              `json:"steps" nullable:"false" doc:"Who was asked, why, and what it brought"`
	Territory     string                     `json:"territory"`
	Rules         []galena.RuleTry           `json:"rules" nullable:"false" doc:"Routing rules tried, in their order"`
	Candidates    []galena.Candidate         `json:"candidates" nullable:"false" doc:"Reps who were considered"`
	Configs       []galena.ConfigRef         `json:"configs" nullable:"false" doc:"The exact configuration files; of kind Means: the portfolio means that estimated the unknown fields"`
	Notices       []galena.Notice            `json:"notices" nullable:"false" doc:"What the data says that came after a decision; the decision stays as it was made"`
}

// Company is the record of a company: each value with where it is from.
type Company struct {
	Domain    string                 `json:"domain"`
	Owner     *string                `json:"owner"`
	UpdatedAt *time.Time             `json:"updated_at"`
	Fields    map[string]CompanyFact `json:"fields"`
	Aliases   []Alias                `json:"aliases" nullable:"false" doc:"Further domains that lead to it"`
	Conflicts []Conflict             `json:"conflicts" nullable:"false" doc:"What the sources disagree on, as long as it is open"`
}

// CompanyFact is one value with its source, age and confidence.
type CompanyFact struct {
	State      galena.State `json:"state" enum:"known,partial,absent"`
	Value      any          `json:"value"`
	Source     string       `json:"source"`
	Confidence float64      `json:"confidence"`
	ObservedAt *time.Time   `json:"observed_at"`
	AgeDays    *int         `json:"age_days"`

	Freshness galena.Freshness `json:"freshness" enum:"fresh,stale,expired" doc:"stale: used with less confidence and asked for again; expired: as good as unknown"`
}

func viewLead(r galena.Record) Lead {
	l := r.Lead
	return Lead{ID: l.ID, ExternalID: orNull(l.ExternalID), Status: l.Status, Verdict: l.Verdict, Codes: orEmpty(l.Codes),
		Email: l.Email, Domain: l.Domain, CreatedAt: l.CreatedAt.UTC(), DecidedAt: timeOrNull(l.DecidedAt),
		Company: viewFacts(r), Decision: viewDecision(r.Decision)}
}

func viewDecision(d *galena.Decision) *Decision {
	if d == nil {
		return nil
	}
	return &Decision{Epoch: d.Epoch, Score: points(d.Score.Score), Lo: points(d.Lo), Hi: points(d.Hi), Coverage: d.Coverage,
		Confidence: d.Confidence, Tier: d.Tier, Settled: d.Settled, Provisional: d.Provisional, Undecided: d.Undecided,
		Stop: d.Stop, Cents: d.Cents, Calls: d.Calls, Rule: d.Rule, To: d.To, Owner: orNull(d.Owner), Reasons: orEmpty(d.TopReasons)}
}

func points(t galena.Tenths) float64 { return float64(t) / 10 }

// viewFacts is the company as plain facts; what was decided on wins.
func viewFacts(r galena.Record) map[string]any {
	out := map[string]any{}
	all := []galena.Facts{r.Company.Facts}
	if r.Decision != nil {
		all = append(all, r.Decision.Facts)
	}
	for _, facts := range all {
		for name, f := range facts {
			short, ok := strings.CutPrefix(name, "company.")
			if ok && (f.State == galena.Known || f.State == galena.Partial) {
				out[short] = f.Value.Plain()
			}
		}
	}
	if r.Company.Domain != "" {
		out["domain"] = r.Company.Domain
	}
	return out
}

func viewWhy(r galena.Record) Why {
	w := Why{LeadID: r.Lead.ID, ExternalID: orNull(r.Lead.ExternalID), Status: r.Lead.Status, Verdict: r.Lead.Verdict,
		Codes: orEmpty(r.Lead.Codes), Decision: viewDecision(r.Decision)}
	d := galena.Decision{}
	if r.Decision != nil {
		d = *r.Decision
	}
	w.Disqualified, w.WouldChange, w.Territory = d.Disqualified, d.WouldChange, d.Territory
	w.Disqualifiers, w.Rows, w.Steps = orEmpty(d.Disqualifiers), orEmpty(d.Rows), orEmpty(d.Steps)
	w.Rules, w.Candidates, w.Configs = orEmpty(d.Tries), orEmpty(d.Candidates), orEmpty(d.Configs)
	w.Notices = orEmpty(r.Notices)
	return w
}

func viewCompany(c galena.Company, now time.Time, ttl func(string) (fresh, held time.Duration)) Company {
	out := Company{Domain: c.Domain, Owner: orNull(c.Owner), UpdatedAt: timeOrNull(c.UpdatedAt), Fields: map[string]CompanyFact{}, Conflicts: []Conflict{}}
	for name, f := range c.Facts {
		short, ok := strings.CutPrefix(name, "company.")
		if !ok || f.State == galena.Unknown || f.State == "" {
			continue
		}
		v := CompanyFact{State: f.State, Freshness: galena.Fresh, Source: f.Source, Confidence: math.Round(f.Confidence*100) / 100, ObservedAt: timeOrNull(f.ObservedAt)}
		if f.State != galena.Absent {
			v.Value = f.Value.Plain()
		}
		if !f.ObservedAt.IsZero() {
			days := max(0, int(now.Sub(f.ObservedAt).Hours()/24))
			v.AgeDays = &days
			fresh, held := ttl(name)
			v.Freshness = galena.FreshnessOf(now.Sub(f.ObservedAt), fresh, held)
		}
		out.Fields[short] = v
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
