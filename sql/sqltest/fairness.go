package sqltest

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// fairWorkers is how many goroutines rule at once.
const fairWorkers = 16

// Fairness rules the leads from 16 workers, each lead twice, with the weights
// 3:2:2:1:4 and a cap on the smallest share, and prints the rate. leads is a
// multiple of 12, so that every share is a whole number.
func Fairness(t *testing.T, open Open, leads int) {
	t.Helper()
	s := newBench(t, open)
	limit := leads / 12
	caps := map[string]int{"dee": limit}
	rulings := make([]galena.Ruling, leads)
	parallel(fairWorkers, func(worker int) {
		for i := worker; i < leads; i += fairWorkers {
			id := s.accept(person(i)).ID
			s.begin(id)
			rulings[i] = s.ruling(id, rotate(caps))
			rulings[i].Reps, rulings[i].Company, rulings[i].Observations = slices.Sorted(maps.Keys(weights())), galena.Company{}, nil
		}
	})
	var mu sync.Mutex
	owners := map[string]map[string]bool{}
	began := time.Now()
	parallel(fairWorkers, func(worker int) {
		for i := worker; i < 2*leads; i += fairWorkers {
			d, err := s.Rule(s.ctx, rulings[i%leads])
			// All of them want one pool. Who waits too long for it is told so and
			// comes back, as the worker parks and the sweep hands out.
			for tries := 1; galena.KindOf(err) == galena.Unavailable && tries < 5; tries++ {
				d, err = s.Rule(s.ctx, rulings[i%leads])
			}
			if err != nil {
				t.Errorf("lead %d: %v", i, err)
				continue
			}
			mu.Lock()
			if owners[d.LeadID] == nil {
				owners[d.LeadID] = map[string]bool{}
			}
			owners[d.LeadID][d.Owner] = true
			mu.Unlock()
		}
	})
	took := time.Since(began)
	got := map[string]int{}
	for id, reps := range owners {
		if len(reps) != 1 {
			t.Errorf("lead %s was given to %v", id, reps)
		}
		for rep := range reps {
			got[rep]++
		}
	}
	for rep, share := range weights() {
		if want := leads * int(share) / 12; got[rep] != want {
			t.Errorf("%s got %d of %d leads, want %d", rep, got[rep], leads, want)
		}
	}
	s.credits(got) // sums to zero, and every rep's counters say the same
	t.Logf("%d leads, each delivered twice, by %d workers in %s: %.0f assignments/s, shares %v, cap %d held",
		leads, fairWorkers, took.Round(time.Millisecond), float64(leads)/took.Seconds(), got, limit)
}
