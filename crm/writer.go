package crm

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Ledger is the part of the store that remembers what was written, who may
// write now, and what stands against us.
type Ledger interface {
	// HoldCRM gives a record to one run. Pending: another run has it.
	HoldCRM(ctx context.Context, c galena.CRMClaim) (galena.CRMHold, error)
	// CRMFields is what we wrote last into a record.
	CRMFields(ctx context.Context, r galena.CRMRecord) ([]galena.CRMField, error)
	// IntendCRM writes down what is about to be sent, so that a write whose answer
	// never comes is known.
	IntendCRM(ctx context.Context, writes []galena.CRMWrite) error
	// SettleCRM writes what became of it and ends the claim.
	SettleCRM(ctx context.Context, d galena.CRMSettlement) error
}

// The times of a writer. A run that dies frees its record after heldFor. A create
// without an answer may still be under way: nobody makes the record again before
// it would be seen. What was brought up to date a moment ago is not looked at
// again for the next lead that wants the same of it.
const (
	heldFor   = time.Minute
	doubtful  = 10 * time.Second
	freshFor  = 10 * time.Minute
	patience  = time.Second
	busyPause = 50 * time.Millisecond
)

// Writer brings decided leads into one CRM: find, plan, apply with guards.
type Writer struct {
	CRM    CRM
	Ledger Ledger
	Now    func() time.Time
}

// Job is what one lead brings into a CRM.
type Job struct {
	Run     string // everything that is written bears it
	Kind    galena.CRMRunKind
	LeadID  string
	By      string   // the person who asked for it
	Records []Wanted // in the order of writing: the company before its people
}

// Wanted is what one record should hold.
type Wanted struct {
	Key   Key
	Wants []Want
	Link  *Want // to the company written before; its value is that record's id
}

// Plan says what Write would do, and does nothing.
func (w *Writer) Plan(ctx context.Context, j Job) ([]Plan, error) {
	return w.each(j, func(s *session) (Plan, error) { return s.look(ctx) })
}

// Write brings a job's records up to date, one after the other, and says what
// became of every field. An error means that the rest is to be tried again; what
// was written before stays, and is not written twice. A record that the CRM will
// never take does not hold up the next one: its error comes at the end.
func (w *Writer) Write(ctx context.Context, j Job) ([]Plan, error) {
	return w.each(j, func(s *session) (Plan, error) { return s.run(ctx) })
}

// each goes through the records of a job in their order.
func (w *Writer) each(j Job, do func(*session) (Plan, error)) ([]Plan, error) {
	var plans []Plan
	var hopeless error
	employer := ""
	for _, x := range j.Records {
		s := &session{Writer: w, job: j, want: w.linked(x, employer)}
		p, err := do(s)
		if galena.KindOf(err) == galena.Invalid {
			hopeless = err
			continue
		}
		if err != nil {
			return plans, err
		}
		plans = append(plans, p)
		if x.Key.Object == Company && !p.deleted() {
			employer = s.record.ID
		}
	}
	return plans, hopeless
}

// linked adds the link once the company's record is known.
func (w *Writer) linked(x Wanted, employer string) Wanted {
	if x.Link == nil || employer == "" {
		return x
	}
	link := *x.Link
	link.Field = Employer
	link.Encoded, link.Err = w.CRM.Encode(x.Key.Object, Employer, galena.TextValue(employer))
	x.Wants = append(slices.Clone(x.Wants), link)
	return x
}

// session is one run at one record.
type session struct {
	*Writer
	job    Job
	want   Wanted
	claim  galena.CRMClaim
	hold   galena.CRMHold
	record galena.CRMRecord
	writes []galena.CRMWrite // of this run and, once looked for, those of earlier ones
	told   map[Field]string  // what the CRM will never take, and why
	alone  bool              // one field at a time, to find what is refused
	asked  int               // how many plans were carried out
	again  int               // how often something else changed the record meanwhile
	synced time.Time
	rest   time.Time // nobody touches the record before; zero = at once
}

// run holds the record while it works on it. What was learnt is written down
// however it ends.
func (s *session) run(ctx context.Context) (Plan, error) {
	if err := s.take(ctx); err != nil {
		return Plan{}, err
	}
	s.record = galena.CRMRecord{CRM: s.CRM.Name(), Object: string(s.want.Key.Object), ID: s.hold.RecordID, URL: s.hold.URL}
	wants := fingerprint(s.want)
	if s.synced = s.Now(); s.job.Kind == galena.CRMRunLead && s.hold.RecordID != "" && s.hold.Wants == wants &&
		len(s.hold.Sent) == 0 && s.synced.Sub(s.hold.SyncedAt) < freshFor {
		s.synced = s.hold.SyncedAt
		return Plan{Object: s.want.Key.Object, Key: s.want.Key}, s.settle(ctx, Plan{}, wants)
	}
	p, err := s.work(ctx)
	if err != nil || p.deleted() {
		wants = ""
	}
	if unsettled := s.settle(ctx, p, wants); err == nil {
		err = unsettled
	}
	return p, err
}

// take claims the record and waits a little for who has it.
func (s *session) take(ctx context.Context) (err error) {
	s.claim = galena.CRMClaim{CRM: s.CRM.Name(), Object: string(s.want.Key.Object), Key: s.want.Key.hash(), Token: rand.Text()}
	for waited := time.Duration(0); ; waited += busyPause {
		s.claim.Until = s.Now().Add(heldFor)
		s.hold, err = s.Ledger.HoldCRM(ctx, s.claim)
		if galena.KindOf(err) != galena.Pending || waited >= patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(busyPause):
		}
	}
}

// work plans and applies until nothing is left to send.
func (s *session) work(ctx context.Context) (Plan, error) {
	var done Plan
	for {
		p, err := s.look(ctx)
		if err != nil {
			return done, err
		}
		done = done.with(p)
		c, ok := p.Change(s.job.Run)
		if !ok {
			return done, nil
		}
		more, err := s.apply(ctx, p, s.cut(c))
		if err != nil || !more {
			return done.refused(s.told), err
		}
	}
}

// look finds the record, settles what was in doubt, and plans.
func (s *session) look(ctx context.Context) (Plan, error) {
	for _, w := range s.want.Wants {
		// A connector that could not ask how a value looks says nothing of the value.
		if err := outage(w.Err); err != nil {
			return Plan{}, err
		}
	}
	found, err := s.find(ctx)
	if err != nil {
		return Plan{}, err
	}
	base := map[Field]Base{}
	switch len(found.Records) {
	case 0:
	case 1:
		r := found.Records[0]
		s.record = galena.CRMRecord{CRM: s.CRM.Name(), Object: string(s.want.Key.Object), ID: r.ID, URL: r.URL}
		wrote, err := s.Ledger.CRMFields(ctx, s.record)
		if err != nil {
			return Plan{}, err
		}
		for _, f := range wrote {
			base[Field(f.Field)] = Base{Norm: f.Norm, RawHash: f.RawHash, Confidence: f.Confidence, ObservedAt: f.ObservedAt,
				WrittenAt: f.WrittenAt, Released: f.Released}
		}
	default: // which of them is meant is not known
		s.record.ID, s.record.URL = "", ""
	}
	s.resolve(found, base)
	p := Make(s.want.Key, found, base, s.want.Wants)
	return p.refused(s.told), nil
}

// find looks by the id that is known, then by the key: a record may have been
// merged into another or made anew. A deleted one is the answer where no other has
// the key.
func (s *session) find(ctx context.Context) (Found, error) {
	keys := []Key{s.want.Key}
	if s.record.ID != "" && s.want.Key.ID == "" {
		keys = []Key{{Object: s.want.Key.Object, ID: s.record.ID}, s.want.Key}
	}
	var gone Found
	for _, k := range keys {
		answers, err := s.CRM.Find(ctx, []Key{k}, s.fields())
		if err == nil && len(answers) != 1 {
			err = galena.Errorf(galena.Malformed, "crm.find", "%d answers to one key", len(answers))
		}
		if err != nil {
			return Found{}, err
		}
		f := answers[0]
		if f.Err != nil && galena.KindOf(f.Err) != galena.NotFound {
			return Found{}, f.Err
		}
		open := slices.DeleteFunc(slices.Clone(f.Records), func(r Record) bool { return r.Closed == deleted })
		if len(open) > 0 {
			return Found{Records: open}, nil
		}
		if len(f.Records) > 0 {
			gone = Found{Records: f.Records[:1]}
		}
	}
	if len(gone.Records) > 0 {
		return gone, nil
	}
	s.record.ID, s.record.URL = "", ""
	return Found{}, nil
}

// fields are those that are wanted, the ones that stand in for others too.
func (s *session) fields() []Field {
	var out []Field
	for _, w := range s.want.Wants {
		f := w.Field
		if w.Policy.Mode == Suggest {
			f = w.Policy.Shadow
		}
		if f != "" && galena.KindOf(w.Err) != galena.NotFound && w.Policy.Mode != Never {
			out = append(out, f)
		}
	}
	return out
}

// resolve says what became of writes whose answer never came. A create is ours
// when everything that was sent with it stands; a single value that stands may
// be a person's by chance, unless the CRM says that it is not.
func (s *session) resolve(found Found, base map[Field]Base) {
	sent := s.hold.Sent
	for i := range s.writes {
		if s.writes[i].State == galena.CRMSent {
			sent = append(sent, s.writes[i])
		}
	}
	s.writes = slices.DeleteFunc(s.writes, func(w galena.CRMWrite) bool { return w.State == galena.CRMSent })
	s.hold.Sent = nil
	if len(found.Records) > 1 { // whose they are cannot be told
		s.writes = append(s.writes, sent...)
		return
	}
	holds := func(w galena.CRMWrite) (Value, bool) {
		if len(found.Records) == 0 {
			return Value{}, false
		}
		v, ok := found.Records[0].Fields[Field(w.Field)]
		return v, ok && v.Norm == w.After.Norm
	}
	all := !slices.ContainsFunc(sent, func(w galena.CRMWrite) bool { _, ok := holds(w); return !ok })
	for _, w := range sent {
		v, ok := holds(w)
		w.State = galena.CRMVoid
		if ok {
			w.State = galena.CRMDone
			w.Ours = w.Created && all && v.Last.By != ByPerson || v.Last.By == ByUs
		}
		if w.Ours {
			base[Field(w.Field)] = Base{Norm: w.After.Norm, RawHash: w.After.Hash(), Confidence: w.Confidence, ObservedAt: w.ObservedAt, WrittenAt: w.At}
		}
		s.writes = append(s.writes, w)
	}
}
