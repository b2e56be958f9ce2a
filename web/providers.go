package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Vendors is the part of the store that knows how the providers fare.
type Vendors interface {
	ProviderStates(ctx context.Context) ([]galena.ProviderState, error)
	DisagreementsByProvider(ctx context.Context, since time.Time) ([]galena.Disagreement, error)
	Scorecard(ctx context.Context, since time.Time) ([]galena.Scores, error)
	Regret(ctx context.Context) (galena.Regret, error)
	Spent(ctx context.Context, day string) (map[string]int64, error)
}

// breakerWords says what a breaker's state means.
var breakerWords = map[string]string{
	"closed":    "asked as usual",
	"open":      "not asked: it failed too often",
	"half_open": "being tried again, one call at a time",
}

// pauseWords says why a provider rests.
var pauseWords = map[galena.Kind]string{
	galena.Unauthorized: "its key was refused",
	galena.Exhausted:    "its credits are used up",
	galena.RateLimited:  "it asked us to slow down",
}

// providerRow is how one provider fares.
type providerRow struct {
	ID, Breaker, Class, Words     string
	Asked, Key, Adapter, Left     string // Left is "–" without a budget
	Off, Spent                    bool   // Spent: nothing is left
	Paused, PausedUntil           string
	Changed, ChangedAt, ChangedOn string
}

// budgetRow is what is left of one budget of the day.
type budgetRow struct {
	Whose, Limit, Left string
	Spent              bool
}

// regretView is how often the end of the buying came too early.
type regretView struct{ Audits, Changed, Share, Between, Spent, Words string }

// providersView is the page of providers.
type providersView struct {
	Rows     []providerRow
	Budgets  []budgetRow
	Troubled int
	Regret   *regretView // nil while nothing was audited
	Scores   scorecard   // empty where the page only brings its state up to date
}

func (s *server) providers(w http.ResponseWriter, r *http.Request) {
	states, err := s.Store.ProviderStates(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	regret, err := s.Store.Regret(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	spent, err := s.Store.Spent(r.Context(), galena.DayOf(s.Now()))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	view := providersOf(s.Catalogue(), states, spent, s.Now())
	view.Regret = regretOf(regret)
	if r.Header.Get("Hx-Request") == "" {
		if view.Scores, err = s.scores(r); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	s.render(w, r, http.StatusOK, "providers", page{Title: "Providers", Nav: "providers", Body: view})
}

// providersOf lists the configured ones first, in their order. One that no
// worker has reported on yet is "unknown", never assumed to be well.
func providersOf(c galena.Catalogue, states []galena.ProviderState, spent map[string]int64, now time.Time) providersView {
	var v providersView
	for _, l := range c.Providers {
		st := galena.ProviderState{Provider: l.ID}
		if i := slices.IndexFunc(states, func(st galena.ProviderState) bool { return st.Provider == l.ID }); i >= 0 {
			st = states[i]
		}
		v.add(listed(providerRowOf(st, now), l, c, spent))
	}
	for _, st := range states {
		if !slices.ContainsFunc(c.Providers, func(l galena.Listed) bool { return l.ID == st.Provider }) {
			row := providerRowOf(st, now)
			row.Asked, row.Left, row.Off = "Not in the file", "–", true
			if _, ok := galena.CRMOf(st.Provider); ok { // workers tell of a CRM that rests by the same way
				row.Asked, row.Off = "CRM", !st.PausedUntil.After(now)
			}
			v.add(row)
		}
	}
	for _, b := range c.Budgets {
		left := b.LeftCents(spent)
		v.Budgets = append(v.Budgets, budgetRow{Whose: budgetWords(b.Scope), Limit: cents(galena.CentsOf(b.LimitMicros)),
			Left: cents(left), Spent: left == 0})
	}
	return v
}

func (v *providersView) add(row providerRow) {
	if !row.Off && (row.Class == "open" || row.Class == "half_open" || row.Paused != "") {
		v.Troubled++
	}
	v.Rows = append(v.Rows, row)
}

// listed says what is configured of a provider.
func listed(row providerRow, l galena.Listed, c galena.Catalogue, spent map[string]int64) providerRow {
	row.Asked, row.Off, row.Left = "On", !l.On, "–"
	if row.Off {
		row.Asked = "Off"
	}
	switch {
	case l.KeyPresent:
		row.Key = "key present"
	case l.Keyless:
		row.Key = "needs no key"
	default:
		row.Key = "no key"
	}
	if l.Adapter != l.ID {
		row.Adapter = l.Adapter
	}
	if left, bounded := c.Left(l.ID, spent); bounded && l.On {
		row.Left, row.Spent = cents(left), left == 0
	}
	return row
}

// budgetWords says what a budget bounds.
func budgetWords(scope string) string {
	what, whose, _ := strings.Cut(scope, ":")
	switch what {
	case galena.ScopeDay:
		return "All together"
	case "source":
		if whose == "refresh" {
			return "Refreshing stale data"
		}
		return "Leads from " + whose
	default:
		return title(what) + " " + whose
	}
}

func providerRowOf(st galena.ProviderState, now time.Time) providerRow {
	row := providerRow{ID: st.Provider, Breaker: title(st.Breaker), Class: st.Breaker, Words: breakerWords[st.Breaker],
		Changed: ago(st.ChangedAt, now), ChangedAt: stamp(st.ChangedAt), ChangedOn: moment(st.ChangedAt)}
	if row.Words == "" {
		row.Breaker, row.Class, row.Words = "Unknown", "unknown", "no worker has called it yet"
	}
	if st.PausedUntil.After(now) {
		row.Paused, row.PausedUntil = pauseWords[st.PauseReason], "until "+moment(st.PausedUntil)
		if row.Paused == "" {
			row.Paused = title(string(st.PauseReason))
		}
	}
	return row
}

// regretOf words the audits for those who set the budgets.
func regretOf(r galena.Regret) *regretView {
	if r.Audits == 0 {
		return nil
	}
	low, high := r.Interval()
	share, between := tenthPercent(r.Share())+" %", tenthPercent(low)+" to "+tenthPercent(high)+" %"
	v := &regretView{Audits: thousands(int64(r.Audits)), Changed: thousands(int64(r.Changed)), Share: share, Between: between,
		Spent: cents(galena.CentsOf(r.CostMicros))}
	audited := v.Audits + " settled decisions"
	if r.Audits == 1 {
		audited = "one settled decision"
	}
	v.Words = "More data would have changed " + v.Changed + " of " + audited + "."
	if r.Changed == 0 {
		v.Words = "More data would have changed nothing in " + audited + "."
	}
	v.Words += " So stopping as soon as the decision is settled is wrong in " + between + " of all cases, with a certainty of 95 %."
	return v
}
