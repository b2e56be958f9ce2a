package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/galenahq/galena"
)

// WhyNot says why a rep does not have a lead, from the record of the decision
// that is in force. A rep whom nobody configured is NotFound.
func (h *Hands) WhyNot(ctx context.Context, leadID, rep string) (galena.WhyNot, error) {
	out := galena.WhyNot{LeadID: leadID, Rep: rep}
	router, _ := h.Router()
	rec, err := h.Store.Record(ctx, leadID)
	if err != nil {
		return out, err
	}
	if !router.HasRep(rep) {
		return out, galena.Errorf(galena.NotFound, "worker.why_not", "no such rep")
	}
	if rec.Decision == nil {
		out.Why = "the lead is not decided yet"
		return out, nil
	}
	d := *rec.Decision
	out.Epoch, out.Rule, out.Pool, out.To = d.Epoch, d.Rule, d.Assignment.Pool, d.To
	i := slices.IndexFunc(d.Candidates, func(c galena.Candidate) bool { return c.Rep == rep })
	switch {
	case d.Owner == rep:
		out.Has, out.Eligible, out.Why = true, true, rep+" has the lead"
	case i < 0:
		out.Why = fmt.Sprintf("rule %s sent the lead to %s: %s was not asked", d.Rule, d.To, rep)
	case !d.Candidates[i].Eligible:
		out.Pool, out.Why = d.Candidates[i].Pool, d.Candidates[i].Why
	default:
		out.Eligible, out.Pool = true, d.Candidates[i].Pool
		out.Why = "it was the turn of " + d.To
		if w := slices.IndexFunc(d.Candidates, func(c galena.Candidate) bool { return c.Rep == d.Owner && c.Pool == out.Pool }); w >= 0 {
			out.Why += fmt.Sprintf(": owed %.2f leads before, %s %.2f", inLeads(d.Candidates[w].Before), rep, inLeads(d.Candidates[i].Before))
		}
	}
	return out, nil
}

// inLeads turns millionths of a lead into leads.
func inLeads(credit int64) float64 { return float64(credit) / 1e6 }
