package sql

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

const (
	// justDecided is longer than any sensible settle window: the look itself
	// knows the one in force.
	justDecided = 24 * time.Hour
	// looksAtOnce bounds what one word of a person makes of a large company.
	looksAtOnce = 200
	// underWay is longer than most leads take that a worker has begun.
	underWay = 10 * time.Second
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

// readMost bounds the conflicts that are kept read: two megabytes.
const readMost = 1 << 10

// contested keeps the open conflicts that were read lately. Every lead of a company
// reads what is contested of it, mostly the very rows that the lead before it read;
// to parse their JSON again was a twentieth of the work on it. Nobody changes what
// is kept.
type contested struct {
	mu   sync.Mutex
	read map[string]contestedRow
}

// contestedRow is a conflict and the row that it was read from, whose texts are
// only known by their hashes: they are as long as all the rest.
type contestedRow struct {
	row   conflictRow
	texts [2][2]uint64
	is    galena.Dispute
}

func (c *contested) dispute(r conflictRow) (galena.Dispute, error) {
	of := contestedRow{row: r, texts: [2][2]uint64{hashed(r.Candidates), hashed(r.Chosen)}}
	of.row.Candidates, of.row.Chosen = "", ""
	c.mu.Lock()
	known, ok := c.read[r.ID]
	c.mu.Unlock()
	if ok && known.row == of.row && known.texts == of.texts {
		return known.is, nil
	}
	d, err := r.dispute()
	if err != nil {
		return d, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil || len(c.read) >= readMost {
		c.read = map[string]contestedRow{}
	}
	of.is = d
	c.read[r.ID] = of
	return d, nil
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

// writeConflicts opens, updates and closes the conflicts of lessons, and returns
// what must be told of those that each opened. Of two lessons on one field the
// later one counts. Company by company and field by field in their order, so that
// no two transactions wait for each other.
func (s *Store) writeConflicts(ctx context.Context, tx conn, lessons []galena.Lesson) ([][]galena.Delivery, error) {
	told := make([][]galena.Delivery, len(lessons))
	last := map[[2]string]int{} // entity and field: the lesson that counts
	rows := map[[2]string]disputedRow{}
	for i, l := range lessons {
		for _, d := range l.Conflicts {
			row, err := disputed(d)
			if err != nil {
				return nil, err
			}
			last[[2]string{d.Entity, d.Field}], rows[[2]string{d.Entity, d.Field}] = i, row
		}
	}
	var open, over []disputedRow
	for _, r := range rows {
		if r.Status == string(galena.ConflictOpen) {
			open = append(open, r)
		} else {
			over = append(over, r)
		}
	}
	if err := s.change(ctx, tx, "close-conflicts", over); err != nil {
		return nil, err
	}
	if err := s.change(ctx, tx, "put-conflicts", open); err != nil || len(open) == 0 {
		return told, err
	}
	opened, err := s.openedNow(ctx, tx, open)
	if err != nil {
		return nil, err
	}
	for _, d := range opened {
		of := last[[2]string{d.Entity, d.Field}]
		if lessons[of].Opened == nil {
			continue
		}
		more, err := lessons[of].Opened(d)
		if err != nil {
			return nil, err
		}
		told[of] = append(told[of], more...)
	}
	return told, nil
}

// disputedRow is a conflict as a list parameter.
type disputedRow struct {
	ID         string  `db:"id" json:"id"`
	Entity     string  `db:"entity" json:"entity"`
	Field      string  `db:"field" json:"field"`
	Candidates string  `db:"candidates" json:"candidates"`
	Chosen     string  `db:"chosen" json:"chosen"`
	Margin     float64 `db:"margin" json:"margin"`
	Severity   string  `db:"severity" json:"severity"`
	Status     string  `db:"status" json:"status"`
	ResolvedBy string  `db:"resolved_by" json:"resolved_by"`
	LeadID     string  `db:"lead_id" json:"lead_id"`
	Epoch      int     `db:"epoch" json:"epoch"`
}

func disputed(d galena.Dispute) (disputedRow, error) {
	candidates, err1 := rows(d.Candidates) // read as JSON by Postgres too
	chosen, err2 := rows(d.Chosen)
	id, err3 := newID()
	return disputedRow{ID: id, Entity: d.Entity, Field: d.Field, Candidates: candidates, Chosen: chosen, Margin: d.Margin,
		Severity: string(d.Severity), Status: string(d.Status), ResolvedBy: d.ResolvedBy, LeadID: d.LeadID, Epoch: d.Epoch}, errors.Join(err1, err2, err3)
}

func (s *Store) change(ctx context.Context, tx conn, name string, of []disputedRow) error {
	if len(of) == 0 {
		return nil
	}
	a, err := inOrder(tx, of)
	if err != nil {
		return err
	}
	a["now"] = micros(s.now())
	return tx.later(ctx, name, a, nil)
}

// openedNow marks those as told on which a decision hangs and of which nobody
// was told yet, and returns them in their order.
func (s *Store) openedNow(ctx context.Context, tx conn, open []disputedRow) ([]galena.Dispute, error) {
	a, err := inOrder(tx, open)
	if err != nil {
		return nil, err
	}
	opened, err := disputes(list[conflictRow](ctx, tx, "tell-conflicts", a))
	slices.SortFunc(opened, func(a, b galena.Dispute) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Field, b.Field))
	})
	return opened, err
}

func inOrder(tx conn, of []disputedRow) (args, error) {
	slices.SortFunc(of, func(a, b disputedRow) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Field, b.Field))
	})
	return table(tx, of)
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
	_, err = tx.exec(ctx, "look-again", args{"kind": galena.StepComplete, "lead": galena.StepLead, "company": company, "queue": QueueBulk,
		"now": micros(now), "soon": micros(now.Add(underWay)), "since": micros(now.Add(-justDecided)), "limit": looksAtOnce})
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
	if err := insertObservations(ctx, tx, markedOf([]*galena.Observation{&o})); err != nil {
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
	a, err := table(tx, []factsRow{{Domain: d.Entity, Facts: after, UpdatedAt: micros(now)}})
	if err != nil {
		return err
	}
	return tx.later(ctx, "upsert-companies", a, nil)
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
