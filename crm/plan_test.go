package crm_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

var day = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

const industry crm.Field = "company.industry"

func holds(norm string) crm.Value {
	return crm.Value{Encoded: crm.Encoded{Raw: norm, Norm: norm}, Blank: norm == ""}
}

func found(v crm.Value) crm.Found {
	return crm.Found{Records: []crm.Record{{Object: crm.Company, ID: "7", Fields: map[crm.Field]crm.Value{industry: v}}}}
}

func TestTheFirstRowOfTheTableThatAppliesDecides(t *testing.T) {
	t.Parallel()
	ours := crm.Encoded{Raw: "retail", Norm: "retail"}
	wrote := &crm.Base{Norm: "software", Confidence: 0.8, ObservedAt: day}
	exactly := &crm.Base{Norm: "software", RawHash: galena.CRMValue{Raw: json.RawMessage(`"software"`)}.Hash(), Confidence: 0.8, ObservedAt: day}
	link := &crm.Base{Norm: "software", RawHash: galena.CRMValue{Raw: json.RawMessage(`"https://software"`)}.Hash(), Confidence: 0.8, ObservedAt: day}
	written := func(raw any) crm.Value { return crm.Value{Encoded: crm.Encoded{Raw: raw, Norm: "software"}} }
	text := func(s string) crm.Value { v := written(s); v.Text = true; return v }
	for _, c := range []struct {
		name   string
		theirs crm.Value
		base   *crm.Base
		want   crm.Want
		out    crm.Outcome
	}{
		{"blank", holds(""), nil, crm.Want{}, crm.Write},
		{"the same", holds("retail"), nil, crm.Want{}, crm.Same},
		{"a person's", holds("mining"), nil, crm.Want{}, crm.Conflict},
		{"a person changed ours", holds("mining"), wrote, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Conflict},
		{"a person cleared ours", holds(""), wrote, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Conflict},
		{"cleared, and refilled by policy", holds(""), wrote, crm.Want{Policy: crm.Policy{Refill: true}}, crm.Write},
		{"ours, filled only", holds("software"), wrote, crm.Want{}, crm.Same},
		{"ours, refreshed", holds("software"), wrote, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"ours, to the letter", text("software"), exactly, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"a person corrected the spelling", text("Software"), exactly, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Conflict},
		{"the server keeps it in another form", written("https://software"), exactly, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"the server answers with what is compared", written("software"), link, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"the server keeps an object", written(map[string]any{"id": 1}), exactly, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"ours, less sure", holds("software"), wrote, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}, Confidence: 0.5}, crm.Same},
		{"ours, older", holds("software"), wrote, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}, ObservedAt: day.Add(-time.Hour)}, crm.Same},
		{"the CRM says it is ours", crm.Value{Encoded: crm.Encoded{Norm: "software"}, Last: crm.Evidence{By: crm.ByUs, At: day}}, nil, crm.Want{Policy: crm.Policy{Mode: crm.RefreshIfOurs}}, crm.Write},
		{"a placeholder", holds("n/a"), nil, crm.Want{Policy: crm.Policy{Mode: crm.OverridePlaceholders, Placeholders: []string{"n/a"}}}, crm.Write},
		{"no placeholder", holds("mining"), nil, crm.Want{Policy: crm.Policy{Mode: crm.OverridePlaceholders, Placeholders: []string{"n/a"}}}, crm.Conflict},
		{"our own field", holds("mining"), nil, crm.Want{Policy: crm.Policy{Mode: crm.Own}}, crm.Write},
		{"never", holds(""), nil, crm.Want{Policy: crm.Policy{Mode: crm.Never}}, crm.Unsupported},
		{"a suggestion has nowhere to go", holds(""), nil, crm.Want{Policy: crm.Policy{Mode: crm.Suggest}}, crm.Unsupported},
		{"no such field", holds(""), nil, crm.Want{Err: galena.Errorf(galena.NotFound, "x", "no field")}, crm.Unsupported},
		{"no form", holds(""), nil, crm.Want{Err: galena.Errorf(galena.Invalid, "x", "no form")}, crm.Invalid},
		{"nothing to say", holds("mining"), nil, crm.Want{Encoded: crm.Encoded{Norm: " "}}, crm.Conflict},
		{"asked for by a person who saw it", holds("mining"), nil, crm.Want{By: "ada", Instead: "mining"}, crm.Write},
		{"asked for, and changed since", holds("fishing"), nil, crm.Want{By: "ada", Instead: "mining"}, crm.Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := c.want
			w.Field = industry
			if w.Encoded.Norm == "" {
				w.Encoded = ours
			}
			if w.Policy.Mode == "" {
				w.Policy.Mode = crm.FillEmpty
			}
			if w.Confidence == 0 {
				w.Confidence = 0.9
			}
			if w.ObservedAt.IsZero() {
				w.ObservedAt = day.Add(time.Hour)
			}
			base := map[crm.Field]crm.Base{}
			if c.base != nil {
				base[industry] = *c.base
			}
			d := crm.Make(crm.Key{Object: crm.Company, Domain: "acme.example"}, found(c.theirs), base, []crm.Want{w}).Decisions[0]
			if d.Outcome != c.out {
				t.Errorf("%s (%s), want %s", d.Outcome, d.Reason, c.out)
			}
		})
	}
}

func TestNothingIsWrittenToARecordThatIsNotSurelyTheOne(t *testing.T) {
	t.Parallel()
	want := []crm.Want{{Field: industry, Encoded: crm.Encoded{Norm: "retail"}, Policy: crm.Policy{Mode: crm.Own}}}
	two := crm.Found{Records: []crm.Record{{ID: "7"}, {ID: "8"}}}
	gone := crm.Found{Records: []crm.Record{{ID: "7", Closed: "deleted"}}}
	for _, f := range []crm.Found{two, gone} {
		p := crm.Make(crm.Key{Object: crm.Company}, f, nil, want)
		if c, sent := p.Change("x"); sent {
			t.Errorf("%d records, closed %q: would write %v", len(f.Records), f.Records[0].Closed, c.Set)
		}
	}
}

func TestAnOwnerIsReplacedOnlyWhereItIsInOurPool(t *testing.T) {
	t.Parallel()
	owner := func(norm string) crm.Outcome {
		f := crm.Found{Records: []crm.Record{{ID: "7", Fields: map[crm.Field]crm.Value{crm.Owner: holds(norm)}}}}
		w := crm.Want{Field: crm.Owner, Encoded: crm.Encoded{Norm: "u2"}, Policy: crm.Policy{Mode: crm.FillEmpty, Pool: []string{"queue"}}}
		return crm.Make(crm.Key{Object: crm.Company}, f, nil, []crm.Want{w}).Decisions[0].Outcome
	}
	if owner("") != crm.Write || owner("queue") != crm.Write || owner("u9") != crm.Conflict || owner("u2") != crm.Same {
		t.Error("an owner in the pool or none gives way, and nobody else")
	}
}

// A value that a person wrote last stands, whatever was there before, whatever
// we know and however the field is configured: but in fields that are ours by
// configuration, and for placeholders that the configuration names.
func TestNoValueOfAPersonIsEverOverwritten(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{"", "a", "b", "c", "n/a"})
	rapid.Check(t, func(rt *rapid.T) {
		theirs := holds("") // the field, and who wrote it last
		var base *crm.Base
		person := false
		now := day
		for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now = now.Add(time.Hour)
			if rapid.Bool().Draw(rt, "person edits") {
				theirs, person = holds(words.Draw(rt, "theirs")), true
				continue
			}
			w := crm.Want{Field: industry, Encoded: holds(words.Draw(rt, "ours")).Encoded, Source: "v",
				Confidence: rapid.Float64Range(0, 1).Draw(rt, "confidence"), ObservedAt: now,
				Policy: crm.Policy{Mode: rapid.SampledFrom([]crm.Mode{crm.FillEmpty, crm.RefreshIfOurs, crm.Never,
					crm.OverridePlaceholders}).Draw(rt, "mode"), Placeholders: []string{"n/a"}}}
			ledger := map[crm.Field]crm.Base{}
			if base != nil {
				ledger[industry] = *base
			}
			p := crm.Make(crm.Key{Object: crm.Company}, found(theirs), ledger, []crm.Want{w})
			c, sent := p.Change("x")
			if !sent {
				continue
			}
			if person && (!theirs.Blank || base != nil) && theirs.Norm != "n/a" && (base == nil || base.Norm != theirs.Norm) {
				rt.Fatalf("step %d: %q of a person gave way to %q (%s)", i, theirs.Norm, c.Set[industry].Norm, p.Decisions[0].Reason)
			}
			if seen, ok := c.Seen[industry]; !ok || seen.Norm != theirs.Norm {
				rt.Fatalf("step %d: the write has no guard", i)
			}
			theirs, person = holds(c.Set[industry].Norm), false
			base = &crm.Base{Norm: theirs.Norm, Confidence: w.Confidence, ObservedAt: now}
		}
	})
}
