package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/galenahq/galena"
)

// noon is the clock of the sample leads: a Monday, two minutes after the first.
var noon = time.Date(2026, 11, 23, 14, 46, 0, 0, time.UTC)

// fakeStore is a small working store in memory.
type fakeStore struct {
	mu       sync.Mutex
	records  []galena.Record // newest first
	users    map[string]galena.User
	sessions map[string]galena.Session
	trail    []galena.AuditEntry
	states   []galena.ProviderState
	backlog  galena.Backlog
	regret   galena.Regret
	disputes []galena.Dispute
	pairs    []galena.Disagreement
	spent    map[string]int64
	scores   []galena.Scores
	scored   []time.Time // since when the scorecard was asked for
	words    []galena.Resolution
	down     error // answered to everything while set
}

const password = "correct horse battery staple"

func newFake(t *testing.T) *fakeStore {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]galena.User{}
	for name, role := range map[string]string{"ops": "ops", "root": "admin", "ana.souza": "rep"} {
		users[name] = galena.User{Name: name, Role: role, PasswordHash: hash}
	}
	return &fakeStore{users: users, sessions: map[string]galena.Session{}}
}

func (f *fakeStore) fail(err error) { f.mu.Lock(); f.down = err; f.mu.Unlock() }

// notice puts a remark beside a decision.
func (f *fakeStore) notice(id string, n galena.Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.records {
		if f.records[i].Lead.ID == id {
			f.records[i].Notices = append(f.records[i].Notices, n)
		}
	}
}

func (f *fakeStore) Record(_ context.Context, id string) (galena.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.records {
		if r.Lead.ID == id {
			return r, f.down
		}
	}
	return galena.Record{}, galena.Errorf(galena.NotFound, "sql.record", "no such lead")
}

func (f *fakeStore) Records(_ context.Context, q galena.LeadFilter) ([]galena.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []galena.Record
	for _, r := range f.records {
		tier, owner := "", ""
		if r.Decision != nil {
			tier, owner = r.Decision.Tier, r.Decision.Owner
		}
		if (q.Status == "" || q.Status == r.Lead.Status) && (q.Tier == "" || q.Tier == tier) &&
			(q.Owner == "" || q.Owner == owner) && (q.Before == "" || r.Lead.ID < q.Before) && len(out) < q.Limit {
			out = append(out, r)
		}
	}
	return out, f.down
}

func (f *fakeStore) ProviderStates(context.Context) ([]galena.ProviderState, error) {
	return f.states, f.down
}

func (f *fakeStore) Backlog(context.Context) (galena.Backlog, error) { return f.backlog, f.down }

func (f *fakeStore) Regret(context.Context) (galena.Regret, error) { return f.regret, f.down }

func (f *fakeStore) Conflicts(_ context.Context, q galena.ConflictFilter) ([]galena.Dispute, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []galena.Dispute
	for _, d := range f.disputes {
		if (q.Entity == "" || q.Entity == d.Entity) && (q.Status == "" || q.Status == d.Status) && (q.Severity == "" || q.Severity == d.Severity) {
			out = append(out, d)
		}
	}
	return out, f.down
}

func (f *fakeStore) Conflict(_ context.Context, id string) (galena.Dispute, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.disputes {
		if d.ID == id {
			return d, f.down
		}
	}
	return galena.Dispute{}, galena.Errorf(galena.NotFound, "sql.conflict", "no such conflict")
}

func (f *fakeStore) ResolveConflict(_ context.Context, r galena.Resolution) (galena.Dispute, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.disputes {
		if d := &f.disputes[i]; d.ID == r.ID {
			if d.Status != galena.ConflictOpen {
				return *d, galena.Errorf(galena.Conflict, "resolved", "over")
			}
			d.Status, d.ResolvedBy = galena.ConflictResolved, r.By
			f.words = append(f.words, r)
			return *d, f.down
		}
	}
	return galena.Dispute{}, galena.Errorf(galena.NotFound, "sql.conflict", "no such conflict")
}

func (f *fakeStore) Scorecard(_ context.Context, since time.Time) ([]galena.Scores, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scored = append(f.scored, since)
	return f.scores, f.down
}

func (f *fakeStore) Spent(_ context.Context, day string) (map[string]int64, error) {
	if day != galena.DayOf(noon) {
		return nil, fmt.Errorf("asked for %s", day)
	}
	return f.spent, f.down
}

func (f *fakeStore) DisagreementsByProvider(context.Context, time.Time) ([]galena.Disagreement, error) {
	return f.pairs, f.down
}

func (f *fakeStore) User(_ context.Context, name string) (galena.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.users[name]
	if !ok {
		return u, galena.Errorf(galena.NotFound, "sql.user", "no such user")
	}
	return u, f.down
}

func (f *fakeStore) PutSession(_ context.Context, s galena.Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[string(s.Hash)] = s
	return f.down
}

func (f *fakeStore) Session(_ context.Context, hash []byte) (galena.Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.sessions[string(hash)]
	if f.down != nil {
		return s, f.down
	}
	if !ok {
		return s, galena.Errorf(galena.NotFound, "sql.session", "no such session")
	}
	return s, nil
}

func (f *fakeStore) DeleteSession(_ context.Context, hash []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions, string(hash))
	return f.down
}

func (f *fakeStore) Audit(_ context.Context, e galena.AuditEntry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down == nil {
		f.trail = append(f.trail, e)
	}
	return f.down
}

// actions lists the audit trail as "actor action target".
func (f *fakeStore) actions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, e := range f.trail {
		out = append(out, strings.TrimSpace(e.Actor+" "+e.Action+" "+e.Target))
	}
	return out
}

// sample is one lead of testdata/leads.json.
type sample struct {
	N       int            `json:"n"`
	Email   string         `json:"email"`
	Verdict galena.Verdict `json:"verdict"`
	Codes   []string       `json:"codes"`
	Domain  string         `json:"company_domain"`
	Score   galena.Tenths  `json:"score"`
	Lo      galena.Tenths  `json:"lo"`
	Hi      galena.Tenths  `json:"hi"`
	Cover   float64        `json:"coverage"`
	Tier    string         `json:"tier"`
	Stop    string         `json:"stop"`
	Cents   float64        `json:"cents"`
	Calls   int            `json:"calls"`
	Rule    string         `json:"rule"`
	To      string         `json:"to"`
	Rows    []galena.Row   `json:"explain"`
	Steps   []galena.Call  `json:"steps"`
}

// samples are the sample leads with the decisions they must get, newest first,
// and one that is still in flight.
func samples(t *testing.T) []galena.Record {
	t.Helper()
	raw, err := os.ReadFile("testdata/leads.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&all); err != nil {
		t.Fatal(err)
	}
	var out []galena.Record
	for _, s := range all {
		if s.Verdict != galena.Drop && s.Verdict != galena.Reject {
			out = append(out, s.record())
		}
	}
	flying := galena.Record{Lead: galena.Lead{ID: sampleID(40), Status: galena.StatusAccepted, Name: "Ines Duarte", CreatedAt: noon.Add(-7 * time.Second), Form: "demo",
		Judgement: galena.Judgement{Verdict: galena.Accept, Email: "ines@porto-logistica.example", Domain: "porto-logistica.example", Class: galena.Corporate}}}
	out = append(out, flying)
	slices.Reverse(out)
	return out
}

func sampleID(n int) string { return fmt.Sprintf("019ab2c4-0000-7000-8000-%012d", n) }

// called makes a name of the part before the @.
func called(local string) string {
	local, _, _ = strings.Cut(local, "+")
	words := strings.Split(local, ".")
	for i, w := range words {
		words[i] = title(w)
	}
	return strings.Join(words, " ")
}

func (s sample) record() galena.Record {
	local, _, _ := strings.Cut(s.Email, "@")
	at := noon.Add(-16*time.Minute + time.Duration(20*s.N)*time.Second)
	lead := galena.Lead{ID: sampleID(s.N), ExternalID: fmt.Sprintf("form-%d", 1000+s.N), CreatedAt: at, Status: galena.StatusDecided, Form: "demo", Source: "website",
		Name:      called(local),
		Judgement: galena.Judgement{Verdict: s.Verdict, Codes: s.Codes, Email: s.Email, Domain: s.Domain, Class: galena.Corporate}}
	switch s.Verdict {
	case galena.Quarantine, galena.Confirm:
		lead.Status = galena.StatusQuarantined
		return galena.Record{Lead: lead}
	case galena.InternalOK:
		lead.Status = galena.StatusInternal
		return galena.Record{Lead: lead}
	}
	d := s.decision(lead)
	return galena.Record{Lead: lead, Company: galena.Company{Domain: s.Domain, Facts: d.Facts}, Decision: d}
}

func (s sample) decision(lead galena.Lead) *galena.Decision {
	stop, _, _ := strings.Cut(s.Stop, " ")
	stop, dq, _ := strings.Cut(stop, ":")
	d := &galena.Decision{LeadID: lead.ID, Epoch: 1, Stop: galena.Stop(stop), Cents: s.Cents, Calls: s.Calls, Steps: s.Steps, Rule: s.Rule, To: s.To,
		DecidedAt: lead.CreatedAt.Add(740 * time.Millisecond), Took: 740 * time.Millisecond, Facts: galena.Facts{},
		Configs: []galena.ConfigRef{{Kind: "ICP", Name: "b2b-saas", Version: 7, Hash: strings.Repeat("3fa9", 16)}, {Kind: "Routing", Name: "quarry-inbound", Version: 12, Hash: strings.Repeat("b07c", 16)}},
		Score: galena.Score{Score: s.Score, Lo: s.Lo, Hi: s.Hi, Coverage: s.Cover, Confidence: 0.97, Tier: s.Tier, Rows: s.Rows,
			Settled: !strings.Contains(s.Stop, "provisional"), Provisional: strings.Contains(s.Stop, "provisional"), Undecided: s.Rule == "undecided-high-intent"}}
	if dq != "" {
		d.Disqualified = &galena.Disqualification{ID: dq, Reason: map[string]string{"competitor": "Known competitor", "embargo": "Embargoed country"}[dq], Sink: "reject"}
	}
	today, sure := 0, 0.97
	for i := range d.Rows {
		r := &d.Rows[i]
		if r.State == galena.Unknown {
			d.WouldChange = &galena.Hint{Criterion: r.Criterion, Field: r.Field, Points: r.Hi - r.Lo}
			continue
		}
		r.AgeDays, r.EffectiveConfidence = &today, &sure
		f, _ := galena.LookupField(r.Field)
		v := galena.Value{Type: galena.TypeText, Text: r.Value}
		if f.Type == galena.TypeSet {
			v = galena.SetValue(strings.Split(r.Value, ","), true)
		}
		d.Facts[r.Field] = &galena.Fact{Field: r.Field, State: galena.Known, Value: v, Source: r.Source, Confidence: sure, ObservedAt: lead.CreatedAt}
		if r.Points >= 180 {
			d.TopReasons = append(d.TopReasons, fmt.Sprintf("+%s %s: %s", points(r.Points), title(r.Criterion), shownText(r.Field, r.Value)))
		}
	}
	s.route(d)
	return d
}

// route makes up what the router would have written.
func (s sample) route(d *galena.Decision) {
	rep := !strings.Contains(s.To, ":")
	for _, rule := range []string{"disqualified", "same-person-open-lead", "account-owner", "named-account", "tier-a", "tier-b", "undecided-high-intent", "tier-c"} {
		try := galena.RuleTry{Rule: rule, Result: galena.TruthOf(rule == s.Rule), Values: map[string]string{"decision.tier": s.Tier}}
		switch rule {
		case "disqualified":
			try.Values = map[string]string{"decision.disqualified": fmt.Sprint(s.Tier == "X")}
		case "same-person-open-lead", "account-owner", "named-account":
			try.Values = map[string]string{"match." + strings.ReplaceAll(rule, "-", "_"): "absent"}
		case "tier-a":
			if country := d.Facts.Get("company.hq_country"); country.State == galena.Unknown {
				try.Result = galena.UnknownTruth
				try.Values["decision.territory"] = "unknown"
			} else {
				try.Values["decision.territory"] = "latam"
			}
		}
		d.Tries = append(d.Tries, try)
		if rule == s.Rule {
			break
		}
	}
	for i := range d.Steps {
		d.Steps[i].MS = 120 + int64(i)*95
		if d.Steps[i].Outcome == "hit" {
			d.Steps[i].Added = map[string][]string{"gamma-tech": {"company.technologies"}, "alpha-firmo": {"company.employee_count", "company.industry", "company.hq_country"}}[d.Steps[i].Provider]
		}
	}
	if rep {
		d.Owner, d.Territory = s.To, "latam"
		d.Assignment = galena.Assignment{Rep: s.To, Pool: "latam-senior", AcceptBy: d.DecidedAt.Add(5 * time.Minute), TouchBy: d.DecidedAt.Add(15 * time.Minute)}
		d.Candidates = []galena.Candidate{{Rep: s.To, Pool: "latam-senior", Eligible: true, Before: 600_000, After: -400_000},
			{Rep: "bruno.lima", Pool: "latam-senior", Why: "outside working hours (11:46, works 13:00 to 19:00)", Before: 400_000, After: 400_000}}
	}
}
