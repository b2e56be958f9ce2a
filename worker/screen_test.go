package worker

import (
	"context"
	"testing"

	"github.com/galenahq/galena"
)

// sieve holds every lead that it is shown, or none.
type sieve struct {
	holds bool
	shown int
}

func (s *sieve) Screen(_ context.Context, l galena.Lead) (galena.Lead, bool) {
	s.shown++
	l.Verdict, l.Codes, l.Status = galena.Quarantine, []string{"null_mx"}, galena.StatusQuarantined
	return l, s.holds
}

func TestALeadIsScreenedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		holds              bool
		status             galena.LeadStatus
		kind               string
		holdErr            error
		shown, held, asked int
		decided, woken     int
		parked             bool
	}{
		{"held", true, galena.StatusAccepted, galena.StepLead, nil, 1, 1, 0, 0, 1, false},
		{"let through", false, galena.StatusAccepted, galena.StepLead, nil, 1, 0, 1, 1, 1, false},
		{"a stale run", true, galena.StatusAccepted, galena.StepLead, galena.Errorf(galena.Conflict, "fence", "lost"), 1, 0, 0, 0, 0, false},
		{"the store is away", true, galena.StatusAccepted, galena.StepLead, galena.Errorf(galena.Unavailable, "sql.hold", "away"), 1, 0, 0, 0, 0, true},
		{"decided before", true, galena.StatusDecided, galena.StepLead, nil, 0, 0, 1, 1, 1, false},
		{"completed later", true, galena.StatusAccepted, galena.StepComplete, nil, 0, 0, 1, 1, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, m, screen := &desk{holdErr: c.holdErr}, &market{}, &sieve{holds: c.holds}
			p, woken := pipelineOn(t, d, m)
			p.Screener = screen
			d.memory.Lead.Status = c.status
			step := firstRun
			step.Kind = c.kind
			if err := p.Process(t.Context(), step); err != nil {
				t.Fatal(err)
			}
			if screen.shown != c.shown || len(d.held) != c.held || m.asked != c.asked || len(d.ruled) != c.decided || *woken != c.woken ||
				d.parked.IsZero() == c.parked {
				t.Errorf("shown %d, held %d, asked %d, decided %d, woken %d, parked %v", screen.shown, len(d.held), m.asked, len(d.ruled), *woken, d.parked)
			}
			if c.held == 1 && (len(d.told) != 1 || d.told[0].Event != galena.EventQuarantined) {
				t.Errorf("told %+v", d.told)
			}
		})
	}
}
