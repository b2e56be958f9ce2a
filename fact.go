package galena

import (
	"crypto/sha256"
	"encoding/hex"
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

// Refs points at each of them: an observation is large, and those of a company are
// shared by the runs of all its leads, none of which changes one.
func Refs(obs []Observation) []*Observation {
	all := make([]*Observation, len(obs))
	for i := range obs {
		all[i] = &obs[i]
	}
	return all
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

// WriteJSON writes what json.Marshal would.
func (f *Fact) WriteJSON(w *JSONWriter) {
	w.Text(`{"field":`, f.Field)
	w.Text(`,"state":`, string(f.State))
	f.Value.writeJSON(w, `,"value":`)
	w.Filled(`,"source":`, f.Source)
	w.Filled(`,"observation_id":`, f.ObservationID)
	w.Float(`,"confidence":`, f.Confidence)
	w.Time(`,"observed_at":`, f.ObservedAt)
	w.Raw("}")
}

// Facts is a profile, by field name. Nobody changes a fact that is in one: the leads
// of a company share them.
type Facts map[string]*Fact

// WriteJSON writes what json.Marshal would of the facts of these names, which are
// in their order.
func (f Facts) WriteJSON(w *JSONWriter, names []string) {
	if f == nil {
		w.Raw("null")
		return
	}
	w.Raw("{")
	for i, name := range names {
		if i > 0 {
			w.Raw(",")
		}
		w.Text("", name)
		w.Raw(":")
		f[name].WriteJSON(w)
	}
	w.Raw("}")
}

// Get returns the fact, or an unknown one.
func (f Facts) Get(field string) Fact {
	if x := f[field]; x != nil {
		return *x
	}
	return Fact{Field: field, State: Unknown}
}

// Believing looks facts up for a decision: one of less confidence is unknown to it.
func (f Facts) Believing(least float64) Lookup {
	return func(field string) Fact {
		x := f.Get(field)
		if x.State == "" || x.Confidence < least {
			return Fact{Field: field, State: Unknown}
		}
		return x
	}
}

// KnownFact is a certain fact that needs no observation: what the gate or the
// decision itself says. An empty value makes it absent.
func KnownFact(field string, v Value, source string, at time.Time) *Fact {
	f := &Fact{Field: field, State: Known, Value: v, Source: source, Confidence: 1, ObservedAt: at}
	if v.Empty() {
		f.State = Absent
	}
	return f
}
