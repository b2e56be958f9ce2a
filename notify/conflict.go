package notify

import (
	"encoding/json"
	"math"
	"time"

	"github.com/galenahq/galena"
)

// opened is the body of conflict.opened. It names a company and nobody.
type opened struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"` // of the conflict: what its resolution is posted to
	LeadID     string          `json:"lead_id"`
	Entity     string          `json:"entity"`
	Field      string          `json:"field"`
	Severity   galena.Severity `json:"severity"`
	Candidates []side          `json:"candidates"` // the chosen one first
}

// side is one value with who says so and what would follow.
type side struct {
	Value      any       `json:"value"` // null: the source says that there is none
	Source     string    `json:"source"`
	Confidence float64   `json:"confidence"`
	ObservedAt time.Time `json:"observed_at,omitzero"`
	Tier       string    `json:"tier"`
}

// Disputed is the body of conflict.opened.
func Disputed(d galena.Dispute) (json.RawMessage, error) {
	b := opened{galena.EventConflict, d.ID, d.LeadID, d.Entity, d.Field, d.Severity, make([]side, len(d.Candidates))}
	for i, c := range d.Candidates {
		b.Candidates[i] = side{Source: c.Source, Confidence: math.Round(c.Confidence*100) / 100, ObservedAt: c.ObservedAt, Tier: c.Tier}
		if !c.Absent {
			b.Candidates[i].Value = c.Value.Plain()
		}
	}
	return json.Marshal(b)
}
