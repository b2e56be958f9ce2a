package merging

import (
	"fmt"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// Leads of one company who each list other words, as a robot may: what compares each
// word with each list is far beyond the limit, and what reads them far below it.
func TestTheListsOfManyFormsMergeInTime(t *testing.T) {
	t.Parallel()
	var all []galena.Observation
	for lead := range 100 {
		words := make([]string, 6000) // as many as a body of 64 KB holds
		for i := range words {
			words[i] = fmt.Sprintf("%d-%d", lead, i)
		}
		all = append(all, galena.Observation{ID: fmt.Sprintf("%03d", lead), Field: tech, Source: "form", Class: galena.ClassForm,
			Confidence: 1, ObservedAt: now.Add(time.Duration(lead) * time.Second), Value: galena.SetValue(words, false)})
	}
	p, began := policy(t, Defaults()), time.Now()
	p.Merge(galena.Refs(all), now.Add(time.Hour)).Get(tech)
	took := time.Since(began)
	t.Log(took)
	if took > 3*time.Second {
		t.Errorf("%d lists took %s", len(all), took)
	}
}
