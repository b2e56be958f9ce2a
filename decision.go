package galena

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Tenths is a number of points kept in tenths: 945 is 94.5 points.
type Tenths int64

// String prints "94.5", "90".
func (t Tenths) String() string { return string(t.append(nil)) }

func (t Tenths) append(b []byte) []byte { return strconv.AppendFloat(b, float64(t)/10, 'f', -1, 64) }

// MarshalJSON writes a plain number.
func (t Tenths) MarshalJSON() ([]byte, error) { return t.append(nil), nil }

// UnmarshalJSON reads a plain number, rounding to a tenth.
func (t *Tenths) UnmarshalJSON(b []byte) error {
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("points must be a number, is %s", b)
	}
	*t = Tenths(math.Round(x * 10))
	return nil
}

// Row explains one criterion: what was known, what it earned and what it could
// have earned. Points are rounded each on its own (SEMANTICS 1.6).
type Row struct {
	Criterion           string   `json:"criterion"`
	Field               string   `json:"field"`
	State               State    `json:"state"`
	Value               string   `json:"value,omitempty"`
	Label               string   `json:"label,omitempty"`
	Points              Tenths   `json:"points"`
	Lo                  Tenths   `json:"lo"`
	Hi                  Tenths   `json:"hi"`
	Max                 Tenths   `json:"max"`
	Source              string   `json:"source,omitempty"`
	AgeDays             *int     `json:"age_days,omitempty"`
	EffectiveConfidence *float64 `json:"effective_confidence,omitempty"`
	AtLeast             string   `json:"at_least,omitempty"` // of an interval over several bands: the label of the one that earns least
}

// Disqualification is the hard rule that ended the evaluation.
type Disqualification struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Sink   string `json:"sink"`
}

// DisqualifierState is one hard rule with its three-valued result.
type DisqualifierState struct {
	ID     string `json:"id"`
	Result Truth  `json:"result"`
}

// Hint names the cheapest single unknown that could still move the tier.
type Hint struct {
	Criterion string `json:"criterion"`
	Field     string `json:"field"`
	Points    Tenths `json:"points"` // how far it can move the score
}

// Score is what the profile says of a lead, and how sure it is.
type Score struct {
	Score         Tenths              `json:"score"`
	Lo            Tenths              `json:"lo"`
	Hi            Tenths              `json:"hi"`
	Coverage      float64             `json:"coverage"`   // 0..1, rounded to 0.01
	Confidence    float64             `json:"confidence"` // 0..1, rounded to 0.01
	Tier          string              `json:"tier"`
	Settled       bool                `json:"settled"`
	Provisional   bool                `json:"provisional"`
	Undecided     bool                `json:"undecided"`
	Disqualified  *Disqualification   `json:"disqualified"`
	Rows          []Row               `json:"rows"`
	TopReasons    []string            `json:"top_reasons"`
	WouldChange   *Hint               `json:"would_change,omitempty"`
	Disqualifiers []DisqualifierState `json:"disqualifiers,omitempty"`
}

// ConfigRef names the exact configuration a decision was made with; of KindMeans
// it names the portfolio means, of KindHitRates what vendors were seen to know.
type ConfigRef struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	Hash    string `json:"hash"` // SHA-256 of the file's bytes, hex
}

// Call is one step of the waterfall: who was asked, why, and what it brought.
type Call struct {
	Provider string   `json:"provider"`
	Outcome  string   `json:"outcome"` // hit, miss, cached, error:<cause>
	Cents    float64  `json:"cents"`
	MS       int64    `json:"ms,omitempty"`
	Why      string   `json:"why,omitempty"`
	Added    []string `json:"added,omitempty"` // fields that it supplied
}

// Stop is why the buying ended.
type Stop string

// The reasons of SEMANTICS 4.2.
const (
	StopDisqualified    Stop = "disqualified"
	StopSettled         Stop = "settled"
	StopExhausted       Stop = "exhausted"
	StopDegraded        Stop = "degraded"
	StopBudget          Stop = "budget"
	StopDeadline        Stop = "deadline"
	StopNoCompanyDomain Stop = "no_company_domain"
)

// RuleTry is one routing rule with its answer and the values it saw.
type RuleTry struct {
	Rule   string            `json:"rule"`
	Result Truth             `json:"result"`
	Values map[string]string `json:"values,omitempty"`
}

// Candidate is one rep who was considered, and why they could or could not take the lead.
type Candidate struct {
	Rep      string `json:"rep"`
	Pool     string `json:"pool,omitempty"`
	Eligible bool   `json:"eligible"`
	Why      string `json:"why,omitempty"` // the condition that failed
	Before   int64  `json:"credit_before"` // millionths of a lead
	After    int64  `json:"credit_after"`
}

// SLA is how soon the rep must act. Zero durations set no clock.
type SLA struct {
	Accept     time.Duration `json:"accept,omitempty"`
	FirstTouch time.Duration `json:"first_touch,omitempty"`
	Clock      string        `json:"clock,omitempty"` // wall or rep_working_time
}

// Assignment is who got the lead. To prints as in SEMANTICS 4.2: a rep's id,
// "sink:<name>", "sink:<name> (<disqualifier>)" or "queue:<name>".
type Assignment struct {
	LeadID     string    `json:"lead_id"`
	Epoch      int       `json:"epoch"`
	Rule       string    `json:"rule"`
	To         string    `json:"to"`
	Rep        string    `json:"rep,omitempty"` // "" for a sink or a queue
	Pool       string    `json:"pool,omitempty"`
	Counts     bool      `json:"counts"` // for fairness: credits and last_seq moved
	Seq        int64     `json:"seq,omitempty"`
	Day        string    `json:"day,omitempty"` // the rep's local day, for the daily cap
	AcceptBy   time.Time `json:"accept_by,omitzero"`
	TouchBy    time.Time `json:"touch_by,omitzero"`
	AcceptHalf time.Time `json:"accept_half,omitzero"` // half of the time to accept is over: the rep is nudged
	TouchHalf  time.Time `json:"touch_half,omitzero"`
	Clock      string    `json:"clock,omitempty"`       // of both: wall or rep_working_time
	WaitUntil  time.Time `json:"wait_until,omitzero"`   // the rep is out: moved on when it runs out
	OwnCompany bool      `json:"own_company,omitempty"` // colleagues who arrive later follow this rep
	AssignedAt time.Time `json:"assigned_at"`
}

// Decision is immutable: one per lead and epoch, with everything that explains it.
type Decision struct {
	LeadID string `json:"lead_id"`
	Epoch  int    `json:"epoch"`
	Score
	Stop         Stop          `json:"stop"`
	Cents        float64       `json:"cents"`
	LimitCents   float64       `json:"limit_cents,omitempty"` // what the lead was allowed to cost
	Calls        int           `json:"calls"`
	Steps        []Call        `json:"steps"`
	Rule         string        `json:"rule"`
	To           string        `json:"to"`
	Owner        string        `json:"owner"`
	Territory    string        `json:"territory,omitempty"`
	Tries        []RuleTry     `json:"tries"`
	Candidates   []Candidate   `json:"candidates"`
	Assignment   Assignment    `json:"assignment"`
	Segment      Segment       `json:"segment,omitzero"` // by which hit rates the vendors were chosen
	Facts        Facts         `json:"facts"`
	Configs      []ConfigRef   `json:"configs"`
	Observations []string      `json:"observations"` // ids of those used
	DecidedAt    time.Time     `json:"decided_at"`
	Took         time.Duration `json:"took_ns"`
}

// StopLabel prints the stop reason as `demo --json` shows it:
// "disqualified:<id>", else the word, and " (provisional)" when not settled.
func (d Decision) StopLabel() string {
	if d.Stop == StopDisqualified && d.Disqualified != nil {
		return string(StopDisqualified) + ":" + d.Disqualified.ID
	}
	if d.Stop != "" && !d.Settled {
		return string(d.Stop) + " (provisional)"
	}
	return string(d.Stop)
}

// Roster is the state of the rotation, read under lock: who is owed how much.
type Roster struct {
	Credits map[string]map[string]int64 // pool -> rep -> millionths of a lead
	Reps    map[string]RepState
	NextSeq int64 // the number the next fair assignment takes
}

// RepState is what the rotation and the caps know of a rep.
type RepState struct {
	LastSeq int64
	Open    int            // leads that are still open
	Days    map[string]int // leads assigned, by the rep's local day (2026-11-23)
}

// Delivery is one event on its way to one target, with its own retries.
type Delivery struct {
	ID       string          `json:"id"`
	Event    string          `json:"event"`  // lead.routed
	Target   string          `json:"target"` // the endpoint's id
	Key      string          `json:"key"`    // webhook-id: the same on every try
	LeadID   string          `json:"lead_id"`
	Epoch    int             `json:"epoch"`
	Body     json.RawMessage `json:"body"`
	Attempts int             `json:"attempts"`
	At       time.Time       `json:"at"` // when it was made, or replayed
}

// Step is the unit of retry: one piece of work on one lead, a row in SQL. Run
// is raised each time the step is handed out; a worker writes only while epoch
// and run still match the row.
type Step struct {
	Kind     string // lead:created, lead:deliver
	ID       string // the lead's id, or the delivery's
	Epoch    int
	Run      int
	Queue    string
	Attempts int
	DueAt    time.Time
	Outbox   int64     // id of the outbox row that hands it out, 0 when read otherwise
	Begun    time.Time // since when this process holds it, by its own clock: written as begun; zero = it is to be begun
	Since    time.Time // of a suspect: when it was handed out, or should have been worked on
	Lost     bool      // its worker's lease has run out, or it waited and is due: no task of it counts any more
	Kills    int       // workers that died on the step, the one of this run included; 0 when none died on this run
	Others   int       // from the second kill on: workers that died in these minutes without it
}

// The step kinds, which are also the task types on the queue.
const (
	StepLead     = "lead:created"
	StepComplete = "lead:complete"
	StepDeliver  = "lead:deliver"
	StepSLA      = "sla:due"
	StepRefresh  = "company:refresh"
	StepAudit    = "lead:audit"
)

// The outgoing events.
const (
	EventRouted      = "lead.routed"
	EventAccepted    = "lead.accepted"
	EventQuarantined = "lead.quarantined"
	EventRerouted    = "lead.rerouted"
	EventBreached    = "sla.breached"
	EventConflict    = "conflict.opened"
)

// Answer is what a provider said of a domain, hit or miss, kept so that it is
// paid for once.
type Answer struct {
	Provider     string
	Domain       string
	Kind         Kind // "" = hit, NotFound = miss, else the failure (never held)
	Observations []Observation
	CostMicros   int64
	FetchedAt    time.Time
	FreshUntil   time.Time // of a hit: then stale, until it expires; zero = fresh to the end
	ExpiresAt    time.Time
	Misses       int // clean misses in a row, this one included
}

// CentsOf turns millionths of a dollar into cents.
func CentsOf(micros int64) float64 { return float64(micros) / 10_000 }
