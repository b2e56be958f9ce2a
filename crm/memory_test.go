package crm_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// memory is a CRM without a wire: records by id, and faults on order.
type memory struct {
	mu      sync.Mutex
	records map[string]map[crm.Field]crm.Value
	objects map[string]crm.Object
	next    int
	finds   int
	writes  []crm.Change
	// before runs ahead of each write, as a rep would; after decides what is answered.
	before func(crm.Change)
	after  func(crm.Change, crm.Result) (crm.Result, error)
	looked func()             // runs behind each look-up
	broken crm.Object         // cannot be searched
	closed map[string]string  // by id: why
	refuse map[crm.Field]bool // values are never taken there; the CRM does not say where
}

func newMemory() *memory {
	return &memory{records: map[string]map[crm.Field]crm.Value{}, objects: map[string]crm.Object{}, closed: map[string]string{}, refuse: map[crm.Field]bool{}}
}

func (m *memory) Name() string { return "memory" }
func (m *memory) Capabilities() crm.Capabilities {
	return crm.Capabilities{BatchFind: 1, BatchWrite: 1, Guard: true}
}
func (m *memory) Encode(_ crm.Object, _ crm.Field, v galena.Value) (crm.Encoded, error) {
	return crm.Encoded{Raw: v.String(), Norm: strings.ToLower(v.String())}, nil
}

func (m *memory) Find(_ context.Context, keys []crm.Key, _ []crm.Field) ([]crm.Found, error) {
	if m.looked != nil {
		defer m.looked()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finds++
	out := make([]crm.Found, len(keys))
	for i, k := range keys {
		if k.Object == m.broken {
			out[i].Err = galena.Errorf(galena.Invalid, "memory.find", "the search is too broad")
		}
		for id, fields := range m.records {
			if m.objects[id] == k.Object && (id == k.ID || k.ID == "" && k.Domain != "" && fields[crm.Domain].Norm == k.Domain ||
				k.ID == "" && k.Email != "" && fields[crm.Email].Norm == k.Email) {
				out[i].Records = append(out[i].Records, crm.Record{Object: k.Object, ID: id, Closed: m.closed[id], Fields: maps.Clone(fields)})
			}
		}
	}
	return out, nil
}

func (m *memory) Apply(_ context.Context, changes []crm.Change) ([]crm.Result, error) {
	out := make([]crm.Result, len(changes))
	for i, c := range changes {
		if m.before != nil {
			m.before(c)
		}
		out[i] = m.apply(c)
		if m.after != nil {
			r, err := m.after(c, out[i])
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
	}
	return out, nil
}

func (m *memory) apply(c crm.Change) crm.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := crm.Result{Ref: c.Ref, ID: c.ID}
	for f := range c.Set {
		if m.refuse[f] {
			r.Err = galena.Errorf(galena.Invalid, "memory.apply", "refused")
			return r
		}
	}
	m.writes = append(m.writes, c)
	if c.ID == "" {
		m.next++
		r.ID, r.Created = strconv.Itoa(m.next), true
		m.records[r.ID], m.objects[r.ID] = map[crm.Field]crm.Value{}, c.Object
	}
	fields, ok := m.records[r.ID]
	if !ok {
		r.Err = galena.Errorf(galena.NotFound, "memory.apply", "gone")
		return r
	}
	for f, v := range c.Set {
		if seen, guarded := c.Seen[f]; guarded && seen.Norm != fields[f].Norm {
			r.Lost = append(r.Lost, f)
			continue
		}
		fields[f] = crm.Value{Encoded: v, Blank: v.Norm == ""}
	}
	return r
}

// edit is what a rep does to the first record.
func (m *memory) edit(f crm.Field, norm string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records["1"][f] = holds(norm)
}

func (m *memory) value(id string, f crm.Field) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id][f].Norm
}

// ledger is the store's part without a database.
type ledger struct {
	mu        sync.Mutex
	now       func() time.Time
	records   map[string]*held
	fields    map[string]map[string]galena.CRMField
	writes    map[string]galena.CRMWrite
	order     []string
	conflicts map[string]galena.CRMConflict
	single    map[string]bool // keys to which one record answers
}

type held struct {
	galena.CRMHold
	token string
	until time.Time
}

func newLedger(now func() time.Time) *ledger {
	return &ledger{now: now, records: map[string]*held{}, fields: map[string]map[string]galena.CRMField{},
		writes: map[string]galena.CRMWrite{}, conflicts: map[string]galena.CRMConflict{}, single: map[string]bool{}}
}

func (l *ledger) HoldCRM(_ context.Context, c galena.CRMClaim) (galena.CRMHold, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.records[c.Object+c.Key]
	if h == nil {
		h = &held{}
		l.records[c.Object+c.Key] = h
	}
	if l.now().Before(h.until) {
		return galena.CRMHold{}, &galena.Error{Kind: galena.Pending, Err: errors.New("held")}
	}
	h.token, h.until, h.Sent = c.Token, c.Until, nil
	for _, id := range l.order {
		if w := l.writes[id]; w.State == galena.CRMSent && w.Key == c.Key && w.Record.Object == c.Object {
			h.Sent = append(h.Sent, w)
		}
	}
	return h.CRMHold, nil
}

func (l *ledger) CRMFields(_ context.Context, r galena.CRMRecord) ([]galena.CRMField, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []galena.CRMField
	for _, f := range l.fields[r.ID] {
		out = append(out, f)
	}
	return out, nil
}

func (l *ledger) IntendCRM(_ context.Context, writes []galena.CRMWrite) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range writes {
		l.writes[w.ID] = w
		l.order = append(l.order, w.ID)
	}
	return nil
}

func (l *ledger) SettleCRM(_ context.Context, d galena.CRMSettlement) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.records[d.Claim.Object+d.Claim.Key]; h != nil && h.token == d.Claim.Token {
		h.CRMHold = galena.CRMHold{RecordID: d.Record.ID, Wants: d.Wants, SyncedAt: d.SyncedAt}
		h.token, h.until = "", d.Claim.Until
	}
	if l.fields[d.Record.ID] == nil {
		l.fields[d.Record.ID] = map[string]galena.CRMField{}
	}
	for _, w := range d.Writes {
		w.Record = d.Record
		l.writes[w.ID] = w
		if w.State == galena.CRMDone && w.Ours {
			l.fields[d.Record.ID][w.Field] = galena.CRMField{Field: w.Field, Norm: w.After.Norm, RawHash: w.After.Hash(), Confidence: w.Confidence, ObservedAt: w.ObservedAt}
		}
	}
	for _, f := range d.Released {
		base := l.fields[d.Record.ID][f]
		base.Released = true
		l.fields[d.Record.ID][f] = base
	}
	for _, k := range d.Conflicts {
		l.conflicts[cmp.Or(k.Record.ID, d.Record.ID)+k.Field] = k
	}
	l.single[d.Claim.Key] = d.Single
	return nil
}

// run is what a run wrote, the latest first.
func (l *ledger) run(id string) []galena.CRMWrite {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []galena.CRMWrite
	for _, write := range slices.Backward(l.order) {
		if w := l.writes[write]; w.Run == id && w.State != galena.CRMVoid {
			out = append(out, w)
		}
	}
	return out
}
