package sqltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

var crmRules = map[string]func(*bench){
	"ARecordOfACRMIsHeldByOneRun":                crmHeld,
	"AWriteToACRMIsKnownBeforeItIsMade":          crmIntended,
	"TheLedgerHoldsWhatWasWrittenLast":           crmLedger,
	"AConflictWithACRMIsOneRowForRecordAndField": crmConflictOnce,
	"SeveralRecordsOfOneKeyAreOneConflict":       crmSeveral,
	"APersonsWordOnACRMHoldsAsLongAsItShould":    crmConflictQuiet,
	"ARunIsListedWithWhatItWroteAndPutBack":      crmRunsListed,
}

func crmClaim(s *bench, token string) galena.CRMClaim {
	return galena.CRMClaim{CRM: "twenty", Object: "company", Key: "domain:acme.test", Token: token, Until: s.clock.now().Add(time.Minute)}
}

var crmRecord = galena.CRMRecord{CRM: "twenty", Object: "company", ID: "c1", URL: "https://crm.test/c1"}

// crmWrite is a field on its way from old to now.
func crmWrite(id, run, field, before, now string) galena.CRMWrite {
	value := func(norm string) galena.CRMValue {
		raw, _ := json.Marshal(norm)
		return galena.CRMValue{Raw: raw, Norm: norm}
	}
	return galena.CRMWrite{ID: id, Run: run, Key: "domain:acme.test", Record: crmRecord, Field: field, Before: value(before), After: value(now),
		Source: "hunter", Confidence: 0.75, ObservedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), LeadID: "l1", State: galena.CRMDone, Ours: true}
}

// crmSettled writes one run's fields from beginning to end.
func crmSettled(s *bench, run string, writes ...galena.CRMWrite) {
	s.Helper()
	s.ok(s.IntendCRM(s.ctx, writes))
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Record: crmRecord, Run: run, Kind: galena.CRMRunLead, LeadID: "l1", Writes: writes,
		Outcomes: []galena.CRMOutcome{{Field: "company.industry", Outcome: "write", Reason: "it was blank"}}}))
}

func crmHeld(s *bench) {
	var got sync.Map
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			_, err := s.HoldCRM(s.ctx, crmClaim(s, fmt.Sprint(i)))
			got.Store(i, galena.KindOf(err))
		})
	}
	g.Wait()
	won, token := 0, ""
	got.Range(func(i, kind any) bool {
		switch kind {
		case galena.Kind(""):
			won, token = won+1, fmt.Sprint(i)
		case galena.Pending:
		default:
			s.Errorf("kind %v", kind)
		}
		return true
	})
	if won != 1 {
		s.Fatalf("%d runs hold the record", won)
	}
	held := crmClaim(s, token)
	held.Until = time.Time{}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Claim: held, Record: crmRecord, Wants: "w", SyncedAt: s.clock.now()}))
	h, err := s.HoldCRM(s.ctx, crmClaim(s, "next"))
	s.ok(err)
	if h.RecordID != "c1" || h.Wants != "w" || h.URL != crmRecord.URL || !h.SyncedAt.Equal(s.clock.now()) {
		s.Errorf("hold %+v", h)
	}
	s.clock.pass(61 * time.Second) // its run died
	_, err = s.HoldCRM(s.ctx, crmClaim(s, "heir"))
	s.ok(err)
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Claim: crmClaim(s, "next"), Record: crmRecord}))
	_, err = s.HoldCRM(s.ctx, crmClaim(s, "third"))
	s.refused(err, galena.Pending, "")
}

func crmIntended(s *bench) {
	w := crmWrite("w1", "r1", "company.industry", "", "retail")
	w.Record.ID = ""
	s.ok(s.IntendCRM(s.ctx, []galena.CRMWrite{w}))
	h, err := s.HoldCRM(s.ctx, crmClaim(s, "t"))
	s.ok(err)
	if len(h.Sent) != 1 || h.Sent[0].After.Norm != "retail" || h.Sent[0].State != galena.CRMSent || string(h.Sent[0].After.Raw) != `"retail"` {
		s.Fatalf("sent %+v", h.Sent)
	}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Claim: crmClaim(s, "t"), Record: crmRecord, Run: "r1", Writes: []galena.CRMWrite{w}}))
	writes, err := s.CRMRun(s.ctx, "r1")
	s.ok(err)
	if len(writes) != 1 || writes[0].State != galena.CRMDone || writes[0].Record != crmRecord {
		s.Errorf("writes %+v", writes)
	}
	_, err = s.CRMRun(s.ctx, "r2")
	s.refused(err, galena.NotFound, "")
}

func crmLedger(s *bench) {
	crmSettled(s, "r1", crmWrite("w1", "r1", "company.industry", "", "retail"))
	s.clock.pass(time.Hour)
	lost := crmWrite("w2", "r2", "company.city", "", "rome")
	lost.State = galena.CRMVoid
	doubted := crmWrite("w3", "r2", "company.name", "", "acme")
	doubted.Ours = false
	crmSettled(s, "r2", crmWrite("w4", "r2", "company.industry", "retail", "mining"), lost, doubted)
	base, err := s.CRMFields(s.ctx, crmRecord)
	s.ok(err)
	if len(base) != 1 || base[0].Norm != "mining" || base[0].RawHash != crmWrite("w4", "r2", "company.industry", "retail", "mining").After.Hash() || base[0].Confidence != 0.75 || !base[0].WrittenAt.Equal(s.clock.now()) || base[0].Released {
		s.Fatalf("ledger %+v", base)
	}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Record: crmRecord, Released: []string{"company.industry"}}))
	base, err = s.CRMFields(s.ctx, crmRecord)
	s.ok(err)
	if len(base) != 1 || !base[0].Released {
		s.Errorf("ledger %+v, want it released", base)
	}
}

// crmDisputed says that theirs stands against ours, and reads the conflict.
func crmDisputed(s *bench, theirs, ours string) galena.CRMConflict {
	s.Helper()
	w := crmWrite("", "", "company.industry", theirs, ours)
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Record: crmRecord, Conflicts: []galena.CRMConflict{{Field: w.Field, Theirs: w.Before,
		Ours: w.After, Source: w.Source, Confidence: w.Confidence, ObservedAt: w.ObservedAt, Evidence: "somebody else's", LeadID: "l1"}}}))
	all, err := s.CRMConflicts(s.ctx, galena.CRMConflictFilter{CRM: "twenty"})
	s.ok(err)
	if len(all) != 1 {
		s.Fatalf("%d conflicts", len(all))
	}
	return all[0]
}

func crmConflictOnce(s *bench) {
	first := crmDisputed(s, "mining", "retail")
	s.clock.pass(time.Hour)
	k := crmDisputed(s, "fishing", "retail")
	if k.ID != first.ID || !k.FirstSeen.Equal(first.FirstSeen) || !k.LastSeen.Equal(s.clock.now()) || k.Theirs.Norm != "fishing" ||
		k.Record != crmRecord || k.Evidence == "" || k.Confidence != 0.75 || k.Source != "hunter" || k.Status != galena.ConflictOpen {
		s.Errorf("conflict %+v", k)
	}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Record: crmRecord, Agreed: []string{"company.industry"}}))
	open, err := s.CRMConflicts(s.ctx, galena.CRMConflictFilter{Status: galena.ConflictOpen})
	s.ok(err)
	if len(open) != 0 {
		s.Errorf("open %+v after they agreed", open)
	}
}

func crmSeveral(s *bench) {
	claim := crmClaim(s, "t1")
	_, err := s.HoldCRM(s.ctx, claim)
	s.ok(err)
	claim.Until = time.Time{}
	whole := galena.CRMRecord{CRM: claim.CRM, Object: claim.Object, ID: claim.Key}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Claim: claim, Record: galena.CRMRecord{CRM: claim.CRM, Object: claim.Object},
		Conflicts: []galena.CRMConflict{{Record: whole, Field: galena.CRMWhole, Theirs: galena.CRMValue{Raw: json.RawMessage(`["a","b"]`), Norm: "a b"},
			Ours: galena.CRMValue{Raw: json.RawMessage("null")}, Evidence: "several records answer", LeadID: "l1"}}}))
	open, err := s.CRMConflicts(s.ctx, galena.CRMConflictFilter{Status: galena.ConflictOpen})
	s.ok(err)
	if len(open) != 1 || open[0].Record != whole || string(open[0].Theirs.Raw) != `["a","b"]` {
		s.Fatalf("conflicts %+v", open)
	}
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Claim: claim, Record: crmRecord, Single: true}))
	open, err = s.CRMConflicts(s.ctx, galena.CRMConflictFilter{Status: galena.ConflictOpen})
	s.ok(err)
	if len(open) != 0 {
		s.Errorf("open %+v after a person merged the records", open)
	}
}

func crmConflictQuiet(s *bench) {
	k := crmDisputed(s, "mining", "retail")
	_, err := s.ResolveCRMConflict(s.ctx, k.ID, galena.KeepTheirs, "ada")
	s.ok(err)
	_, err = s.ResolveCRMConflict(s.ctx, k.ID, galena.KeepTheirs, "bob")
	s.refused(err, galena.Conflict, "resolved")
	_, err = s.ResolveCRMConflict(s.ctx, "none", galena.KeepTheirs, "bob")
	s.refused(err, galena.NotFound, "")
	if k = crmDisputed(s, "mining", "steel"); k.Status != galena.ConflictResolved || k.ResolvedBy != "ada" {
		s.Errorf("conflict %+v: theirs is what ada kept", k)
	}
	if k = crmDisputed(s, "fishing", "steel"); k.Status != galena.ConflictOpen || k.Resolution != "" {
		s.Errorf("conflict %+v: theirs is another value now", k)
	}
	_, err = s.ResolveCRMConflict(s.ctx, k.ID, galena.Ignore, "ada")
	s.ok(err)
	if k = crmDisputed(s, "wood", "glass"); k.Status != galena.ConflictResolved || k.Resolution != galena.Ignore {
		s.Errorf("conflict %+v: it is ignored for good", k)
	}
	audit, err := s.AuditTrail(s.ctx, 10)
	s.ok(err)
	if len(audit) != 2 || audit[0].Action != "crm_conflict.ignore" || audit[0].Actor != "ada" {
		s.Errorf("audit %+v", audit)
	}
}

func crmRunsListed(s *bench) {
	made := crmWrite("w1", "r1", "company.domain", "", "acme.test")
	made.Created = true
	crmSettled(s, "r1", made, crmWrite("w2", "r1", "company.industry", "", "retail"))
	s.clock.pass(time.Minute)
	back := crmWrite("w3", "revert/r1/x", "company.industry", "retail", "")
	back.By, back.Ours = "ada", false
	s.ok(s.IntendCRM(s.ctx, []galena.CRMWrite{back}))
	s.ok(s.SettleCRM(s.ctx, galena.CRMSettlement{Record: crmRecord, Run: "revert/r1/x", Kind: galena.CRMRunRevert, By: "ada",
		Writes: []galena.CRMWrite{back}, Outcomes: []galena.CRMOutcome{{Field: "company.industry", Outcome: "write"}}}))
	runs, err := s.CRMRuns(s.ctx, 10)
	s.ok(err)
	if len(runs) != 2 || runs[0].Kind != galena.CRMRunRevert || runs[0].By != "ada" {
		s.Fatalf("runs %+v", runs)
	}
	if r := runs[1]; r.ID != "r1" || r.Records != 1 || r.Fields != 2 || r.Created != 1 || r.Reverted != 1 || r.LeadID != "l1" {
		s.Errorf("run %+v", r)
	}
	fields, err := s.CRMFields(s.ctx, crmRecord)
	s.ok(err)
	for _, f := range fields {
		if f.Reverted != (f.Field == "company.industry") {
			s.Errorf("field %+v: the industry alone was taken back", f)
		}
	}
	crmSettled(s, "r10", crmWrite("w4", "r10", "company.industry", "", "retail"))
	if fields, err = s.CRMFields(s.ctx, crmRecord); err != nil || slices.ContainsFunc(fields, func(f galena.CRMField) bool { return f.Reverted }) {
		s.Errorf("%v, fields %+v: what was written since was not taken back", err, fields)
	}
	writes, err := s.CRMRun(s.ctx, "r1")
	s.ok(err)
	if len(writes) != 2 || writes[0].ID != "w2" {
		s.Errorf("writes %+v, want the latest first", writes)
	}
}
