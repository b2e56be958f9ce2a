package notify

import (
	"encoding/json"
	"strings"

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
func Breached(l galena.Lead, kind galena.TimerKind, owner, to, page string, personal bool) (json.RawMessage, error) {
	return json.Marshal(breached{galena.EventBreached, referenceFor(l, personal), l.ID, kind, owner, to, page})
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
	w := writer{galena.JSONWriter{B: make([]byte, 0, 512+32*len(d.Facts))}} // most fit
	w.Text(`{"type":`, event)
	w.Text(`,"id":`, referenceFor(l, personal)) // the caller's own reference, else ours
	w.Text(`,"lead_id":`, l.ID)
	if personal {
		w.Text(`,"email":`, l.Email)
	}
	w.Text(`,"domain":`, l.Domain)
	w.Tenths(`,"score":`, d.Score.Score)
	w.Tenths(`,"lo":`, d.Lo)
	w.Tenths(`,"hi":`, d.Hi)
	w.Float(`,"coverage":`, d.Coverage)
	w.Text(`,"tier":`, d.Tier)
	w.Text(`,"route":`, d.Rule)
	if d.Owner == "" {
		w.Raw(`,"owner":null`)
	} else {
		w.Text(`,"owner":`, d.Owner)
	}
	w.Text(`,"to":`, d.To)
	w.Bool(`,"provisional":`, d.Provisional)
	w.Texts(`,"reasons":`, append([]string{}, d.TopReasons...)) // none is a list too
	w.company(c, d.Facts)
	w.Raw("}")
	return w.B, w.Err
}

// Quarantined is the body of lead.quarantined. It names nobody.
func Quarantined(l galena.Lead, personal bool) (json.RawMessage, error) {
	codes := make([]string, 0, len(l.Codes))
	codes = append(codes, l.Codes...)
	return json.Marshal(quarantined{galena.EventQuarantined, referenceFor(l, personal), l.ID, l.Verdict, codes})
}

// referenceFor is ours where the caller's may be the e-mail.
func referenceFor(l galena.Lead, personal bool) string {
	if !personal && strings.Contains(l.ExternalID, "@") {
		return l.ID
	}
	return reference(l)
}

func reference(l galena.Lead) string {
	if l.ExternalID != "" {
		return l.ExternalID
	}
	return l.ID
}
