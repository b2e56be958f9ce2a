package crm

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// maxAgain is how often a record that changes under us is planned anew at once,
// and maxAsked ends a search for refused fields that does not end by itself.
const (
	maxAgain = 2
	maxAsked = 60
)

// needed is what a record is made of: what it is found by, and its name.
var needed = []Field{Domain, Email, "company.name", FirstName, LastName}

// cut leaves of a change what is to be tried: all, or one thing at a time when
// something of it was refused and the CRM does not say what.
func (s *session) cut(c Change) Change {
	if !s.alone {
		return c
	}
	keep := slices.Sorted(maps.Keys(c.Set))[:1]
	if c.ID == "" {
		keep = needed
	}
	maps.DeleteFunc(c.Set, func(f Field, _ Encoded) bool { return !slices.Contains(keep, f) })
	maps.DeleteFunc(c.Seen, func(f Field, _ Value) bool { return !slices.Contains(keep, f) })
	return c
}

// apply sends one change. more says that the record must be looked at again.
func (s *session) apply(ctx context.Context, p Plan, c Change) (more bool, err error) {
	s.asked++
	if len(c.Set) == 0 || s.asked > maxAsked {
		return false, galena.Errorf(galena.Malformed, "crm.apply", "the record is never taken, and the CRM does not say why")
	}
	if c.ID == "" && !s.Now().Before(s.claim.Until) {
		// We were slow: somebody else may have the record by now, or have made it.
		if err := s.take(ctx); err != nil {
			return false, err
		}
		if s.record.ID = s.hold.RecordID; s.record.ID != "" || len(s.hold.Sent) > 0 {
			return true, nil
		}
	}
	from := len(s.writes)
	if err := s.intend(ctx, p, c); err != nil {
		return false, err
	}
	results, err := s.CRM.Apply(ctx, []Change{c})
	if err == nil && len(results) != 1 {
		err = galena.Errorf(galena.Malformed, "crm.apply", "%d results of one change", len(results))
	}
	var r Result
	if err == nil {
		r, err = results[0], results[0].Err
	}
	return s.outcome(c, r, err, s.writes[from:])
}

// intend writes down what is about to be sent.
func (s *session) intend(ctx context.Context, p Plan, c Change) error {
	var writes []galena.CRMWrite
	for _, d := range p.Decisions {
		if _, ok := c.Set[d.Field]; !ok || d.Outcome != Write {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		before, err1 := stored(d.Theirs.Encoded)
		after, err2 := stored(d.Ours)
		if err1 != nil || err2 != nil {
			return galena.Errorf(galena.Internal, "crm.apply", "the form of %s is not JSON", d.Field)
		}
		before.Norm = d.Theirs.norm()
		writes = append(writes, galena.CRMWrite{ID: id.String(), Run: s.job.Run, Key: s.claim.Key, Record: s.record,
			Field: string(d.Field), Before: before, After: after, Created: c.ID == "", Source: d.Source, Confidence: d.Confidence,
			ObservedAt: d.ObservedAt, LeadID: s.job.LeadID, By: d.By, State: galena.CRMSent, At: s.Now()})
	}
	s.writes = append(s.writes, writes...)
	return s.Ledger.IntendCRM(ctx, writes)
}

func stored(e Encoded) (galena.CRMValue, error) {
	raw, err := json.Marshal(e.Raw)
	return galena.CRMValue{Raw: raw, Norm: e.Norm}, err
}

// outcome is the writer's column of the table of kinds: what an answer means for
// what was sent, and whether to look again.
func (s *session) outcome(c Change, r Result, err error, sent []galena.CRMWrite) (more bool, _ error) {
	end := func(state galena.CRMState) {
		for i := range sent {
			sent[i].State, sent[i].Ours = state, state == galena.CRMDone && s.job.Kind != galena.CRMRunRevert
			if f := Field(sent[i].Field); slices.Contains(r.Lost, f) || slices.Contains(r.Refused, f) {
				sent[i].State, sent[i].Ours = galena.CRMVoid, false
			}
		}
	}
	switch galena.KindOf(err) {
	case "":
		end(galena.CRMDone)
		s.refuse(r.Refused)
		if r.ID != "" {
			s.record.ID, s.record.URL = r.ID, r.URL
		}
		if s.record.ID == "" {
			return false, galena.Errorf(galena.Malformed, "crm.apply", "a record was made and has no id")
		}
		if len(r.Lost) == 0 || s.retry() {
			return len(r.Lost) > 0 || s.alone, nil
		}
		return false, galena.Errorf(galena.Conflict, "crm.apply", "the record changes all the time")
	case galena.Conflict, galena.NotFound:
		end(galena.CRMVoid)
		if galena.KindOf(err) == galena.NotFound {
			s.record.ID = ""
		}
		if s.retry() {
			return true, nil
		}
		return false, err
	case galena.Invalid:
		end(galena.CRMVoid)
		return s.narrow(c, r.Refused), nil
	case galena.RateLimited, galena.Exhausted, galena.Unauthorized, galena.BreakerOpen, galena.Pending, galena.WrongSubject:
		end(galena.CRMVoid)
		return false, err
	default: // whether it was done is not known: it stays sent, and is looked for
		if c.ID == "" {
			s.rest = s.Now().Add(doubtful)
		}
		return false, err
	}
}

func (s *session) retry() bool {
	s.again++
	return s.again <= maxAgain
}

// refuse gives up fields that the CRM will never take.
func (s *session) refuse(fields []Field) {
	if s.told == nil {
		s.told = map[Field]string{}
	}
	for _, f := range fields {
		s.told[f] = "the CRM refuses the value"
	}
}

// narrow gives up of a refused change what is known to be at fault. Where the CRM
// does not say what that is, the fields are tried alone; a record that is refused
// with nothing but what it needs is given up.
func (s *session) narrow(c Change, named []Field) (more bool) {
	named = slices.DeleteFunc(slices.Clone(named), func(f Field) bool { _, ok := c.Set[f]; return !ok })
	switch {
	case len(named) > 0:
		s.refuse(named)
	case c.ID == "" && s.alone:
		for _, w := range s.want.Wants {
			s.refuse([]Field{w.Field})
		}
		return false
	case len(c.Set) == 1 && c.ID != "":
		s.refuse(slices.Collect(maps.Keys(c.Set)))
	default:
		s.alone = true
	}
	return true
}

// settle writes down what was learnt and frees the record. It must not be cut
// short by whatever ended the run.
func (s *session) settle(ctx context.Context, p Plan, wants string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	d := galena.CRMSettlement{Claim: s.claim, Record: s.record, Wants: wants, SyncedAt: s.synced, Run: s.job.Run, Kind: s.job.Kind,
		LeadID: s.job.LeadID, By: s.job.By}
	d.Claim.Until = s.rest
	for _, w := range s.writes {
		if w.State != galena.CRMSent {
			d.Writes = append(d.Writes, w)
		}
	}
	if c, ok := s.severally(p); ok {
		d.Conflicts = append(d.Conflicts, c)
	} else {
		d.Single = p.Record != nil
	}
	for _, k := range p.Decisions {
		d.Outcomes = append(d.Outcomes, galena.CRMOutcome{Field: string(k.Field), Outcome: string(k.Outcome), Reason: k.Reason})
		if s.record.ID != "" && k.Field != "" {
			s.dispute(&d, k)
		}
	}
	return s.Ledger.SettleCRM(ctx, d)
}

// severally is the conflict of a key to which several records answer: which of
// them is meant is for a person to say, by merging them.
func (s *session) severally(p Plan) (galena.CRMConflict, bool) {
	if len(p.Several) == 0 {
		return galena.CRMConflict{}, false
	}
	ids, err := json.Marshal(p.Several)
	return galena.CRMConflict{Record: galena.CRMRecord{CRM: s.CRM.Name(), Object: string(p.Object), ID: s.claim.Key}, Field: galena.CRMWhole,
		Theirs: galena.CRMValue{Raw: ids, Norm: strings.Join(p.Several, " ")}, Ours: galena.CRMValue{Raw: json.RawMessage("null")},
		Source: "galena", Confidence: 1, ObservedAt: s.Now(), Evidence: "several records answer to the key: merge them in the CRM",
		LeadID: s.job.LeadID}, err == nil
}

// dispute notes a field on which the CRM and we differ, or no longer do. Putting
// back what was there before is no opinion on what should be.
func (s *session) dispute(d *galena.CRMSettlement, k Decision) {
	switch {
	case s.job.Kind == galena.CRMRunRevert:
	case k.Outcome == Conflict:
		theirs, err1 := stored(k.Theirs.Encoded)
		ours, err2 := stored(k.Ours)
		if err1 != nil || err2 != nil {
			return
		}
		theirs.Norm = k.Theirs.norm()
		d.Conflicts = append(d.Conflicts, galena.CRMConflict{Record: s.record, Field: string(k.Field), Theirs: theirs, Ours: ours,
			Source: k.Source, Confidence: k.Confidence, ObservedAt: k.ObservedAt, Evidence: k.Reason, LeadID: s.job.LeadID})
		if k.Base != nil && !k.Theirs.Blank {
			d.Released = append(d.Released, string(k.Field))
		}
	case s.job.Kind == galena.CRMRunLead && (k.Outcome == Same || k.Outcome == Write):
		d.Agreed = append(d.Agreed, string(k.Field))
	}
}
