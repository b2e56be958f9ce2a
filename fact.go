package galena

import (
	"bytes"
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

// AppendAnswer adds the observations of one answer as JSON without reflection. An
// answer holds a dozen or two that were heard at one time from one source: what the
// first says of that is said once, for all that do not say otherwise, and the text
// is half as long. {"all": what the first says, "each": [the rest of each]}.
func AppendAnswer(b []byte, obs []*Observation) (_ []byte, err error) {
	if len(obs) == 0 {
		return append(b, "[]"...), nil
	}
	all := obs[0]
	if b, err = all.appendHeard(append(b, `{"all":{`...), unheard); err != nil {
		return b, err
	}
	b = append(bytes.TrimSuffix(b, []byte{','}), `},"each":[`...)
	for i, o := range obs {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = o.appendHeard(append(b, '{'), all); err != nil {
			return b, err
		}
		b = AppendText(append(b, `"id":`...), o.ID)
		b = AppendText(append(b, `,"field":`...), o.Field)
		b = o.Value.appendJSON(append(b, `,"value":`...))
		if o.Absent {
			b = append(b, `,"absent":true`...)
		}
		b = appendMember(b, `,"ref":`, o.Ref)
		if o.CostMicros != 0 {
			b = strconv.AppendInt(append(b, `,"cost_micros":`...), o.CostMicros, 10)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...), nil
}

// appendHeard adds the members that say where, how and when o was heard, a comma
// after each, but for those of which all says the same.
func (o *Observation) appendHeard(b []byte, all *Observation) (_ []byte, err error) {
	for _, m := range heard {
		if m.is(all) != m.is(o) {
			b = append(AppendText(append(b, m.name...), m.is(o)), ',')
		}
	}
	for _, m := range heardAt {
		if !m.is(all).Equal(m.is(o)) {
			if b, err = m.is(o).AppendText(append(b, m.name...)); err != nil {
				return b, err
			}
			b = append(b, `",`...)
		}
	}
	if all.Confidence != o.Confidence {
		if b, err = appendShare(append(b, `"confidence":`...), o.Confidence); err != nil {
			return b, err
		}
		b = append(b, ',')
	}
	return b, nil
}

// unheard says nothing of where, how and when.
var unheard = new(Observation)

// heard are the texts among those members.
var heard = []struct {
	name string
	is   func(*Observation) string
}{
	{`"entity":`, func(o *Observation) string { return o.Entity }},
	{`"source":`, func(o *Observation) string { return o.Source }},
	{`"class":`, func(o *Observation) string { return string(o.Class) }},
	{`"method":`, func(o *Observation) string { return o.Method }},
	{`"request_id":`, func(o *Observation) string { return o.RequestID }},
	{`"run_id":`, func(o *Observation) string { return o.RunID }},
}

// heardAt are the times among them.
var heardAt = []struct {
	name string
	is   func(*Observation) time.Time
}{
	{`"observed_at":"`, func(o *Observation) time.Time { return o.ObservedAt }},
	{`"fetched_at":"`, func(o *Observation) time.Time { return o.FetchedAt }},
}

// ReadAnswer reads what AppendAnswer wrote, or a plain list, as answers were written
// before; "" and null are no observations.
func ReadAnswer(text string) ([]Observation, error) {
	if text == "" {
		return nil, nil
	}
	if text[0] != '{' {
		var obs []Observation
		err := json.Unmarshal([]byte(text), &obs)
		return obs, err
	}
	var answer struct {
		All  Observation       `json:"all"`
		Each []json.RawMessage `json:"each"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, err
	}
	obs := make([]Observation, len(answer.Each))
	for i, raw := range answer.Each {
		obs[i] = answer.All
		if err := json.Unmarshal(raw, &obs[i]); err != nil {
			return nil, err
		}
	}
	return obs, nil
}

// appendMember adds a member of an object unless it is empty.
func appendMember(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return AppendText(append(b, name...), s)
}

// appendShare adds a number that is mostly between 0 and 1.
func appendShare(b []byte, x float64) ([]byte, error) {
	if x >= 1e-6 && x <= 1 {
		return strconv.AppendFloat(b, x, 'f', -1, 64), nil
	}
	odd, err := json.Marshal(x)
	return append(b, odd...), err
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

// AppendJSON adds what json.Marshal would write.
func (f *Fact) AppendJSON(b []byte) (_ []byte, err error) {
	b = AppendText(append(b, `{"field":`...), f.Field)
	b = AppendText(append(b, `,"state":`...), string(f.State))
	b = f.Value.appendJSON(append(b, `,"value":`...))
	b = appendMember(b, `,"source":`, f.Source)
	b = appendMember(b, `,"observation_id":`, f.ObservationID)
	if b, err = appendShare(append(b, `,"confidence":`...), f.Confidence); err != nil {
		return b, err
	}
	b, err = f.ObservedAt.AppendText(append(b, `,"observed_at":"`...))
	return append(b, `"}`...), err
}

// Facts is a profile, by field name. Nobody changes a fact that is in one: the leads
// of a company share them.
type Facts map[string]*Fact

// AppendJSON adds what json.Marshal would write of the facts of these names, which
// are in their order.
func (f Facts) AppendJSON(b []byte, names []string) (_ []byte, err error) {
	if f == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = f[name].AppendJSON(append(AppendText(b, name), ':')); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// Get returns the fact, or an unknown one.
func (f Facts) Get(field string) Fact {
	if x := f[field]; x != nil {
		return *x
	}
	return Fact{Field: field, State: Unknown}
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
