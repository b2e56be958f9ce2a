package notify

import (
	"encoding/json"
	"strconv"

	"github.com/galenahq/galena"
)

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

// body writes the body member by member: it is the longest text that a lead makes,
// and every lead makes it. The e-mail is left out where the endpoint must not know
// who it is about.
func body(event string, l galena.Lead, c galena.Company, d galena.Decision, personal bool) (json.RawMessage, error) {
	w := writer{b: make([]byte, 0, 512+32*len(d.Facts))} // most fit
	w.text(`{"type":`, event)
	w.text(`,"id":`, reference(l)) // the caller's own reference, else ours
	w.text(`,"lead_id":`, l.ID)
	if personal {
		w.text(`,"email":`, l.Email)
	}
	w.text(`,"domain":`, l.Domain)
	w.tenths(`,"score":`, d.Score.Score)
	w.tenths(`,"lo":`, d.Lo)
	w.tenths(`,"hi":`, d.Hi)
	w.value(`,"coverage":`, d.Coverage)
	w.text(`,"tier":`, d.Tier)
	w.text(`,"route":`, d.Rule)
	if d.Owner == "" {
		w.raw(`,"owner":null`)
	} else {
		w.text(`,"owner":`, d.Owner)
	}
	w.text(`,"to":`, d.To)
	w.raw(`,"provisional":`)
	w.b = strconv.AppendBool(w.b, d.Provisional)
	w.texts(`,"reasons":`, d.TopReasons)
	w.company(c, d.Facts)
	w.raw("}")
	return w.b, w.err
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
