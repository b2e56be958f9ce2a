package rest

import (
	"time"

	"github.com/galenahq/galena/crm"
)

// Config describes one CRM.
type Config struct {
	BaseURL   string            `yaml:"base_url"`
	Headers   map[string]string `yaml:"headers,omitempty"`
	UserAgent string            `yaml:"user_agent,omitempty"`
	Timeout   time.Duration     `yaml:"timeout,omitempty"` // of one call; default 10s
	Auth      Auth              `yaml:"auth"`
	Limits    Limits            `yaml:"limits,omitempty"`
	Errors    Errors            `yaml:"errors,omitempty"`
	Owners    *Owners           `yaml:"owners,omitempty"`
	Objects   map[string]Object `yaml:"objects"`
}

// Auth is how a call is authorized.
type Auth struct {
	Style      string `yaml:"style"`
	Name       string `yaml:"name,omitempty"`        // of the header or the query parameter
	Prefix     string `yaml:"prefix,omitempty"`      // before the token in a header, or in the path
	TokenURL   string `yaml:"token_url,omitempty"`   // of OAuth 2
	Scope      string `yaml:"scope,omitempty"`       // of OAuth 2
	ClientAuth string `yaml:"client_auth,omitempty"` // basic, or body (the default)
}

// The styles of Auth.
const (
	styleNone    = "none"
	styleBearer  = "bearer"
	styleHeader  = "header"
	styleQuery   = "query"
	stylePath    = "path"
	styleBasic   = "basic"
	styleRefresh = "oauth2_refresh"
	styleClient  = "oauth2_client_credentials"
)

// Limits are how much the CRM stands.
type Limits struct {
	Rate        Rate    `yaml:"rate,omitempty"`
	Concurrency int     `yaml:"concurrency,omitempty"` // calls at a time; default 4
	Daily       Daily   `yaml:"daily,omitempty"`
	RetryAfter  []Place `yaml:"retry_after,omitempty"` // where it says when to come back, beside the header Retry-After
}

// Rate is so many calls in each period; none is no limit.
type Rate struct {
	Calls int           `yaml:"calls"`
	Per   time.Duration `yaml:"per"`
}

// Daily is what may be spent in a day (UTC), and what a call costs; each
// process counts for itself.
type Daily struct {
	Budget int `yaml:"budget"`
	Search int `yaml:"search"`
	Read   int `yaml:"read"`
	Create int `yaml:"create"`
	Update int `yaml:"update"`
}

// Place is a header of an answer, or a path in it.
type Place struct {
	Header string `yaml:"header,omitempty"`
	At     string `yaml:"at,omitempty"`
}

// Errors tells what an answer means that is no success.
type Errors struct {
	Message []string  `yaml:"message,omitempty"` // paths of what names the fields that are refused
	Kinds   []Meaning `yaml:"kinds,omitempty"`
}

// Meaning is one line of the table from answers to kinds; the first that fits
// counts, and what none fits means what its status means everywhere.
type Meaning struct {
	Status   int    `yaml:"status,omitempty"`   // 0 = any
	At       string `yaml:"at,omitempty"`       // a path; default: the whole body
	Contains string `yaml:"contains,omitempty"` // in any case of letters
	Is       string `yaml:"is"`
}

// Object describes the records of one kind.
type Object struct {
	ID      string            `yaml:"id,omitempty"`      // path in a record; default id
	Version string            `yaml:"version,omitempty"` // path of what changes with every write
	URL     string            `yaml:"url,omitempty"`     // where a person opens it
	Closed  map[string]string `yaml:"closed,omitempty"`  // why it must not be written -> path that then says something
	Edited  Edited            `yaml:"evidence,omitempty"`
	Guard   map[string]string `yaml:"guard,omitempty"` // headers of a write: If-Match: '"{version}"'

	Lookup Lookup `yaml:"lookup"`
	Read   Call   `yaml:"read"`
	Create Write  `yaml:"create"`
	Update Update `yaml:"update"`
	Batch  *Batch `yaml:"batch,omitempty"`  // of updates; records are made one at a time
	Assign *Call  `yaml:"assign,omitempty"` // the owner is set by a call of its own

	Fields map[string]Field `yaml:"fields"`
}

// Edited is what a record tells of its last change. It is the record's, not the
// field's, so it can say that a person was there and never that nobody was.
type Edited struct {
	At   string   `yaml:"updated_at,omitempty"`
	By   string   `yaml:"updated_by,omitempty"`
	Ours []string `yaml:"ours,omitempty"` // the ids under which we write
}

// Call is one request, and where its answer holds the record.
type Call struct {
	Method   string            `yaml:"method,omitempty"`
	Path     string            `yaml:"path"`
	Query    map[string]string `yaml:"query,omitempty"`
	Body     map[string]any    `yaml:"body,omitempty"`
	Statuses []int             `yaml:"statuses,omitempty"` // that are success; default every 2xx
	Success  string            `yaml:"success,omitempty"`  // path that must say something for it to be one
	Record   string            `yaml:"record,omitempty"`   // path of the record; default: the answer itself
}

// Lookup finds records by domain or e-mail.
type Lookup struct {
	Call      `yaml:",inline"`
	List      string   `yaml:"list"`                // path of the hits; Record and id are counted from each
	Variants  []string `yaml:"variants,omitempty"`  // the forms of a key, with {key}; default {key}
	Whole     bool     `yaml:"whole,omitempty"`     // a hit is the whole record and need not be read
	Match     string   `yaml:"match,omitempty"`     // path of what must be the key; default: the key's field
	NotFound  []int    `yaml:"not_found,omitempty"` // statuses that mean none; default 404 and 204
	Ambiguous string   `yaml:"ambiguous,omitempty"` // error (the default), or oldest
	Created   string   `yaml:"created,omitempty"`   // path of when it was made, for oldest
}

// Write is a request that carries a record.
type Write struct {
	Call     `yaml:",inline"`
	SetUnder string `yaml:"set_under,omitempty"` // path of the body that fields are set below
}

// Update changes a record.
type Update struct {
	Write     `yaml:",inline"`
	Semantics string   `yaml:"semantics,omitempty"` // merge (the default), or replace: what is not sent is erased
	Omit      []string `yaml:"omit,omitempty"`      // with replace: paths of the record that are not sent back
}

// Batch changes several records in one call. What it does not say to be done is
// written alone, which tells why.
type Batch struct {
	Call     `yaml:",inline"`
	Size     int      `yaml:"size"`
	Items    string   `yaml:"items"`               // path of the list in the body
	ItemID   string   `yaml:"item_id"`             // path of the id in an item
	SetUnder string   `yaml:"set_under,omitempty"` // path in an item that fields are set below
	Results  string   `yaml:"results"`             // path of the list in the answer
	ResultID string   `yaml:"result_id,omitempty"` // path of the id in a result; default: they stand in order
	Status   string   `yaml:"status,omitempty"`    // path of a result's status
	OK       []string `yaml:"ok,omitempty"`        // what it says of a success
	Atomic   bool     `yaml:"atomic,omitempty"`    // all or nothing
}

// Field is where one value stands and what it looks like.
type Field struct {
	crm.Rule `yaml:",inline"`
	Path     string         `yaml:"path"`               // in a record, and below set_under
	Set      string         `yaml:"set,omitempty"`      // below set_under where that differs
	With     map[string]any `yaml:"with,omitempty"`     // what is set beside it: path -> value
	Type     string         `yaml:"type,omitempty"`     // default text
	Quoted   bool           `yaml:"quoted,omitempty"`   // a number is written as text
	Unit     int64          `yaml:"unit,omitempty"`     // of money: 100 = cents
	Currency string         `yaml:"currency,omitempty"` // path of the currency
	Map      map[string]any `yaml:"map,omitempty"`      // our word -> theirs
	Format   string         `yaml:"format,omitempty"`   // of a date: date, datetime, unix or unix_ms; of a domain: https://{value}
	Yes      any            `yaml:"yes,omitempty"`      // words of a bool
	No       any            `yaml:"no,omitempty"`
	Join     string         `yaml:"join,omitempty"`    // between the words of a list; default: it is a JSON list
	MaxLen   int            `yaml:"max_len,omitempty"` // letters; what is longer is cut
	Blank    []any          `yaml:"blank,omitempty"`   // values that mean empty, beside null and ""
}

// The types of Field.
const (
	typeText   = "text"
	typeDomain = "domain"
	typeEmail  = "email"
	typePhone  = "phone"
	typeInt    = "int"
	typeNumber = "number"
	typeMoney  = "money"
	typeMicros = "micros"
	typeEnum   = "enum"
	typeDate   = "date"
	typeBool   = "bool"
	typeList   = "list"
	typeUser   = "user" // of the owner: looked up as owners says
)

func types() []string {
	return []string{typeText, typeDomain, typeEmail, typePhone, typeInt, typeNumber, typeMoney, typeMicros, typeEnum, typeDate, typeBool, typeList, typeUser}
}
