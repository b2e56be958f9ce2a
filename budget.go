package galena

import "time"

// The budgets that count every call and those of one provider; a lead's source
// has one of its own.
const (
	ScopeDay       = "day"
	scopeProvider  = "provider:"
	scopeOfASource = "source:"
)

// ProviderScope is the budget of one provider.
func ProviderScope(id string) string { return scopeProvider + id }

// SourceScope is the budget of what the leads of a source cost.
func SourceScope(source string) string { return scopeOfASource + source }

// Budget is what may be spent in a scope ("day", "provider:hunter") on a day.
type Budget struct {
	Scope       string
	LimitMicros int64
}

// LeftCents is what the budget still has, reservations taken off; never below 0,
// although a provider may bill more than it said.
func (b Budget) LeftCents(spentMicros map[string]int64) float64 {
	return CentsOf(max(0, b.LimitMicros-spentMicros[b.Scope]))
}

// DayOf names the day of the budgets. It begins at midnight UTC.
func DayOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// Catalogue is what is configured of providers.
type Catalogue struct {
	Providers []Listed // in the order of the file
	Budgets   []Budget
}

// Listed is a provider of the catalogue as people see it.
type Listed struct {
	ID         string
	Adapter    string
	BaseURL    string
	Keyless    bool
	KeyPresent bool
	On         bool // it is asked: switched on, or on auto with all it needs
}

// Left is how many cents may still be spent on a provider today, whoever asks:
// the least that is left of its own budget and the day's. False without either.
func (c Catalogue) Left(provider string, spentMicros map[string]int64) (cents float64, bounded bool) {
	for _, b := range c.Budgets {
		if b.Scope != ScopeDay && b.Scope != ProviderScope(provider) {
			continue
		}
		if left := b.LeftCents(spentMicros); !bounded || left < cents {
			cents, bounded = left, true
		}
	}
	return cents, bounded
}
