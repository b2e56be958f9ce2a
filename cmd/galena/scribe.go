package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// archive is the store, as a scribe needs it.
type archive interface {
	crm.Ledger
	Record(ctx context.Context, leadID string) (galena.Record, error)
	LatestRecord(ctx context.Context, company string) (galena.Record, error)
}

// scribe writes decided leads into one CRM. Whose turn it is says only which lead
// to look at: what is written is what is known of it by then, so that deliveries
// that waited while the lead moved on find nothing left to do.
//
//	lead:deliver ─► Record, LatestRecord ─► JobOf ─► Writer ─► Keeper ─► connector
//	                                                              │
//	                              other processes, log, metrics ◄─┘ rests
type scribe struct {
	target connector
	keeper *crm.Keeper
	store  archive
	now    func() time.Time
	log    *slog.Logger
	// written hears what became of a lead's records; nil: nobody does.
	written func(lead string, plans []crm.Plan)

	mu   sync.Mutex
	told map[string]bool // what the log has heard
}

// newScribe builds one; publish lets other processes know of a rest.
func newScribe(c connector, store archive, now func() time.Time, publish func(galena.ProviderState), written func(string, []crm.Plan), log *slog.Logger) *scribe {
	s := &scribe{target: c, store: store, now: now, log: log.With("crm", c.Name()), told: map[string]bool{}, written: written}
	reason := galena.Kind("")
	s.keeper = crm.NewKeeper(c, now, func(state galena.ProviderState) {
		publish(state)
		s.mu.Lock()
		news := state.PauseReason != reason
		reason = state.PauseReason
		s.mu.Unlock()
		if news {
			s.alert(state)
		}
	})
	return s
}

// alert tells once that the CRM rests, or serves again.
func (s *scribe) alert(state galena.ProviderState) {
	switch state.PauseReason {
	case "":
		s.log.Info("CRM serves again")
	case galena.Unauthorized, galena.Exhausted:
		s.log.Error("CRM is left alone, somebody must act", "reason", state.PauseReason, "until", state.PausedUntil)
	default:
		s.log.Warn("CRM is left alone", "reason", state.PauseReason, "until", state.PausedUntil)
	}
}

// deliver brings one lead into the CRM.
func (s *scribe) deliver(ctx context.Context, d galena.Delivery) error {
	j, err := s.job(ctx, d.ID, d.LeadID)
	if galena.KindOf(err) == galena.NotFound {
		return nil // the lead was erased meanwhile: there is nothing to write
	}
	if err != nil {
		return err
	}
	w := crm.Writer{CRM: s.keeper, Ledger: s.store, Now: s.now}
	plans, err := w.Write(ctx, j)
	s.warn(ctx, plans)
	if err == nil && s.written != nil {
		s.written(d.LeadID, plans)
	}
	return err
}

// plan says what deliver would do.
func (s *scribe) plan(ctx context.Context, leadID string) ([]crm.Plan, error) {
	j, err := s.job(ctx, "plan", leadID)
	if err != nil {
		return nil, err
	}
	w := crm.Writer{CRM: s.keeper, Ledger: s.store, Now: s.now}
	return w.Plan(ctx, j)
}

// job is what a lead brings by what is known now. NotFound: there is no such lead.
func (s *scribe) job(ctx context.Context, run, leadID string) (crm.Job, error) {
	if err := s.keeper.Resting(); err != nil {
		return crm.Job{}, err
	}
	lead, err := s.store.Record(ctx, leadID)
	if err != nil {
		return crm.Job{}, err
	}
	account := lead
	if lead.Company.Domain != "" {
		if account, err = s.store.LatestRecord(ctx, lead.Company.Domain); err != nil && galena.KindOf(err) != galena.NotFound {
			return crm.Job{}, err
		}
	}
	policies := crm.Policies{crm.Company: s.target.Policies(crm.Company), crm.Person: s.target.Policies(crm.Person)}
	return crm.JobOf(s.keeper, policies, run, lead, account)
}

// warn tells of fields that are dropped, once each.
func (s *scribe) warn(ctx context.Context, plans []crm.Plan) {
	for _, p := range plans {
		for _, d := range p.Decisions {
			if d.Outcome != crm.Unsupported && d.Outcome != crm.Invalid || p.Record != nil && p.Record.Closed != "" {
				continue
			}
			key := fmt.Sprint(p.Object, d.Field, d.Reason)
			s.mu.Lock()
			known := s.told[key]
			s.told[key] = true
			s.mu.Unlock()
			if !known {
				s.log.WarnContext(ctx, "a field is not written to the CRM", "object", p.Object, "field", d.Field, "outcome", d.Outcome, "reason", d.Reason)
			}
		}
	}
}
