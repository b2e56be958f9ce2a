package galena

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

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
		if *m.of(all) != *m.of(o) {
			b = append(AppendText(append(b, m.name...), *m.of(o)), ',')
		}
	}
	for _, m := range heardAt {
		if !m.of(all).Equal(*m.of(o)) {
			if b, err = m.of(o).AppendText(append(append(b, m.name...), '"')); err != nil {
				return b, err
			}
			b = append(b, `",`...)
		}
	}
	if all.Confidence != o.Confidence {
		if b, err = appendShare(append(b, confidence...), o.Confidence); err != nil {
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
	of   func(*Observation) *string
}{
	{`"entity":`, func(o *Observation) *string { return &o.Entity }},
	{`"source":`, func(o *Observation) *string { return &o.Source }},
	{`"class":`, func(o *Observation) *string { return (*string)(&o.Class) }},
	{`"method":`, func(o *Observation) *string { return &o.Method }},
	{`"request_id":`, func(o *Observation) *string { return &o.RequestID }},
	{`"run_id":`, func(o *Observation) *string { return &o.RunID }},
}

// heardAt are the times among them.
var heardAt = []struct {
	name string
	of   func(*Observation) *time.Time
}{
	{`"observed_at":`, func(o *Observation) *time.Time { return &o.ObservedAt }},
	{`"fetched_at":`, func(o *Observation) *time.Time { return &o.FetchedAt }},
}

// confidence is the number among them.
const confidence = `"confidence":`

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
	if obs, ok := readAnswer(text); ok {
		return obs, nil
	}
	return readAnyAnswer(text)
}

func readAnyAnswer(text string) ([]Observation, error) {
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

// readAnswer reads what AppendAnswer wrote in one walk; what is read is part of the
// text. False when anything is otherwise: then it is read as any JSON.
func readAnswer(text string) ([]Observation, bool) {
	r := reader{text}
	var all Observation
	if !utf8.ValidString(text) || !r.pass(`{"all":{`) || !r.heard(&all) || !r.pass(`},"each":[`) {
		return nil, false
	}
	obs := make([]Observation, 0, strings.Count(text, `,"field":`))
	for {
		obs = append(obs, all)
		o := &obs[len(obs)-1]
		if !r.pass("{") || !r.heard(o) || !r.rest(o) {
			return nil, false
		}
		if !r.pass(",") {
			return obs, r.left == "]}"
		}
	}
}

// heard reads what appendHeard wrote.
func (r *reader) heard(o *Observation) (ok bool) {
	for _, m := range heard {
		if r.pass(m.name) {
			if *m.of(o), ok = r.text(); !ok || !r.another() {
				return false
			}
		}
	}
	for _, m := range heardAt {
		if r.pass(m.name) {
			s, ok := r.text()
			if !ok || m.of(o).UnmarshalText([]byte(s)) != nil || !r.another() {
				return false
			}
		}
	}
	if r.pass(confidence) {
		o.Confidence, ok = r.share()
		return ok && r.another()
	}
	return true
}

// rest reads what AppendAnswer wrote of one observation alone.
func (r *reader) rest(o *Observation) (ok bool) {
	if !r.pass(`"id":`) {
		return false
	}
	if o.ID, ok = r.text(); ok && r.pass(`,"field":`) {
		o.Field, ok = r.text()
	}
	if ok && r.pass(`,"value":`) {
		o.Value, ok = r.value()
	}
	if ok && r.pass(`,"absent":true`) {
		o.Absent = true
	}
	if ok && r.pass(`,"ref":`) {
		o.Ref, ok = r.text()
	}
	if ok && r.pass(`,"cost_micros":`) {
		o.CostMicros, ok = r.number()
	}
	return ok && r.pass("}")
}
