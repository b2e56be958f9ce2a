package galena

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteAnswer writes the observations of one answer. An answer holds a dozen or two
// that were heard at one time from one source: what the first says of that is said
// once, for all that do not say otherwise, and the text is half as long.
// {"all": what the first says, "each": [the rest of each]}.
func WriteAnswer(w *JSONWriter, obs []*Observation) {
	if len(obs) == 0 {
		w.Raw("[]")
		return
	}
	all := obs[0]
	w.Raw(`{"all":{`)
	all.writeHeard(w, unheard)
	w.B = bytes.TrimSuffix(w.B, []byte{','})
	WriteList(w, `},"each":`, obs, func(each **Observation, w *JSONWriter) {
		o := *each
		w.Raw("{")
		o.writeHeard(w, all)
		w.Text(`"id":`, o.ID)
		w.Text(`,"field":`, o.Field)
		o.Value.writeJSON(w, `,"value":`)
		if o.Absent {
			w.Raw(`,"absent":true`)
		}
		w.Filled(`,"ref":`, o.Ref)
		if o.CostMicros != 0 {
			w.Int(`,"cost_micros":`, o.CostMicros)
		}
		w.Raw("}")
	})
	w.Raw("}")
}

// writeHeard writes the members that say where, how and when o was heard, a comma
// after each, but for those of which all says the same.
func (o *Observation) writeHeard(w *JSONWriter, all *Observation) {
	for _, m := range heard {
		if *m.of(all) != *m.of(o) {
			w.Text(m.name, *m.of(o))
			w.Raw(",")
		}
	}
	for _, m := range heardAt {
		if !m.of(all).Equal(*m.of(o)) {
			w.Time(m.name, *m.of(o))
			w.Raw(",")
		}
	}
	if all.Confidence != o.Confidence {
		w.Float(confidence, o.Confidence)
		w.Raw(",")
	}
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

// ReadAnswer reads what WriteAnswer wrote, or a plain list, as answers were written
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

// readAnswer reads what WriteAnswer wrote in one walk; what is read is part of the
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

// rest reads what WriteAnswer wrote of one observation alone.
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
