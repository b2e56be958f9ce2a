package notify

import (
	"encoding/json"
	"strings"

	"github.com/galenahq/galena"
)

// routed is the body of lead.routed and of lead.rerouted. The e-mail is nil where the endpoint must
// not know who it is about.
type routed struct {
	Type        string         `json:"type"`
	ID          string         `json:"id"` // the caller's own reference, else ours
	LeadID      string         `json:"lead_id"`
	Email       *string        `json:"email,omitempty"`
	Domain      string         `json:"domain"`
	Score       galena.Tenths  `json:"score"`
	Lo          galena.Tenths  `json:"lo"`
	Hi          galena.Tenths  `json:"hi"`
	Coverage    float64        `json:"coverage"`
	Tier        string         `json:"tier"`
	Route       string         `json:"route"`
	Owner       *string        `json:"owner"`
	To          string         `json:"to"`
	Provisional bool           `json:"provisional"`
	Reasons     []string       `json:"reasons"`
	Company     map[string]any `json:"company"`
}

type quarantined struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	LeadID  string         `json:"lead_id"`
	Verdict galena.Verdict `json:"verdict"`
	Codes   []string       `json:"codes"`
}

// breached is the body of sla.breached.
type breached struct {
	Type   string           `json:"type"`
	ID     string           `json:"id"`
	LeadID string           `json:"lead_id"`
	Kind   galena.TimerKind `json:"kind"`
	Owner  string           `json:"owner"` // the rep whose time ran out
	To     string           `json:"to"`    // who has the lead now
	Page   string           `json:"page,omitempty"`
}

// Breached is the body of sla.breached. It names nobody but the rep. Page is
// whom to call when nobody was left to take the lead.
func Breached(l galena.Lead, kind galena.TimerKind, owner, to, page string) (json.RawMessage, error) {
	return json.Marshal(breached{galena.EventBreached, reference(l), l.ID, kind, owner, to, page})
}

// Routed is the body of lead.routed.
func Routed(l galena.Lead, c galena.Company, d galena.Decision, personal bool) (json.RawMessage, error) {
	return body(galena.EventRouted, l, c, d, personal)
}

// Rerouted is the body of lead.rerouted: the decision that is in force now.
func Rerouted(l galena.Lead, c galena.Company, d galena.Decision, personal bool) (json.RawMessage, error) {
	return body(galena.EventRerouted, l, c, d, personal)
}

func body(event string, l galena.Lead, c galena.Company, d galena.Decision, personal bool) (json.RawMessage, error) {
	b := routed{
		Type: event, ID: reference(l), LeadID: l.ID, Domain: l.Domain,
		Score: d.Score.Score, Lo: d.Lo, Hi: d.Hi, Coverage: d.Coverage, Tier: d.Tier, Route: d.Rule, To: d.To,
		Provisional: d.Provisional, Reasons: d.TopReasons, Company: company(c, d.Facts),
	}
	if d.Owner != "" {
		b.Owner = &d.Owner
	}
	if b.Reasons == nil {
		b.Reasons = []string{}
	}
	if personal {
		b.Email = &l.Email
	}
	return json.Marshal(b)
}

// Quarantined is the body of lead.quarantined. It names nobody.
func Quarantined(l galena.Lead) (json.RawMessage, error) {
	codes := make([]string, 0, len(l.Codes))
	codes = append(codes, l.Codes...)
	return json.Marshal(quarantined{galena.EventQuarantined, reference(l), l.ID, l.Verdict, codes})
}

func reference(l galena.Lead) string {
	if l.ExternalID != "" {
		return l.ExternalID
	}
	return l.ID
}

// company is what is known of the company as plain facts: short names, values
// as JSON has them, nothing for what is unknown. The facts of the decision win,
// for they are what was decided on.
func company(c galena.Company, decided galena.Facts) map[string]any {
	out := map[string]any{}
	for _, facts := range []galena.Facts{c.Facts, decided} {
		for name, f := range facts {
			short, ok := strings.CutPrefix(name, "company.")
			if ok && (f.State == galena.Known || f.State == galena.Partial) {
				out[short] = f.Value.Plain()
			}
		}
	}
	if c.Domain != "" {
		out["domain"] = c.Domain
	}
	return out
}
