package galena

import "time"

// Verdict is what hygiene says about a lead at the gate.
type Verdict string

// The verdicts, from the most to the least severe.
const (
	Drop       Verdict = "drop"       // suppressed: counted, never stored
	Reject     Verdict = "reject"     // not an address: answered 422, counted, not stored
	InternalOK Verdict = "internal"   // one of our own: stored, never enriched or routed
	Quarantine Verdict = "quarantine" // stored, held for a person to look at
	Confirm    Verdict = "confirm"    // stored, held: probably a typing error
	Accept     Verdict = "accept"     // stored and decided
)

// EmailClass says what kind of mailbox the address is.
type EmailClass string

// The classes. Only corporate and role addresses name a company by their domain.
const (
	Corporate  EmailClass = "corporate"
	Freemail   EmailClass = "freemail"
	Disposable EmailClass = "disposable"
	Shared     EmailClass = "shared"
	Role       EmailClass = "role"
	Own        EmailClass = "own"
)

// LeadStatus is where a lead stands.
type LeadStatus string

// The states of a stored lead.
const (
	StatusAccepted    LeadStatus = "accepted" // in flight
	StatusDecided     LeadStatus = "decided"
	StatusQuarantined LeadStatus = "quarantined" // verdicts quarantine and confirm
	StatusInternal    LeadStatus = "internal"
)

// Judgement is the outcome of hygiene for one submission.
type Judgement struct {
	Verdict   Verdict
	Codes     []string   // in the order of SEMANTICS 6, nil when there is nothing to say
	Email     string     // trimmed, NFC, domain as A-label in lower case; the local part as typed
	Key       string     // canonical e-mail: the identity of the person, never used for delivery
	Host      string     // the domain of the address, A-label
	Domain    string     // the company's registrable domain, "" when there is none
	Class     EmailClass // "" for a rejected address
	Role      bool       // the local part is a function, not a person
	Spendable bool       // paid look-ups are allowed
}

// Suppression is somebody who asked to be left alone: a keyed digest, for nobody is
// to read who it is.
type Suppression struct {
	Digest string // in hex
	Reason string
	At     time.Time
}

// Lead is one person who asked to be contacted, as captured at the gate.
type Lead struct {
	ID         string // ours: a UUIDv7
	ExternalID string // the caller's own reference
	Judgement
	Status    LeadStatus
	Name      string
	FirstName string
	LastName  string
	Company   string // as typed
	Website   string
	JobTitle  string
	Phone     string
	Country   string
	Form      string
	Source    string
	UTM       map[string]string
	Consent   map[string]any
	Fields    map[string]any // whatever else the sender said
	Epoch     int            // number of the current decision, from 1
	CreatedAt time.Time
	DecidedAt time.Time // zero while undecided
}

// Submission is a lead as handed in, before hygiene.
type Submission struct {
	ExternalID string
	Email      string
	Name       string
	FirstName  string
	LastName   string
	Company    string
	Website    string
	JobTitle   string
	Phone      string
	Country    string
	Form       string
	Source     string
	UTM        map[string]string
	Consent    map[string]any
	Fields     map[string]any
	Honeypot   string // filled by robots only
	ElapsedMS  int    // how long the visitor took; 0 = not measured
}

// Company is the account behind a domain.
type Company struct {
	Domain    string
	Facts     Facts
	Owner     string // rep who owns the account, "" when nobody does
	UpdatedAt time.Time
}

// Label is the name people know the company by: its name, else its domain.
func (c Company) Label() string {
	if f := c.Facts.Get("company.name"); f.State == Known && f.Value.Text != "" {
		return f.Value.Text
	}
	return c.Domain
}
