package crm

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

// Object is a kind of record.
type Object string

// The objects that are written. A CRM without companies, or one that keeps
// person and company in one record, maps both onto what it has.
const (
	Company Object = "company"
	Person  Object = "person"
)

// Field is a value of a record by its name in galena's vocabulary, whatever the
// CRM calls it: "company.employee_count", "lead.job_title", or one of those below.
type Field string

// The fields that only a CRM has.
const (
	Domain     Field = "company.domain"    // what a company is found by
	Email      Field = "person.email"      // what a person is found by
	FirstName  Field = "person.first_name" //
	LastName   Field = "person.last_name"
	Employer   Field = "person.company" // the id of the company's record
	Owner      Field = "owner"          // the rep's id in the CRM
	Score      Field = "icp.score"
	Tier       Field = "icp.tier"
	Reasons    Field = "icp.reasons"
	EnrichedAt Field = "icp.enriched_at"
)

// CRM is one connector. It translates and decides nothing. Its errors have a
// galena.Kind and carry no key, URL or address:
//
//	RateLimited   wait RetryAfter; the breaker does not count it
//	Exhausted     the day's quota is gone: the CRM rests until it is back
//	Unauthorized  the token was revoked, regenerated or lacks a permission: the CRM rests, ops are told
//	Unavailable   a fault of theirs or of the network; whether a write was done is not known
//	Invalid       this will never be taken: give up the fields concerned, keep the rest
//	Conflict      a duplicate or a lost guard: plan once more
//	NotFound      the record went away: find once more
//	Malformed     an answer of no known shape
type CRM interface {
	// Name is the connector's id in the configuration.
	Name() string
	// Capabilities are how much one call may carry and which guards it knows.
	Capabilities() Capabilities
	// Encode puts a value into the CRM's form. NotFound: the CRM has no such
	// field or does not let us write it. Invalid: the value has no such form.
	Encode(o Object, f Field, v galena.Value) (Encoded, error)
	// Find looks each key up and reads the wanted fields; as many answers as keys.
	Find(ctx context.Context, keys []Key, want []Field) ([]Found, error)
	// Apply makes the changes; as many results as changes. The error is of the
	// whole call; what befell one change is in its result.
	Apply(ctx context.Context, changes []Change) ([]Result, error)
}

// Capabilities are what a connector can do beside the five methods.
type Capabilities struct {
	BatchFind, BatchWrite int  // how many one call carries, at least 1
	Guard                 bool // a write depends on what was seen, in one step of the CRM's own
}

// Encoded is a value in the CRM's form.
type Encoded struct {
	Raw  any    // as it is sent and read; JSON. nil is sent to clear a field
	Norm string // what is compared: equal for two spellings of one value; "" = blank
}

// Key names one record: by the id that the CRM gave it, else by domain or e-mail.
type Key struct {
	Object Object
	ID     string
	Domain string // of a company
	Email  string // of a person
}

// Found is what a key led to: nothing, one record, or several, of which none is
// then touched.
type Found struct {
	Records []Record
	Err     error // of this key alone
}

// Record is one record as the CRM holds it.
type Record struct {
	Object  Object
	ID      string
	URL     string // where a person can open it; "" = not known
	Version string // changes with every write; "" = the CRM has none
	Closed  string // why it must not be written: "deleted", "converted", "locked"; "" = open
	Fields  map[Field]Value
}

// deleted is why a record is closed that a person took away: another may stand for it.
const deleted = "deleted"

// Value is one field as the CRM holds it.
type Value struct {
	Encoded
	Blank bool     // the CRM's own idea of empty; a false that is a default is not
	Text  bool     // free text, which servers keep to the letter: other letters are another hand's
	Last  Evidence // what the CRM tells of who wrote it
}

// norm is what the value is compared by.
func (v Value) norm() string {
	if v.Blank {
		return ""
	}
	return v.Norm
}

// Actor is who wrote a value last, as far as the CRM tells.
type Actor string

// The actors. A CRM that tells nothing leaves it empty.
const (
	ByPerson Actor = "person"
	ByUs     Actor = "us"
	ByOther  Actor = "other" // an import, a workflow, another integration
)

// Evidence is what the CRM itself says of a value. It only counts where our own
// ledger says nothing.
type Evidence struct {
	By Actor
	At time.Time
}

// Change is what is sent for one record.
type Change struct {
	Ref    string // the caller's, given back in the result
	Object Object
	ID     string // "" = create
	Set    map[Field]Encoded
	// Seen is what stood in the fields that may belong to a person, and Version
	// the record's version. Where something else stands by then the field is lost
	// and not written. A connector without a guard reads once more right before.
	Seen    map[Field]Value
	Version string
}

// Result is what became of one change.
type Result struct {
	Ref     string
	ID      string
	URL     string
	Created bool
	Lost    []Field // a guard failed: a person was faster, nothing was written there
	Refused []Field // the CRM does not take these; the rest was written
	Err     error
}
