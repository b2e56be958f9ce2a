package galena

import "time"

// Intake is everything the gate writes in one transaction.
type Intake struct {
	Lead         Lead
	Observations []Observation // what the form itself said
	Deliveries   []Delivery    // events told at once, such as lead.quarantined
	Idempotency  *Idempotency  // nil when the caller sent no key
	Warnings     []string      // told to the caller, kept for a replay
	RepeatWithin time.Duration // the same person and form within this time is the same lead
	Forget       bool          // verdict drop: keep nothing but the idempotency row
}

// Idempotency is a caller's key with the hash of the body it came with.
type Idempotency struct {
	Token    string // id of the token that sent it: keys are per token
	Key      string
	BodyHash []byte // SHA-256 of the raw body
}

// Receipt is what the caller is told, the same for every replay of a key.
type Receipt struct {
	ID         string     `json:"id"`
	ExternalID string     `json:"external_id,omitempty"`
	Status     LeadStatus `json:"status"`
	Duplicate  bool       `json:"duplicate"`
	Warnings   []string   `json:"warnings"`
}

// Memory is what is already known when the work on a lead begins.
type Memory struct {
	Lead          Lead
	Observations  []Observation // CRM, human, registry and form: they count from the start
	OpenLeadOwner string        // rep who holds an open lead of the same person
	AccountOwner  string        // rep who owns the company
	Company       string        // the domain the company is kept by: the lead's own, unless that is an alias
	Domains       []string      // every domain that the company is known by, Company first
	Disputes      []Dispute     // conflicts of the company that are open
}

// CompanyDomain is the domain under which the company is asked for and kept.
func (m Memory) CompanyDomain() string {
	if m.Company != "" {
		return m.Company
	}
	return m.Lead.Domain
}

// Lesson is what a run learnt of a company, whatever becomes of the lead. The
// zero Lesson teaches nothing.
type Lesson struct {
	Observations []*Observation // shared: nobody changes them
	Used         []string       // ids of those that a decision rests on
	Company      Company        // Domain "" when the lead has none
	Conflicts    []Dispute      // of the company: those that are open now, and those that are over by their status
	// Opened says what must be told of a conflict of severity decision. It runs in
	// the transaction that opens it, once per opening; nil tells nobody.
	Opened func(Dispute) ([]Delivery, error)
}

// Ruling is everything one run of the pipeline writes in one transaction.
type Ruling struct {
	Step  Step
	Lead  Lead
	Pools []string // rotation pools to lock and read
	Reps  []string // further reps to lock and read (owners, named)
	Lesson
	Refresh *Refresh // the decision used stale answers: buy them anew, nil = it did not
	Audit   bool     // buy everything afterwards, to see whether stopping early was right
	// Later is when the decision is looked at again, by a step StepComplete of
	// the same epoch; zero when nothing is left to wait for.
	Later time.Time
	// Settle runs under the locks with what they protect. It is pure, returns
	// the finished decision, what must be told, and the changed roster.
	Settle func(Roster) (Decision, []Delivery, Roster, error)
}

// Move gives a decided lead to somebody else: the next epoch, with the old one
// kept. It is written only while From is still the lead's epoch.
type Move struct {
	Step      Step // the step that asks for it, whose run must still hold; zero for a person's act
	LeadID    string
	From      int    // the epoch that the mover saw
	Reason    string // "sla", "hand_back:<reason>", "reassign", "settled"
	Actor     string // rep, user or "galena"
	Note      string // in the actor's words
	Refund    bool   // the rep who loses the lead gets the credit back
	Untouched bool   // only while nobody has accepted, touched or moved it since its first decision
	Pools     []string
	Reps      []string
	Lesson
	// Settle runs under the locks, as in Ruling. It sees the decision that is
	// left and the lead's past, with this move.
	Settle func(old Decision, past Held, roster Roster) (Decision, []Delivery, Roster, error)
}

// The kinds of Notice.
const (
	NoticeUnchanged = "unchanged" // the data that was late changes nothing
	NoticeToday     = "today"     // it would, but the lead stays where it is
)

// Notice is a remark beside a decision, which itself is never changed: what the
// data says that came after it.
type Notice struct {
	Epoch int       `json:"epoch"` // of the decision that it is about
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	Text  string    `json:"text"` // for people: "today this lead would be tier A / emea"
	Tier  string    `json:"tier"`
	Score Tenths    `json:"score"`
	Lo    Tenths    `json:"lo"`
	Hi    Tenths    `json:"hi"`
	Rule  string    `json:"rule"`
	Stop  Stop      `json:"stop"`
	Cents float64   `json:"cents"` // spent after the decision
	Calls int       `json:"calls"`
}

// Release is a person's word that a held lead may go on.
type Release struct {
	Lead         Lead          // as it will be: verdict, codes, domain, spendable
	Before       []string      // the codes that the person saw
	Observations []Observation // what the form states of the company, now that it counts
	Audit        AuditEntry
}

// Record is a lead with its decision, nil while undecided. Notices are left out
// of lists.
type Record struct {
	Lead     Lead
	Company  Company
	Decision *Decision
	Notices  []Notice // oldest first
}

// LeadFilter selects leads for a list, newest first.
type LeadFilter struct {
	Status LeadStatus // "" = any
	Tier   string
	Owner  string
	Back   string // one of HandBackReasons: only leads that were ever given back for it
	Before string // id of the last lead of the page before: the cursor
	Limit  int
}

// ReasonKilled is why a step was put aside that is no Kind of error: the workers
// that ran it died. CodeKilled says the same of a lead that is held for it, and
// CodeReleased that a person let one go on.
const (
	ReasonKilled = "killed"
	CodeKilled   = "killed_worker"
	CodeReleased = "released"
)

// FailedStep is a step that was put aside for a person to look at.
type FailedStep struct {
	Kind     string
	ID       string
	Epoch    int
	LeadID   string
	Reason   string // a Kind, or ReasonKilled
	Note     string
	Attempts int
	Kills    int
	At       time.Time
	Cursor   string // names the step in FailedFilter.After
}

// FailedFilter selects failed steps for a list, newest first.
type FailedFilter struct {
	Kind   string // "" = any
	ID     string
	Reason string
	LeadID string
	Since  time.Time
	After  string // Cursor of the last step of the page before
	Limit  int
}

// FailedCount is how many steps were put aside for a reason.
type FailedCount struct {
	Kind, Reason string
	Steps        int
}

// Offer is what a provider promises, as the planner needs it.
type Offer struct {
	Provider   string
	CostMicros int64
	MostMicros int64 // what one call may cost at the most; below CostMicros it is that
	PerMatch   bool  // misses are free
	P95        time.Duration
	OnlyIf     Predicate
	Needs      []string           // fields that it has to be told: it is not asked before they are known
	Hits       map[string]float64 // field -> share of companies for which it is answered
	Available  bool               // enabled, breaker not open, not paused
	Away       bool               // enabled, but paused or behind an open breaker: asking is a matter of time
	BackAt     time.Time          // when one that is away asked to be asked again, zero = it did not say
}

// Dearest is what has to be left for a call.
func (o *Offer) Dearest() int64 { return max(o.CostMicros, o.MostMicros) }

// Informed says that all is known which the provider has to be told.
func (o *Offer) Informed(known Lookup) bool {
	for _, field := range o.Needs {
		if known(field).State != Known {
			return false
		}
	}
	return true
}

// ProviderState is how a provider fares, as workers publish it.
type ProviderState struct {
	Provider    string
	Breaker     string // closed, open, half_open
	PausedUntil time.Time
	PauseReason Kind
	ChangedAt   time.Time
	BreakerOnly bool // as it is told: whether there is a pause is not known
}

// CallClaim is the right to ask one provider about one company, and the money that
// is put aside for it. One process has it at a time; the others wait for what it
// brings. It frees itself when its time is over, for whoever had it is dead.
type CallClaim struct {
	Provider       string
	Domain         string
	Token          string   // of this claim; "" = there never was one
	Day            string   // of the budgets, as 2026-11-23
	Budgets        []Budget // in each of which the money is reserved
	ReservedMicros int64
	Until          time.Time
	Open           bool
	PendingAt      time.Time // since when the provider, which said "later", is waited for; zero = it did not
	Polled         bool      // it does not call: it is asked again when the claim's time is over
	EndedAt        time.Time
	// How a claim ended: Kind "" is a hit, NotFound a miss, all else a failure.
	Kind       Kind
	Cause      string
	RetryAfter time.Duration
}

// What a claim or a refused call has for a Cause where no vendor said anything.
const (
	CauseAbandoned = "abandoned" // whoever had the claim is dead: it freed itself
	CauseBudget    = "budget"    // of Exhausted: our own budget, not the vendor's quota
	CauseTimeout   = "timeout"   // of a pending claim: the vendor, which said "later", did not call in time
)

// Grant says whether a claim was given, and what is spent of its budgets.
type Grant struct {
	Granted     bool
	Late        bool             // somebody was faster; what is spent is not said then
	SpentMicros map[string]int64 // by scope
}

// Settlement is how a claim ends: with the call that was made and the answer it
// brought, or with the reason why no call was made.
type Settlement struct {
	Claim  CallClaim    // its Kind, Cause and RetryAfter are told to those who wait
	Call   *LedgerEntry // nil = no call was made
	Answer Answer       // held when it is a hit or a miss
	// Awaited: the provider called back. Nothing of it counts unless the claim is
	// still open, so that the same call counts once.
	Awaited bool
}

// LedgerEntry is one call to a provider: what it brought and what it cost.
type LedgerEntry struct {
	Provider   string
	Domain     string
	Outcome    string // hit or a Kind
	CostMicros int64
	Took       time.Duration
	At         time.Time
}

// Backlog is how much work waits, for metrics and readiness.
type Backlog struct {
	Outbox          int
	Undecided       int
	OldestUndecided time.Time // zero when there is none
}
