package galena

import "time"

// Severity says whether a conflict matters for the decision on a lead.
type Severity string

// The severities: the one calls for another provider or a person, the other
// only tells on the providers.
const (
	SeverityDecision Severity = "decision"
	SeverityInfo     Severity = "info"
)

// ConflictStatus is where a conflict stands.
type ConflictStatus string

// A conflict is open once per company and field; then the sources came to agree
// or a person chose, or a stronger class of source took the question away.
const (
	ConflictOpen       ConflictStatus = "open"
	ConflictResolved   ConflictStatus = "resolved"
	ConflictSuperseded ConflictStatus = "superseded"
)

// ResolvedByAgreement is who resolved a conflict that the sources ended themselves.
const ResolvedByAgreement = "agreement"

// Claim is one side of a conflict: a value, who says so, and what would follow.
type Claim struct {
	Value         Value       `json:"value"`
	Absent        bool        `json:"absent,omitempty"` // the source says that there is none
	Source        string      `json:"source"`
	Class         SourceClass `json:"class,omitempty"`
	ObservationID string      `json:"observation_id"`
	Confidence    float64     `json:"confidence"` // effective: decayed by age
	ObservedAt    time.Time   `json:"observed_at"`
	Tier          string      `json:"tier,omitempty"` // of the lead, if this value held
	Rule          string      `json:"rule,omitempty"` // that would route it then
}

// Same says that two claims name the same value.
func (c Claim) Same(other Claim) bool {
	return c.Absent == other.Absent && (c.Absent || c.Value.Equal(other.Value))
}

// Key names the value among the claims of one conflict.
func (c Claim) Key() string {
	if c.Absent {
		return "absent"
	}
	return "=" + c.Value.String()
}

// Dispute is the record of a conflict: a field on which sources of one class
// disagree with nearly equal weight. Candidates begin with the chosen one.
type Dispute struct {
	ID         string         `json:"id"`
	Entity     string         `json:"entity"` // the company's domain
	Field      string         `json:"field"`
	Candidates []Claim        `json:"candidates"`
	Chosen     Claim          `json:"chosen"`
	Margin     float64        `json:"margin"` // how much lighter the runner-up is, 0..0.4, rounded to 0.01
	Severity   Severity       `json:"severity"`
	Status     ConflictStatus `json:"status"`
	ResolvedBy string         `json:"resolved_by,omitempty"` // "agreement", a source, or who chose
	LeadID     string         `json:"lead_id"`               // whose decision showed it last; of one on which nothing hangs, to the hour
	Epoch      int            `json:"epoch"`
	OpenedAt   time.Time      `json:"opened_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
}

// ConflictFilter selects conflicts: those that matter for a decision first, then
// the newest.
type ConflictFilter struct {
	Entity   string         // the company, by any domain it is known by; "" = any
	Status   ConflictStatus // "" = any
	Severity Severity       // "" = any
	Limit    int            // 0 = 200
}

// Resolution is a person's word on a conflict.
type Resolution struct {
	ID     string // of the conflict
	Value  Value
	Absent bool   // there is none
	By     string // who says so
}

// Disagreement counts how often two sources contradicted each other.
type Disagreement struct {
	A, B     string // by name, A before B
	Info     int    // without consequences
	Decision int    // where a decision hung on it
}

// Total is how often they did.
func (d Disagreement) Total() int { return d.Info + d.Decision }

// Against is how often each other source contradicted this one, and how often all
// of them did together.
func Against(source string, all []Disagreement) (by map[string]int, total int) {
	by = map[string]int{}
	for _, d := range all {
		switch source {
		case d.A:
			by[d.B] += d.Total()
		case d.B:
			by[d.A] += d.Total()
		default:
			continue
		}
		total += d.Total()
	}
	return by, total
}
