package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Disputes is the part of the store that knows what sources disagree on.
type Disputes interface {
	Conflicts(ctx context.Context, f galena.ConflictFilter) ([]galena.Dispute, error)
	Conflict(ctx context.Context, id string) (galena.Dispute, error)
	ResolveConflict(ctx context.Context, r galena.Resolution) (galena.Dispute, error)
}

// claimRow is one side of a conflict.
type claimRow struct {
	Value, Source, Age, At, Confidence string
	Tier, TierClass                    string
	Key                                string // names the value in the form
	Held                               bool   // the value that decisions use
}

// conflictRow is a conflict for a person to settle.
type conflictRow struct {
	ID, Entity, Field string
	Lead              string // whose decision showed it last
	Decides           bool
	Opened, OpenedAt  string
	Back              string // where to go after the choice
	Claims            []claimRow
	Settle            bool // whoever looks may say which value is right
}

// conflictsView is the review list.
type conflictsView struct {
	Rows     []conflictRow
	Deciding int
	Settle   bool
	Info     choice // shows or hides what nothing hangs on
}

// conflicts lists what is open: by itself only what a decision hangs on.
func (s *server) conflicts(w http.ResponseWriter, r *http.Request) {
	all := r.URL.Query().Get("all") == "1"
	f := galena.ConflictFilter{Status: galena.ConflictOpen, Severity: galena.SeverityDecision}
	view := conflictsView{Settle: offered(r, toResolve), Info: choice{Words: "Show also those that change no decision", URL: "/conflicts?all=1"}}
	if all {
		f.Severity = ""
		view.Info = choice{Words: "Show only those that a decision hangs on", URL: "/conflicts", On: true}
	}
	found, err := s.Store.Conflicts(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, d := range found {
		row := conflictOf(d, s.Now(), "/conflicts")
		row.Settle = view.Settle
		if row.Decides {
			view.Deciding++
		}
		view.Rows = append(view.Rows, row)
	}
	s.render(w, r, http.StatusOK, "conflicts", page{Title: "Conflicts", Nav: "conflicts", Body: view})
}

func conflictOf(d galena.Dispute, now time.Time, back string) conflictRow {
	row := conflictRow{ID: d.ID, Entity: d.Entity, Field: fieldLabel(d.Field), Lead: d.LeadID, Back: back,
		Decides: d.Severity == galena.SeverityDecision, Opened: ago(d.OpenedAt, now), OpenedAt: stamp(d.OpenedAt)}
	for i, c := range d.Candidates {
		side := claimRow{Value: shownValue(d.Field, c.Value), Source: c.Source, Age: age(c.ObservedAt, now), At: stamp(c.ObservedAt),
			Confidence: percent(c.Confidence), Tier: c.Tier, TierClass: tierClasses[c.Tier], Key: c.Key(), Held: i == 0}
		if c.Absent {
			side.Value = "none"
		}
		row.Claims = append(row.Claims, side)
	}
	return row
}

// keep takes a person's choice among the values as they stand now. One that is
// not among them any more is refused: the page was out of date.
func (s *server) keep(w http.ResponseWriter, r *http.Request) {
	session, _ := sessionOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	d, err := s.Store.Conflict(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	wanted := r.PostFormValue("keep")
	i := slices.IndexFunc(d.Candidates, func(c galena.Claim) bool { return c.Key() == wanted })
	if i < 0 {
		s.problem(w, r, http.StatusConflict, "That changed meanwhile", "The value is not among those in question any more. Look at the list again.")
		return
	}
	c := d.Candidates[i]
	_, err = s.Store.ResolveConflict(r.Context(), galena.Resolution{ID: d.ID, Value: c.Value, Absent: c.Absent, By: session.User})
	if galena.KindOf(err) == galena.Conflict {
		s.problem(w, r, http.StatusConflict, "Somebody was faster", "The conflict is not open any more.")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	back := r.PostFormValue("back")
	if !strings.HasPrefix(back, "/leads/") || localPath(back) != back {
		back = "/conflicts"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// contested are the open conflicts of a lead's company.
func (s *server) contested(r *http.Request, rec galena.Record) ([]conflictRow, error) {
	if rec.Company.Domain == "" {
		return nil, nil
	}
	found, err := s.Store.Conflicts(r.Context(), galena.ConflictFilter{Entity: rec.Company.Domain, Status: galena.ConflictOpen})
	out := make([]conflictRow, len(found))
	for i, d := range found {
		out[i] = conflictOf(d, s.Now(), "/leads/"+rec.Lead.ID)
		out[i].Settle = offered(r, toResolve)
	}
	return out, err
}
