package sql

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/galenahq/galena"
)

// crmBusy is how long to wait for a record that another run writes.
const crmBusy = 250 * time.Millisecond

type crmHoldRow struct {
	RecordID string `db:"record_id"`
	URL      string `db:"url"`
	Wants    string `db:"wants"`
	SyncedAt int64  `db:"synced_at"`
}

// HoldCRM gives a record to one run. Pending: another run has it.
func (s *Store) HoldCRM(ctx context.Context, c galena.CRMClaim) (galena.CRMHold, error) {
	const op = "sql.hold_crm"
	var out galena.CRMHold
	err := s.inTx(ctx, op, func(tx conn) error {
		a := args{"crm": c.CRM, "object": c.Object, "key": c.Key, "token": c.Token, "until": micros(c.Until), "now": micros(s.now())}
		r, err := one[crmHoldRow](ctx, tx, "hold-crm-record", a)
		if missing(err) {
			return &galena.Error{Kind: galena.Pending, Op: op, RetryAfter: crmBusy, Cause: "held"}
		}
		if err != nil {
			return err
		}
		out = galena.CRMHold{RecordID: r.RecordID, URL: r.URL, Wants: r.Wants, SyncedAt: at(r.SyncedAt)}
		out.Sent, err = crmWrites(list[crmWriteRow](ctx, tx, "crm-sent", a))
		return err
	})
	return out, err
}

// CRMFields is what we wrote last into a record.
func (s *Store) CRMFields(ctx context.Context, r galena.CRMRecord) ([]galena.CRMField, error) {
	found, err := list[struct {
		Field      string  `db:"field"`
		Norm       string  `db:"norm"`
		RawHash    string  `db:"raw_hash"`
		Confidence float64 `db:"confidence"`
		ObservedAt int64   `db:"observed_at"`
		WrittenAt  int64   `db:"written_at"`
		Released   bool    `db:"released"`
		Reverted   bool    `db:"reverted"`
	}](ctx, s.reader(), "crm-fields", crmRecordArgs(r))
	out := make([]galena.CRMField, len(found))
	for i, f := range found {
		out[i] = galena.CRMField{Field: f.Field, Norm: f.Norm, RawHash: f.RawHash, Confidence: f.Confidence, ObservedAt: at(f.ObservedAt),
			WrittenAt: at(f.WrittenAt), Released: f.Released, Reverted: f.Reverted}
	}
	return out, fault("sql.crm_fields", err)
}

// IntendCRM writes down what is about to be sent.
func (s *Store) IntendCRM(ctx context.Context, writes []galena.CRMWrite) error {
	return s.inTx(ctx, "sql.intend_crm", func(tx conn) error {
		for _, w := range writes {
			if _, err := tx.exec(ctx, "insert-crm-write", s.crmWriteArgs(w)); err != nil {
				return err
			}
		}
		return nil
	})
}

// SettleCRM writes what a run learnt about a record and ends its claim. What
// was written at the CRM is written down even when the claim is lost.
func (s *Store) SettleCRM(ctx context.Context, d galena.CRMSettlement) error {
	return s.inTx(ctx, "sql.settle_crm", func(tx conn) error {
		a := crmRecordArgs(d.Record)
		a["key"], a["token"], a["until"], a["wants"], a["now"] = d.Claim.Key, d.Claim.Token, micros(d.Claim.Until), d.Wants, micros(s.now())
		a["synced_at"] = micros(d.SyncedAt)
		if d.Claim.Token != "" {
			if _, err := tx.exec(ctx, "settle-crm-record", a); err != nil {
				return err
			}
		}
		if err := s.endCRMWrites(ctx, tx, d); err != nil {
			return err
		}
		if err := s.writeCRMConflicts(ctx, tx, d); err != nil {
			return err
		}
		if len(d.Outcomes) == 0 {
			return nil
		}
		outcomes, err := text(d.Outcomes)
		if err != nil {
			return err
		}
		a["run"], a["kind"], a["lead_id"], a["actor"], a["outcomes"] = d.Run, string(d.Kind), d.LeadID, d.By, outcomes
		_, err = tx.exec(ctx, "put-crm-run", a)
		return err
	})
}

func (s *Store) endCRMWrites(ctx context.Context, tx conn, d galena.CRMSettlement) error {
	for _, w := range d.Writes {
		w.Record = d.Record
		a := s.crmWriteArgs(w)
		a["state"] = string(w.State)
		if _, err := tx.exec(ctx, "end-crm-write", a); err != nil {
			return err
		}
		if w.State != galena.CRMDone || !w.Ours {
			continue
		}
		if _, err := tx.exec(ctx, "put-crm-field", a); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeCRMConflicts(ctx context.Context, tx conn, d galena.CRMSettlement) error {
	now := micros(s.now())
	for _, k := range d.Conflicts {
		id, err := newID()
		if err != nil {
			return err
		}
		a := crmRecordArgs(cmp.Or(k.Record, d.Record))
		a["id"], a["field"], a["theirs_raw"], a["theirs_norm"] = id, k.Field, string(k.Theirs.Raw), k.Theirs.Norm
		a["ours_raw"], a["ours_norm"], a["source"], a["confidence"] = string(k.Ours.Raw), k.Ours.Norm, k.Source, k.Confidence
		a["observed_at"], a["evidence"], a["lead_id"], a["now"] = micros(k.ObservedAt), k.Evidence, k.LeadID, now
		if _, err := tx.exec(ctx, "put-crm-conflict", a); err != nil {
			return err
		}
	}
	if d.Single {
		whole := galena.CRMRecord{CRM: d.Claim.CRM, Object: d.Claim.Object, ID: d.Claim.Key}
		a := crmRecordArgs(whole)
		a["field"], a["now"] = galena.CRMWhole, now
		if _, err := tx.exec(ctx, "agree-crm-conflict", a); err != nil {
			return err
		}
	}
	for statement, fields := range map[string][]string{"agree-crm-conflict": d.Agreed, "release-crm-field": d.Released} {
		for _, field := range fields {
			a := crmRecordArgs(d.Record)
			a["field"], a["now"] = field, now
			if _, err := tx.exec(ctx, statement, a); err != nil {
				return err
			}
		}
	}
	return nil
}

func crmRecordArgs(r galena.CRMRecord) args {
	return args{"crm": r.CRM, "object": r.Object, "record_id": r.ID, "url": r.URL}
}

type crmWriteRow struct {
	ID         string  `db:"id"`
	Run        string  `db:"run"`
	CRM        string  `db:"crm"`
	Object     string  `db:"object"`
	Key        string  `db:"key"`
	RecordID   string  `db:"record_id"`
	URL        string  `db:"url"`
	Field      string  `db:"field"`
	BeforeRaw  string  `db:"before_raw"`
	BeforeNorm string  `db:"before_norm"`
	AfterRaw   string  `db:"after_raw"`
	AfterNorm  string  `db:"after_norm"`
	Created    bool    `db:"created"`
	Source     string  `db:"source"`
	Confidence float64 `db:"confidence"`
	ObservedAt int64   `db:"observed_at"`
	LeadID     string  `db:"lead_id"`
	Actor      string  `db:"actor"`
	State      string  `db:"state"`
	WrittenAt  int64   `db:"written_at"`
}

func crmWrites(found []crmWriteRow, err error) ([]galena.CRMWrite, error) {
	out := make([]galena.CRMWrite, len(found))
	for i, r := range found {
		out[i] = galena.CRMWrite{ID: r.ID, Run: r.Run, Key: r.Key,
			Record: galena.CRMRecord{CRM: r.CRM, Object: r.Object, ID: r.RecordID, URL: r.URL}, Field: r.Field,
			Before:  galena.CRMValue{Raw: json.RawMessage(r.BeforeRaw), Norm: r.BeforeNorm},
			After:   galena.CRMValue{Raw: json.RawMessage(r.AfterRaw), Norm: r.AfterNorm},
			Created: r.Created, Source: r.Source, Confidence: r.Confidence, ObservedAt: at(r.ObservedAt),
			LeadID: r.LeadID, By: r.Actor, State: galena.CRMState(r.State), At: at(r.WrittenAt)}
	}
	return out, err
}

func (s *Store) crmWriteArgs(w galena.CRMWrite) args {
	a := crmRecordArgs(w.Record)
	a["id"], a["run"], a["key"], a["field"] = w.ID, w.Run, w.Key, w.Field
	a["before_raw"], a["before_norm"] = string(w.Before.Raw), w.Before.Norm
	a["after_raw"], a["after_norm"], a["raw_hash"] = string(w.After.Raw), w.After.Norm, w.After.Hash()
	a["created"], a["source"], a["confidence"], a["observed_at"] = w.Created, w.Source, w.Confidence, micros(w.ObservedAt)
	a["lead_id"], a["actor"], a["now"] = w.LeadID, w.By, micros(s.now())
	return a
}

// CRMRuns lists the runs that wrote to CRMs, the newest first.
func (s *Store) CRMRuns(ctx context.Context, limit int) ([]galena.CRMRun, error) {
	found, err := list[struct {
		ID       string `db:"run"`
		CRM      string `db:"crm"`
		Kind     string `db:"kind"`
		LeadID   string `db:"lead_id"`
		Actor    string `db:"actor"`
		At       int64  `db:"at"`
		Records  int    `db:"records"`
		Fields   int    `db:"fields"`
		Created  int    `db:"created"`
		Reverted int    `db:"reverted"`
	}](ctx, s.reader(), "crm-runs", args{"limit": limit})
	out := make([]galena.CRMRun, len(found))
	for i, r := range found {
		out[i] = galena.CRMRun{ID: r.ID, CRM: r.CRM, Kind: galena.CRMRunKind(r.Kind), LeadID: r.LeadID, By: r.Actor, At: at(r.At),
			Records: r.Records, Fields: r.Fields, Created: r.Created, Reverted: r.Reverted}
	}
	return out, fault("sql.crm_runs", err)
}

// CRMRun is what a run wrote, the latest first; NotFound when it wrote nothing.
func (s *Store) CRMRun(ctx context.Context, run string) ([]galena.CRMWrite, error) {
	out, err := crmWrites(list[crmWriteRow](ctx, s.reader(), "crm-run", args{"run": run}))
	if err == nil && len(out) == 0 {
		return nil, galena.Errorf(galena.NotFound, "sql.crm_run", "no run of that id wrote anything")
	}
	return out, fault("sql.crm_run", err)
}

type crmConflictRow struct {
	ID         string  `db:"id"`
	CRM        string  `db:"crm"`
	Object     string  `db:"object"`
	RecordID   string  `db:"record_id"`
	URL        string  `db:"url"`
	Field      string  `db:"field"`
	TheirsRaw  string  `db:"theirs_raw"`
	TheirsNorm string  `db:"theirs_norm"`
	OursRaw    string  `db:"ours_raw"`
	OursNorm   string  `db:"ours_norm"`
	Source     string  `db:"source"`
	Confidence float64 `db:"confidence"`
	ObservedAt int64   `db:"observed_at"`
	Evidence   string  `db:"evidence"`
	LeadID     string  `db:"lead_id"`
	Status     string  `db:"status"`
	Resolution string  `db:"resolution"`
	ResolvedBy string  `db:"resolved_by"`
	FirstSeen  int64   `db:"first_seen"`
	LastSeen   int64   `db:"last_seen"`
}

func (r crmConflictRow) conflict() galena.CRMConflict {
	return galena.CRMConflict{ID: r.ID, Record: galena.CRMRecord{CRM: r.CRM, Object: r.Object, ID: r.RecordID, URL: r.URL},
		Field: r.Field, Theirs: galena.CRMValue{Raw: json.RawMessage(r.TheirsRaw), Norm: r.TheirsNorm},
		Ours: galena.CRMValue{Raw: json.RawMessage(r.OursRaw), Norm: r.OursNorm}, Source: r.Source, Confidence: r.Confidence,
		ObservedAt: at(r.ObservedAt), Evidence: r.Evidence, LeadID: r.LeadID, Status: galena.ConflictStatus(r.Status),
		Resolution: galena.CRMResolution(r.Resolution), ResolvedBy: r.ResolvedBy, FirstSeen: at(r.FirstSeen), LastSeen: at(r.LastSeen)}
}

// CRMConflicts lists the fields in which a CRM holds another value than ours.
func (s *Store) CRMConflicts(ctx context.Context, f galena.CRMConflictFilter) ([]galena.CRMConflict, error) {
	limit := conflictsShown
	if f.Limit > 0 {
		limit = f.Limit
	}
	found, err := list[crmConflictRow](ctx, s.reader(), "crm-conflicts", args{"crm": f.CRM, "status": string(f.Status), "limit": limit})
	out := make([]galena.CRMConflict, len(found))
	for i, r := range found {
		out[i] = r.conflict()
	}
	return out, fault("sql.crm_conflicts", err)
}

// CRMConflict reads one conflict with a CRM; NotFound when there is none.
func (s *Store) CRMConflict(ctx context.Context, id string) (galena.CRMConflict, error) {
	r, err := one[crmConflictRow](ctx, s.reader(), "crm-conflict", args{"id": id})
	return r.conflict(), fault("sql.crm_conflict", err)
}

// ResolveCRMConflict writes a person's word on a conflict, and who said it. One
// that is over is Conflict with Op "resolved".
func (s *Store) ResolveCRMConflict(ctx context.Context, id string, word galena.CRMResolution, by string) (galena.CRMConflict, error) {
	const op = "sql.resolve_crm_conflict"
	var out galena.CRMConflict
	err := s.inTx(ctx, op, func(tx conn) error {
		a := args{"id": id, "resolution": string(word), "resolved_by": by, "now": micros(s.now())}
		r, err := one[crmConflictRow](ctx, tx, "resolve-crm-conflict", a)
		if missing(err) {
			if r, err = one[crmConflictRow](ctx, tx, "crm-conflict", a); err == nil {
				err = galena.Errorf(galena.Conflict, "resolved", "the conflict is %s already, by %s", r.Status, r.ResolvedBy)
			}
		}
		if err != nil {
			return err
		}
		out = r.conflict()
		entry, err := newID()
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "insert-audit", args{"id": entry, "at": micros(s.now()), "actor": by,
			"action": "crm_conflict." + string(word), "target": id, "detail": out.Record.CRM + " " + out.Record.Object + " " + out.Field})
		return err
	})
	return out, err
}
