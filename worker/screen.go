package worker

import (
	"context"
	"log/slog"

	"github.com/galenahq/galena"
)

// screen holds a lead that the screener does not let pass; done says that there
// is nothing to decide now. What was decided once, and what is worked on again,
// is not screened.
func (p *Pipeline) screen(ctx context.Context, s galena.Step, l galena.Lead, log *slog.Logger) (done bool, err error) {
	if p.Screener == nil || s.Kind != galena.StepLead || l.Status != galena.StatusAccepted {
		return false, nil
	}
	held, hold := p.Screener.Screen(ctx, l)
	if !hold {
		return false, nil
	}
	told, err := p.Announce.Quarantined(held)
	if err != nil {
		return true, err
	}
	if err := p.Leads.Hold(ctx, s, held, told); err != nil {
		if isFenceLost(err) {
			log.DebugContext(ctx, "run is stale, nothing held")
			return true, nil
		}
		return true, err
	}
	p.Wake()
	p.Metrics.held.Inc()
	log.DebugContext(ctx, "lead held", "codes", held.Codes)
	return true, nil
}
