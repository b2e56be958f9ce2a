package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Hands is what reps do with the leads they were given. Whoever comes too late
// gets a Conflict with Op "moved" and who has the lead.
type Hands interface {
	Standing(ctx context.Context, leadID string) (galena.Standing, error)
	Take(ctx context.Context, act galena.Act) (galena.Standing, error)
	HandBack(ctx context.Context, act galena.Act) (galena.Standing, error)
}

// clockRow is one clock of the rep who has the lead.
type clockRow struct{ Name, Due, At, State, Class string }

// holdRow is one hand that the lead went through.
type holdRow struct {
	Decision     string
	Owner        ownerView
	Since, Until string
	Ended        string
}

// handsView is who has the lead, what they may say, and who had it before.
type handsView struct {
	ID      string
	Owner   ownerView
	Since   string
	Status  string
	Epoch   int
	Clocks  []clockRow
	History []holdRow
	Accept  bool // the buttons that are offered
	Touch   bool
	Reasons []reasonView
}

type reasonView struct{ Reason, Words string }

var (
	clockWords  = map[galena.TimerKind]string{galena.ClockAccept: "Accept", galena.ClockTouch: "First touch", galena.ClockWait: "Waits for the rep"}
	timerWords  = map[galena.TimerState][2]string{galena.TimerOpen: {"runs", ""}, galena.TimerNudged: {"half of the time is over", "warn"}, galena.TimerMet: {"met", "good"}, galena.TimerBreached: {"ran out", "bad"}, galena.TimerVoid: {"ended", ""}}
	reasonWords = []reasonView{{galena.HandBackSpam, "Spam"}, {galena.HandBackDuplicate, "Duplicate"},
		{galena.HandBackTerritory, "Wrong territory"}, {galena.HandBackCapacity, "No capacity"}}
	endWords = map[string]string{galena.MoveSLA: "time ran out", galena.MoveWait: "the rep stayed away", galena.MoveReassign: "reassigned",
		galena.MoveSettled: "late data changed the decision"}
)

// hands shows who has a lead; nil where nothing is known of it.
func (s *server) hands(r *http.Request, leadID string) (*handsView, error) {
	if s.Hands == nil {
		return nil, nil //nolint:nilnil // nothing to show is no error
	}
	st, err := s.Hands.Standing(r.Context(), leadID)
	if err != nil {
		return nil, err
	}
	hold, ok := st.Current()
	if !ok {
		return nil, nil //nolint:nilnil // not decided yet
	}
	v := &handsView{ID: leadID, Owner: ownerOf(hold.To), Since: moment(hold.AssignedAt), Epoch: hold.Epoch, Status: statusOf(hold)}
	for _, t := range st.Timers {
		if t.Epoch == hold.Epoch {
			words := timerWords[t.State]
			v.Clocks = append(v.Clocks, clockRow{Name: clockWords[t.Kind], Due: moment(t.DueAt), At: stamp(t.DueAt), State: words[0], Class: words[1]})
		}
	}
	for _, h := range st.Holds {
		row := holdRow{Decision: strconv.Itoa(h.Epoch), Owner: ownerOf(h.To), Since: moment(h.AssignedAt), Until: moment(h.ClosedAt), Ended: endOf(h)}
		v.History = append(v.History, row)
	}
	if session, _ := sessionOf(r); hold.Rep != "" && (session.Role != roleRep || session.User == hold.Rep) {
		v.Accept, v.Touch, v.Reasons = hold.AcceptedAt.IsZero(), hold.TouchedAt.IsZero(), reasonWords
	}
	return v, nil
}

func statusOf(h galena.Hold) string {
	said := func(word string, t time.Time) string { return word + " " + moment(t) }
	switch {
	case !h.TouchedAt.IsZero():
		return said("touched", h.TouchedAt)
	case !h.AcceptedAt.IsZero():
		return said("accepted", h.AcceptedAt)
	case h.Rep != "":
		return "not accepted yet"
	default:
		return ""
	}
}

func endOf(h galena.Hold) string {
	if reason, ok := strings.CutPrefix(h.Reason, galena.MoveHandBack("")); ok {
		for _, w := range reasonWords {
			if w.Reason == reason {
				return "handed back: " + strings.ToLower(w.Words)
			}
		}
	}
	return endWords[h.Reason]
}

// act is what a button says: a rep speaks for themselves, whoever looks after
// leads speaks for the rep who has the lead, and only of the decision they saw.
func (s *server) act(do func(Hands, context.Context, galena.Act) (galena.Standing, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Hands == nil {
			s.notFound(w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, largestForm)
		if err := r.ParseForm(); err != nil {
			s.problem(w, r, http.StatusBadRequest, "The form could not be read", "Go back and try again, with a shorter note.")
			return
		}
		session, _ := sessionOf(r)
		epoch, _ := strconv.Atoi(r.PostForm.Get("epoch"))
		act := galena.Act{LeadID: r.PathValue("id"), Epoch: max(epoch, 0), Actor: session.User,
			Reason: r.PostForm.Get("reason"), Note: clip(r.PostForm.Get("note"), longestNote)}
		if session.Role == roleRep {
			act.Rep = session.User
		}
		_, err := do(s.Hands, r.Context(), act)
		if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Conflict && e.Op == "moved" {
			s.problem(w, r, http.StatusConflict, "Somebody was faster", "The lead was "+e.Err.Error()+".")
			return
		}
		if galena.KindOf(err) == galena.Invalid {
			s.problem(w, r, http.StatusUnprocessableEntity, "A reason is needed", "Go back and choose why the lead goes back.")
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		http.Redirect(w, r, "/leads/"+act.LeadID, http.StatusSeeOther)
	}
}

func accept(h Hands, ctx context.Context, act galena.Act) (galena.Standing, error) { //nolint:revive // a method's shape
	return h.Take(ctx, act)
}

func touch(h Hands, ctx context.Context, act galena.Act) (galena.Standing, error) { //nolint:revive // a method's shape
	act.Touch = true
	return h.Take(ctx, act)
}
