package merging

import (
	"fmt"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// Leads of one company who each list other words, as a robot may: five times as many
// lists take some five times as long; what compares each word with each list, 25 times.
func TestTheListsOfManyFormsMergeInTime(t *testing.T) { // not beside others: it compares times
	p := policy(t, Defaults())
	merge := func(leads int) time.Duration {
		var all []galena.Observation
		for lead := range leads {
			words := make([]string, 1500)
			for i := range words {
				words[i] = fmt.Sprintf("%d-%d", lead, i)
			}
			all = append(all, galena.Observation{ID: fmt.Sprintf("%03d", lead), Field: tech, Source: "form", Class: galena.ClassForm,
				Confidence: 1, ObservedAt: now.Add(time.Duration(lead) * time.Second), Value: galena.SetValue(words, false)})
		}
		best := time.Hour
		for range 3 {
			began := time.Now()
			p.Merge(galena.Refs(all), now.Add(time.Hour)).Get(tech)
			best = min(best, time.Since(began))
		}
		return best
	}
	few, many := merge(20), merge(100)
	t.Logf("20 lists %s, 100 lists %s", few, many)
	if many > 15*few {
		t.Errorf("100 lists took %s, 20 lists %s", many, few)
	}
}
