package worker

import (
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// Rules is one consistent set of compiled files. A lead keeps the set it began
// with; a reload swaps the whole set.
type Rules struct {
	Enricher      Enricher // the catalogue at work
	Market        Market   // the same, for whoever asks although an answer is held
	ICP           *scoring.Profile
	Merging       *merging.Policy
	Routing       *routing.Router
	AlwaysCollect []string
	LimitMicros   int64            // what one lead may cost
	Deadline      time.Duration    // for the first decision, negative = none
	Hits          *galena.HitRates // what vendors were seen to know, nil = what the catalogue says
	AuditShare    float64          // of settled decisions, 0 = none: everything is bought afterwards
	Refs          []galena.ConfigRef
	Done          func() // told when a lead is through with the set; nil = nobody asks
}

// read says that a criterion or a rule reads the field.
func (r *Rules) read(field string) bool {
	return slices.Contains(r.ICP.Fields(), field) || slices.Contains(r.Routing.Fields(), field)
}

func (r *Rules) done() {
	if r.Done != nil {
		r.Done()
	}
}
