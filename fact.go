package galena

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// State is how much is known of a field. Only unknown is worth buying.
type State string

// The four states of SEMANTICS 0.
const (
	Known   State = "known"
	Partial State = "partial" // an interval or an open set
	Absent  State = "absent"  // verified that there is none
	Unknown State = "unknown"
)

// SourceClass ranks sources: a higher class wins outright.
type SourceClass string

// The classes of SEMANTICS 3, strongest first.
const (
	ClassHumanLocked SourceClass = "human_locked"
	ClassHuman       SourceClass = "human"
	ClassCRM         SourceClass = "crm_system_of_record"
	ClassRegistry    SourceClass = "registry"
	ClassForm        SourceClass = "form"
	ClassProvider    SourceClass = "provider"
	ClassCrawl       SourceClass = "crawl"
	ClassInferred    SourceClass = "inferred"
)

// SourceClasses lists the classes, strongest first.
func SourceClasses() []SourceClass {
	return []SourceClass{ClassHumanLocked, ClassHuman, ClassCRM, ClassRegistry, ClassForm,
		ClassProvider, ClassCrawl, ClassInferred}
}

// Observation is one value of one field from one source at one time. It is
// append-only: the company is what its observations say it is.
type Observation struct {
	ID         string      `json:"id"`
	Entity     string      `json:"entity,omitempty"` // the company's domain, "lead:<id>", or a PersonEntity
	Field      string      `json:"field"`
	Value      Value       `json:"value"`
	Absent     bool        `json:"absent,omitempty"` // the source says that there is none
	Source     string      `json:"source"`           // provider id, "form", "hygiene", "crm:twenty", "import"
	Class      SourceClass `json:"class,omitempty"`
	Ref        string      `json:"ref,omitempty"`    // where in the source: a path, a record id
	Method     string      `json:"method,omitempty"` // how it was had: "api", "form", "derived"
	Confidence float64     `json:"confidence"`       // 0..1 as given; 1 where none was
	ObservedAt time.Time   `json:"observed_at"`      // when it was true at the source
	FetchedAt  time.Time   `json:"fetched_at"`
	CostMicros int64       `json:"cost_micros,omitempty"` // millionths of a dollar, on the first observation of a call
	RequestID  string      `json:"request_id,omitempty"`
	RunID      string      `json:"run_id,omitempty"`
	Used       bool        `json:"-"` // a decision rests on it; said when it is written
}

// AppendJSON adds what json.Marshal would write. An answer holds a dozen or two, all
// alike; without reflection, and without a second look at what a Value wrote, they
// cost a quarter.
func (o *Observation) AppendJSON(b []byte) (_ []byte, err error) {
	put := func(name, s string) {
		if s != "" {
			b = AppendText(append(b, name...), s)
		}
	}
	b = AppendText(append(b, `{"id":`...), o.ID)
	put(`,"entity":`, o.Entity)
	b = AppendText(append(b, `,"field":`...), o.Field)
	b = o.Value.appendJSON(append(b, `,"value":`...))
	if o.Absent {
		b = append(b, `,"absent":true`...)
	}
	b = AppendText(append(b, `,"source":`...), o.Source)
	put(`,"class":`, string(o.Class))
	put(`,"ref":`, o.Ref)
	put(`,"method":`, o.Method)
	b = append(b, `,"confidence":`...)
	if c := o.Confidence; c >= 1e-6 && c <= 1 {
		b = strconv.AppendFloat(b, c, 'f', -1, 64)
	} else { // none that a source gives
		odd, err := json.Marshal(c)
		if err != nil {
			return b, err
		}
		b = append(b, odd...)
	}
	if b, err = o.ObservedAt.AppendText(append(b, `,"observed_at":"`...)); err != nil {
		return b, err
	}
	if b, err = o.FetchedAt.AppendText(append(b, `","fetched_at":"`...)); err != nil {
		return b, err
	}
	b = append(b, '"')
	if o.CostMicros != 0 {
		b = strconv.AppendInt(append(b, `,"cost_micros":`...), o.CostMicros, 10)
	}
	put(`,"request_id":`, o.RequestID)
	put(`,"run_id":`, o.RunID)
	return append(b, '}'), nil
}

// PersonEntity is what the observations of a person bear, whichever of their leads
// it is. Key is the person's canonical e-mail, which nobody is to read from it.
func PersonEntity(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "person:" + hex.EncodeToString(sum[:])
}

// Fact is the golden value of a field: what merging made of the observations.
type Fact struct {
	Field         string    `json:"field"`
	State         State     `json:"state"`
	Value         Value     `json:"value"`
	Source        string    `json:"source,omitempty"`
	ObservationID string    `json:"observation_id,omitempty"`
	Confidence    float64   `json:"confidence"` // effective: decayed by age
	ObservedAt    time.Time `json:"observed_at"`
}

// Facts is a profile, by field name.
type Facts map[string]Fact

// Get returns the fact, or an unknown one.
func (f Facts) Get(field string) Fact {
	if x, ok := f[field]; ok {
		return x
	}
	return Fact{Field: field, State: Unknown}
}

// KnownFact is a certain fact that needs no observation: what the gate or the
// decision itself says. An empty value makes it absent.
func KnownFact(field string, v Value, source string, at time.Time) Fact {
	f := Fact{Field: field, State: Known, Value: v, Source: source, Confidence: 1, ObservedAt: at}
	if v.Empty() {
		f.State = Absent
	}
	return f
}
