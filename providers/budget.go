package providers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// refreshing is the source of what no lead asked for: the refresh of stale data.
const refreshing = "refresh"

// shortFor is how long a budget that refused a call is not asked again. Refunds
// may make room in it.
const shortFor = 5 * time.Second

// Budgets are those of a day, by scope: of all vendors together ("day"), of one
// ("provider:hunter"), of one source of leads ("source:webinar").
func (c Config) Budgets() []galena.Budget {
	var out []galena.Budget
	add := func(scope string, cents float64) {
		if cents > 0 {
			out = append(out, galena.Budget{Scope: scope, LimitMicros: micros(cents)})
		}
	}
	add(galena.ScopeDay, c.Limits.PerDayCents)
	for _, e := range c.Providers {
		add(galena.ProviderScope(e.ID), e.PerDayCents)
	}
	for _, source := range slices.Sorted(maps.Keys(c.Limits.PerSourceCents)) {
		add(sourceScope(source), c.Limits.PerSourceCents[source])
	}
	return out
}

func sourceScope(source string) string { return galena.SourceScope(fold(source)) }

// budgets are those that a call must fit into. What costs nothing needs none. A
// source is what a lead's source or form says; a refresh is one of its own.
func (w *Waterfall) budgets(v *vendor, known galena.Facts, fresh bool) []galena.Budget {
	if v.reserve() == 0 {
		return nil
	}
	scopes := []string{galena.ScopeDay, galena.ProviderScope(v.id)}
	if fresh {
		scopes = append(scopes, sourceScope(refreshing))
	}
	for _, field := range []string{"lead.source", "lead.form"} {
		if f := known.Get(field); f.State == galena.Known {
			scopes = append(scopes, sourceScope(f.Value.String()))
		}
	}
	var out []galena.Budget
	for _, b := range w.daily {
		if slices.Contains(scopes, b.Scope) {
			out = append(out, b)
		}
	}
	return out
}

// reserve is what is put aside for a call: the most it may cost, or the most that
// one did cost, where the vendor did not keep to that.
func (v *vendor) reserve() int64 { return max(v.mostMicros, v.dearest.Load()) }

// learn remembers what a call cost that was dearer than any before, and than
// it could be. What was reserved for it was too little, and the budgets may be
// overdrawn by the difference: the vendor has the money. It happens once.
func (w *Waterfall) learn(v *vendor, costMicros int64) {
	for {
		before := v.dearest.Load()
		if costMicros <= max(before, v.mostMicros) {
			return
		}
		if v.dearest.CompareAndSwap(before, costMicros) {
			w.deps.Log.Warn("provider bills more than its catalogue says: set max_cents", "provider", v.id,
				"cents", galena.CentsOf(costMicros), "catalogue_cents", galena.CentsOf(v.mostMicros))
			return
		}
	}
}

// ofBudget says that a budget had no room for the call.
func ofBudget(err error) bool {
	e, ok := errors.AsType[*galena.Error](err)
	return ok && e.Cause == galena.CauseBudget
}

// midnight is when the next one begins.
func midnight(now time.Time) time.Time { return now.UTC().Truncate(day).Add(day) }

// shortage remembers for a moment what little some budgets have left, so that a
// used up budget does not cost a question to the store for every lead.
type shortage struct {
	mu    sync.Mutex
	left  map[string]int64 // micros, by scope
	until map[string]time.Time
	told  map[string]string // the day on which it was told last
}

// note keeps what a refused claim said, and returns the budgets that were not
// told today.
func (s *shortage) note(v *vendor, budgets []galena.Budget, g galena.Grant, now time.Time) (told []galena.Budget) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range budgets {
		left := b.LimitMicros - g.SpentMicros[b.Scope]
		if left >= v.reserve() {
			continue
		}
		if s.left == nil {
			s.left, s.until, s.told = map[string]int64{}, map[string]time.Time{}, map[string]string{}
		}
		s.left[b.Scope], s.until[b.Scope] = left, now.Add(shortFor)
		if today := galena.DayOf(now); s.told[b.Scope] != today {
			s.told[b.Scope] = today
			told = append(told, b)
		}
	}
	return told
}

// refuses is the error of a call that one of its budgets has no room for. It is
// none of the vendor's: neither breaker nor pause hears of it.
func (s *shortage) refuses(v *vendor, budgets []galena.Budget, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var short []string
	for _, b := range budgets {
		if until := s.until[b.Scope]; now.Before(until) && galena.DayOf(now) == s.told[b.Scope] && s.left[b.Scope] < v.reserve() {
			short = append(short, b.Scope)
		}
	}
	if len(short) == 0 {
		return nil
	}
	return &galena.Error{Kind: galena.Exhausted, Op: v.id + ".ask", Cause: galena.CauseBudget, RetryAfter: midnight(now).Sub(now),
		Err: fmt.Errorf("the budget %s is used up until %s", strings.Join(short, ", "), midnight(now).Format(time.RFC3339))}
}
