package sql_test

import (
	"context"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// clocked decides a lead and hands out the step of its clock, once that is due.
func clocked(t *testing.T, s *sql.Store, pass func(time.Duration)) galena.Step {
	t.Helper()
	ctx, id := t.Context(), accepted(t, s, 1)
	st := galena.Step{Kind: galena.StepLead, ID: id, Epoch: 1, Run: 1, Queue: sql.QueueLeads}
	if ok, err := s.Begin(ctx, st.Kind, id, 1, 1); !ok || err != nil {
		t.Fatal(ok, err)
	}
	m, err := s.Memory(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	now := s.Now()
	_, err = s.Rule(ctx, galena.Ruling{Step: st, Lead: m.Lead, Settle: func(r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		a := galena.Assignment{LeadID: id, Epoch: 1, Rep: "ana", To: "ana", AssignedAt: now, AcceptBy: now.Add(time.Minute)}
		return galena.Decision{LeadID: id, Epoch: 1, DecidedAt: now, Assignment: a}, nil, r, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	pass(time.Hour)
	due, err := s.Suspects(ctx, 1)
	if err != nil || len(due) != 1 || due[0].Kind != galena.StepSLA {
		t.Fatalf("%+v, %v, want the step of the clock", due, err)
	}
	if n, err := s.Rehand(ctx, due); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	due[0].Run++
	return due[0]
}

// The sweep reads, every second, all that was handed out: what has ended is not among it.
func TestWhatHasEndedIsNotSweptForEver(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		for what, end := range map[string]func(context.Context, *sql.Store, galena.Step) error{
			"a step that found nothing to do": func(ctx context.Context, s *sql.Store, st galena.Step) error {
				if _, err := s.Begin(ctx, st.Kind, st.ID, st.Epoch, st.Run); err != nil {
					return err
				}
				return s.Finish(ctx, st)
			},
			"a clock that was met on the way": func(ctx context.Context, s *sql.Store, st galena.Step) error {
				_, _, err := s.Take(ctx, galena.Act{LeadID: st.ID[:36], Rep: "ana"})
				return err
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				now := time.Now()
				s := open(t, func() time.Time { return now })
				st := clocked(t, s, func(d time.Duration) { now = now.Add(d) })
				if err := end(t.Context(), s, st); err != nil {
					t.Fatal(err)
				}
				if got, err := s.Text(t.Context(), "SELECT count(*) FROM steps WHERE state = 'done' AND queued_at > 0"); err != nil || got != "0" {
					t.Errorf("%s steps, %v, are looked at that have ended", got, err)
				}
			})
		}
	}
}
