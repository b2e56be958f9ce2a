package galena

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// CRMValue is a value in a CRM's own form.
type CRMValue struct {
	Raw  json.RawMessage `json:"raw"`  // as it is sent and read
	Norm string          `json:"norm"` // what is compared; "" = blank
}

// Hash tells how a value was written, to the letter: SHA-256 of its JSON, in hex.
func (v CRMValue) Hash() string {
	sum := sha256.Sum256(v.Raw)
	return hex.EncodeToString(sum[:])
}

// CRMRecord names one record of one CRM.
type CRMRecord struct {
	CRM    string `json:"crm"`
	Object string `json:"object"` // company, person
	ID     string `json:"id"`
	URL    string `json:"url,omitempty"` // where a person can open it; "" = not known
}

// crmTarget begins the name of a CRM where deliveries name their target.
const crmTarget = "crm:"

// CRMTarget is how deliveries name a CRM.
func CRMTarget(crm string) string { return crmTarget + crm }

// CRMOf reads the CRM's name from a delivery's target; false: it is no CRM.
func CRMOf(target string) (crm string, ok bool) { return strings.CutPrefix(target, crmTarget) }

// CRMState is how a write of one field ended.
type CRMState string

// The states of a write. Sent is written down before the call, so that a write
// whose answer never came is looked for and not made twice.
const (
	CRMSent CRMState = "sent" // what became of it is not known yet
	CRMDone CRMState = "done"
	CRMVoid CRMState = "void" // it did not happen
)

// CRMWrite is one field of one record as one run changed it.
type CRMWrite struct {
	ID         string    `json:"id"`
	Run        string    `json:"run"` // the delivery that wrote it, or the person's act
	Key        string    `json:"-"`   // the record's, while it has no id
	Record     CRMRecord `json:"record"`
	Field      string    `json:"field"`
	Before     CRMValue  `json:"before"`
	After      CRMValue  `json:"after"`
	Created    bool      `json:"created"` // the write made the record
	Source     string    `json:"source"`
	Confidence float64   `json:"confidence"`
	ObservedAt time.Time `json:"observed_at"`
	LeadID     string    `json:"lead_id"`
	By         string    `json:"by,omitempty"` // the person who asked for it
	State      CRMState  `json:"state"`
	At         time.Time `json:"at"`
	// Ours says that what is done is surely our own and may be refreshed later.
	Ours bool `json:"-"`
}

// CRMField is what we wrote last into one field.
type CRMField struct {
	Field      string
	Norm       string
	RawHash    string // CRMValue.Hash of what was sent
	Confidence float64
	ObservedAt time.Time
	WrittenAt  time.Time
	Released   bool // a person was seen to have taken it over since
	Reverted   bool // we took it back ourselves since
}

// CRMClaim asks for the right to write one record: one run has it at a time, so
// that a record is made once however many leads need it. It frees itself.
type CRMClaim struct {
	CRM    string
	Object string
	Key    string // of the record: a domain, or a hash of an address
	Token  string
	Until  time.Time
}

// CRMHold is what is known of a record that was claimed.
type CRMHold struct {
	RecordID string // "" = we never saw one
	URL      string
	Wants    string // a hash of what was wanted when it was last brought up to date
	SyncedAt time.Time
	Sent     []CRMWrite // those whose end is not known
}

// CRMOutcome is what became of one field, without its values.
type CRMOutcome struct {
	Field   string `json:"field"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// CRMSettlement is everything one run learnt about one record, written at once.
type CRMSettlement struct {
	Claim     CRMClaim // Until = when the next run may have it; zero = at once
	Record    CRMRecord
	Wants     string // "" = it is not up to date
	SyncedAt  time.Time
	Run       string
	Kind      CRMRunKind
	LeadID    string
	By        string
	Writes    []CRMWrite    // by id: those that were sent, with their end
	Conflicts []CRMConflict // those that there are
	Agreed    []string      // fields without one
	Single    bool          // one record answers to the claim's key: CRMWhole is no conflict, or none any more
	Released  []string      // fields that a person took over
	Outcomes  []CRMOutcome
}

// CRMRunKind says why a run wrote.
type CRMRunKind string

// The kinds of run.
const (
	CRMRunLead   CRMRunKind = "lead"
	CRMRunTaken  CRMRunKind = "take-ours"
	CRMRunRevert CRMRunKind = "revert"
)

// CRMRun is what one run did to the records of a CRM.
type CRMRun struct {
	ID       string     `json:"id"`
	CRM      string     `json:"crm"`
	Kind     CRMRunKind `json:"kind"`
	LeadID   string     `json:"lead_id"`
	By       string     `json:"by,omitempty"`
	At       time.Time  `json:"at"`
	Records  int        `json:"records"`  // that it wrote to
	Fields   int        `json:"fields"`   // that it wrote
	Created  int        `json:"created"`  // records that it made
	Reverted int        `json:"reverted"` // fields that were put back since
}

// CRMResolution is a person's word on a conflict with a CRM.
type CRMResolution string

// The resolutions. Keeping theirs holds while theirs stays what it is; ignore
// is for good.
const (
	TakeOurs   CRMResolution = "take-ours"
	KeepTheirs CRMResolution = "keep-theirs"
	Ignore     CRMResolution = "ignore"
)

// CRMWhole stands for a field where the conflict is about the record itself: which
// of several is meant. The record's id is then the key that led to them.
const CRMWhole = "record"

// CRMConflict is a field in which a CRM holds another value than ours. There is
// one for each record and field.
type CRMConflict struct {
	ID         string         `json:"id"`
	Record     CRMRecord      `json:"record"`
	Field      string         `json:"field"`
	Theirs     CRMValue       `json:"theirs"`
	Ours       CRMValue       `json:"ours"`
	Source     string         `json:"source"` // who says ours
	Confidence float64        `json:"confidence"`
	ObservedAt time.Time      `json:"observed_at"`
	Evidence   string         `json:"evidence"` // why theirs stands
	LeadID     string         `json:"lead_id"`
	Status     ConflictStatus `json:"status"`
	Resolution CRMResolution  `json:"resolution,omitempty"`
	ResolvedBy string         `json:"resolved_by,omitempty"`
	FirstSeen  time.Time      `json:"first_seen"`
	LastSeen   time.Time      `json:"last_seen"`
}

// CRMConflictFilter selects conflicts with CRMs, the newest first.
type CRMConflictFilter struct {
	CRM    string         // "" = any
	Status ConflictStatus // "" = any
	Limit  int            // 0 = 200
}
