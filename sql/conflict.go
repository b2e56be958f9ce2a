package sql

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

const (
	// justDecided is longer than any sensible settle window: the look itself
	// knows the one in force.
	justDecided = 24 * time.Hour
	// looksAtOnce bounds what one word of a person makes of a large company.
	looksAtOnce = 200
)

// conflictsShown bounds a list for which no limit is named.
const conflictsShown = 200

type conflictRow struct {
	ID         string  `db:"id"`
	Entity     string  `db:"entity"`
	Field      string  `db:"field"`
	Candidates string  `db:"candidates"`
	Chosen     string  `db:"chosen"`
	Margin     float64 `db:"margin"`
	Severity   string  `db:"severity"`
	Status     string  `db:"status"`
	ResolvedBy string  `db:"resolved_by"`
	LeadID     string  `db:"lead_id"`
	Epoch      int     `db:"epoch"`
	OpenedAt   int64   `db:"opened_at"`
	UpdatedAt  int64   `db:"updated_at"`
}

func (r conflictRow) dispute() (galena.Dispute, error) {
	candidates, err1 := parse[[]galena.Claim](r.Candidates)
	chosen, err2 := parse[galena.Claim](r.Chosen)
	return galena.Dispute{ID: r.ID, Entity: r.Entity, Field: r.Field, Candidates: candidates, Chosen: chosen,
			Margin: r.Margin, Severity: galena.Severity(r.Severity), Status: galena.ConflictStatus(r.Status),
			ResolvedBy: r.ResolvedBy, LeadID: r.LeadID, Epoch: r.Epoch, OpenedAt: at(r.OpenedAt), UpdatedAt: at(r.UpdatedAt)},
		errors.Join(err1, err2)
}

func disputes(found []conflictRow, err error) ([]galena.Dispute, error) {
	out := make([]galena.Dispute, len(found))
	for i, r := range found {
		var bad error
		out[i], bad = r.dispute()
		err = errors.Join(err, bad)
	}
	return out, err
}

// writeConflicts opens, updates and closes the conflicts of a lesson, and
// returns what must be told of those that it opened. Field by field in their
// order, so that two leads of one company never wait for each other.
func (s *Store) writeConflicts(ctx context.Context, tx conn, l galena.Lesson) ([]galena.Delivery, error) {
	list := slices.SortedFunc(slices.Values(l.Conflicts), func(a, b galena.Dispute) int { return cmp.Compare(a.Field, b.Field) })
	var told []galena.Delivery
	for _, d := range list {
		more, err := s.writeConflict(ctx, tx, d, l.Opened)
		if err != nil {
			return nil, err
		}
		told = append(told, more...)
	}
	return told, nil
}

func (s *Store) writeConflict(ctx context.Context, tx conn, d galena.Dispute, opened func(galena.Dispute) ([]galena.Delivery, error)) ([]galena.Delivery, error) {
	a := args{"entity": d.Entity, "field": d.Field, "status": string(d.Status), "resolved_by": d.ResolvedBy, "now": micros(s.now())}
	if d.Status != galena.ConflictOpen {
		_, err := tx.exec(ctx, "close-conflict", a)
		return nil, err
	}
	candidates, err1 := text(d.Candidates)
	chosen, err2 := text(d.Chosen)
	id, err3 := newID()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	a["id"], a["candidates"], a["chosen"], a["margin"] = id, candidates, chosen, d.Margin
	a["severity"], a["lead_id"], a["epoch"] = string(d.Severity), d.LeadID, d.Epoch
	if _, err := tx.exec(ctx, "put-conflict", a); err != nil {
		return nil, err
	}
	row, err := one[conflictRow](ctx, tx, "tell-conflict", a)
	if missing(err) {
		return nil, nil
	}
	if err != nil || opened == nil {
		return nil, err
	}
	written, err := row.dispute()
	if err != nil {
		return nil, err
	}
	return opened(written)
}

// Conflicts lists what the sources disagree on: what a decision hangs on first,
// then the newest.
func (s *Store) Conflicts(ctx context.Context, f galena.ConflictFilter) ([]galena.Dispute, error) {
	limit := conflictsShown
	if f.Limit > 0 {
		limit = f.Limit
	}
	out, err := disputes(list[conflictRow](ctx, s.reader(), "conflicts", args{"entity": f.Entity,
		"status": string(f.Status), "severity": string(f.Severity), "limit": limit}))
	return out, fault("sql.conflicts", err)
}

// Conflict reads one conflict; NotFound when there is none.
func (s *Store) Conflict(ctx context.Context, id string) (galena.Dispute, error) {
	r, err := one[conflictRow](ctx, s.reader(), "conflict", args{"id": id})
	if err != nil {
		return galena.Dispute{}, fault("sql.conflict", err)
	}
	d, err := r.dispute()
	return d, fault("sql.conflict", err)
}

// ResolveConflict writes a person's word as an observation, which wins from then
// on, and ends the conflict. Leads of the company that are in somebody's hands,
// or were decided just now, are looked at again. A conflict that is over is
// Conflict with Op "resolved".
func (s *Store) ResolveConflict(ctx context.Context, r galena.Resolution) (galena.Dispute, error) {
	const op = "sql.resolve_conflict"
	var out galena.Dispute
	err := s.inTx(ctx, op, func(tx conn) error {
		a := args{"id": r.ID, "resolved_by": r.By, "now": micros(s.now())}
		row, err := one[conflictRow](ctx, tx, "resolve-conflict", a)
		if missing(err) {
			return overAlready(ctx, tx, a)
		}
		if err != nil {
			return err
		}
		if out, err = row.dispute(); err != nil {
			return err
		}
		if err := s.humanWord(ctx, tx, out, r); err != nil {
			return err
		}
		if err := s.lookAgain(ctx, tx, out.Entity); err != nil {
			return err
		}
		id, err := newID()
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "insert-audit", args{"id": id, "at": micros(s.now()), "actor": r.By,
			"action": "conflict.resolve", "target": r.ID, "detail": out.Entity + " " + out.Field})
		return err
	})
	return out, err
}

// lookAgain lets the leads of a company be looked at in the light of what was
// just learnt. It costs what their decisions have not spent yet, at most.
func (s *Store) lookAgain(ctx context.Context, tx conn, domain string) error {
	company, _, err := companyOf(ctx, tx, domain)
	if err != nil {
		return err
	}
	now := s.now()
	_, err = tx.exec(ctx, "look-again", args{"kind": galena.StepComplete, "company": company, "queue": QueueBulk,
		"now": micros(now), "since": micros(now.Add(-justDecided)), "limit": looksAtOnce})
	return err
}

func overAlready(ctx context.Context, tx conn, a args) error {
	row, err := one[conflictRow](ctx, tx, "conflict", a)
	if err != nil {
		return err
	}
	return galena.Errorf(galena.Conflict, "resolved", "the conflict is %s already, by %s", row.Status, row.ResolvedBy)
}

// humanWord appends the observation, and shows it in the company at once: no
// other class of source can outweigh it.
func (s *Store) humanWord(ctx context.Context, tx conn, d galena.Dispute, r galena.Resolution) error {
	now := s.now()
	id, err := newID()
	if err != nil {
		return err
	}
	o := galena.Observation{ID: id, Entity: d.Entity, Field: d.Field, Value: r.Value, Absent: r.Absent, Source: "human:" + r.By,
		Class: galena.ClassHuman, Ref: "conflict:" + d.ID, Method: "resolved", Confidence: 1, ObservedAt: now, FetchedAt: now}
	if err := insertObservations(ctx, tx, []galena.Observation{o}); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "insert-account", args{"domain": d.Entity}); err != nil {
		return err
	}
	before, err := one[string](ctx, tx, "company-facts", args{"domain": d.Entity})
	if err != nil && !missing(err) {
		return err
	}
	facts, err := parse[galena.Facts](before)
	if err != nil {
		return err
	}
	if facts == nil {
		facts = galena.Facts{}
	}
	f := galena.KnownFact(d.Field, r.Value, o.Source, now)
	if f.ObservationID = id; f.State == galena.Known && r.Value.Type == galena.TypeNumber && !r.Value.Exact() {
		f.State = galena.Partial
	}
	facts[d.Field] = f
	after, err := text(facts)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "upsert-company", args{"domain": d.Entity, "facts": after, "updated_at": micros(now)})
	return err
}

// DisagreementsByProvider counts the conflicts of each two sources that were
// opened since the given time, open or not.
func (s *Store) DisagreementsByProvider(ctx context.Context, since time.Time) ([]galena.Disagreement, error) {
	found, err := list[struct {
		A        string `db:"a"`
		B        string `db:"b"`
		Info     int    `db:"info"`
		Decision int    `db:"decision"`
	}](ctx, s.reader(), "disagreements", args{"since": micros(since)})
	out := make([]galena.Disagreement, len(found))
	for i, r := range found {
		out[i] = galena.Disagreement{A: r.A, B: r.B, Info: r.Info, Decision: r.Decision}
	}
	return out, fault("sql.disagreements", err)
}
