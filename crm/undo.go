package crm

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/galenahq/galena"
)

// TakeOurs writes our side of a conflict at a person's word, where the CRM still
// holds what they saw. Conflict: it holds something else by now.
func (w *Writer) TakeOurs(ctx context.Context, run string, k galena.CRMConflict, by string) (Plan, error) {
	if k.Field == galena.CRMWhole {
		return Plan{}, galena.Errorf(galena.Invalid, "crm.take_ours", "several records answer to the key: merge them in the CRM")
	}
	ours, err := read(k.Ours)
	if err != nil {
		return Plan{}, err
	}
	return w.one(ctx, galena.CRMRunTaken, run, k.LeadID, by, k.Record, []Want{{Field: Field(k.Field), Encoded: ours, Source: k.Source,
		Confidence: k.Confidence, ObservedAt: k.ObservedAt, By: by, Instead: k.Theirs.Norm, Spelt: k.Theirs.Hash()}})
}

// Revert puts back what stood in the fields that a run wrote, in those that
// still hold what it wrote. The others are Conflict in the plans, and left alone.
// A record that the run made stays, with what it is found by: deleting is for a
// person.
func (w *Writer) Revert(ctx context.Context, run string, writes []galena.CRMWrite, by string) ([]Plan, error) {
	var order []galena.CRMRecord
	wants := map[galena.CRMRecord][]Want{}
	lead := ""
	for _, x := range writes { // the latest first
		if f := Field(x.Field); x.State != galena.CRMDone || x.Created && (f == Domain || f == Email) {
			continue
		}
		before, err := read(x.Before)
		if err != nil {
			return nil, err
		}
		record := x.Record
		record.URL = ""
		if wants[record] == nil {
			order = append(order, record)
		}
		wants[record] = reverted(wants[record], x, before, by)
		lead = x.LeadID
	}
	var plans []Plan
	for _, record := range order {
		p, err := w.one(ctx, galena.CRMRunRevert, run, lead, by, record, wants[record])
		if err != nil {
			return plans, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// reverted adds one write to undo. Of two in one field the later one says what
// must still stand there and the earlier one what comes back.
func reverted(wants []Want, x galena.CRMWrite, before Encoded, by string) []Want {
	for i := range wants {
		if wants[i].Field == Field(x.Field) {
			wants[i].Encoded = before
			return wants
		}
	}
	return append(wants, Want{Field: Field(x.Field), Encoded: before, Source: x.Source, Confidence: x.Confidence,
		ObservedAt: x.ObservedAt, By: by, Instead: x.After.Norm, Spelt: x.After.Hash()})
}

// one writes a single record that is known by its id.
func (w *Writer) one(ctx context.Context, kind galena.CRMRunKind, run, lead, by string, r galena.CRMRecord, wants []Want) (Plan, error) {
	plans, err := w.Write(ctx, Job{Run: run, Kind: kind, LeadID: lead, By: by,
		Records: []Wanted{{Key: Key{Object: Object(r.Object), ID: r.ID}, Wants: wants}}})
	if err != nil {
		return Plan{}, err
	}
	return plans[0], nil
}

// read is the form that stored made JSON of, with numbers as they were written: as a
// float an id of nineteen digits would be another one.
func read(v galena.CRMValue) (Encoded, error) {
	e := Encoded{Norm: v.Norm}
	d := json.NewDecoder(bytes.NewReader(v.Raw))
	d.UseNumber()
	if err := d.Decode(&e.Raw); err != nil {
		return e, galena.Errorf(galena.Internal, "crm.read", "a stored value is not JSON")
	}
	return e, nil
}
