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
	Reassign(ctx context.Context, act galena.Act) (galena.Standing, error)
}

// clockRow is one clock of the rep who has the lead.
type clockRow struct{ Name, Due, At, State, Class string }

// holdRow is one hand that the lead went through.
type holdRow struct {
	Decision     string
	Owner        ownerView
	Since, Until string
	Ended, Note  string
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
	Give    *giveView // nil where whoever looks may not give it to others
}

// giveView is whom a lead can be given to.
type giveView struct{ Reps, Pools []string }

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
		row := holdRow{Decision: strconv.Itoa(h.Epoch), Owner: ownerOf(h.To), Since: moment(h.AssignedAt), Until: moment(h.ClosedAt), Ended: endOf(h), Note: h.Note}
		v.History = append(v.History, row)
	}
	if session, _ := sessionOf(r); hold.Rep != "" && (session.Role != roleRep || session.User == hold.Rep) {
		v.Accept, v.Touch, v.Reasons = hold.AcceptedAt.IsZero(), hold.TouchedAt.IsZero(), reasonWords
	}
	if offered(r, toReassign) {
		v.Give = giveTo(s.Targets(), hold.Rep)
	}
	return v, nil
}

// poolMark tells a pool from a rep, in the page's form as in the API.
const poolMark = "pool:"

// giveTo sorts out whom the lead can be given to: not to who has it.
func giveTo(targets []string, holder string) *giveView {
	var v giveView
	for _, to := range targets {
		if pool, ok := strings.CutPrefix(to, poolMark); ok {
			v.Pools = append(v.Pools, pool)
		} else if to != holder {
			v.Reps = append(v.Reps, to)
		}
	}
	if len(v.Reps)+len(v.Pools) == 0 {
		return nil
	}
	return &v
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
		err := r.ParseForm()
		epoch, wrong := strconv.Atoi(r.PostForm.Get("epoch"))
		if err != nil || wrong != nil || epoch < 1 {
			s.problem(w, r, http.StatusBadRequest, "The form could not be read", "Go back and try again, with a shorter note.")
			return
		}
		session, _ := sessionOf(r)
		act := galena.Act{LeadID: r.PathValue("id"), Epoch: epoch, Actor: session.User, To: r.PostForm.Get("to"),
			Reason: r.PostForm.Get("reason"), Note: strings.TrimSpace(clip(r.PostForm.Get("note"), longestNote))}
		if session.Role == roleRep {
			act.Rep = session.User
		}
		if _, err = do(s.Hands, r.Context(), act); err != nil {
			s.refuseAct(w, r, err)
			return
		}
		http.Redirect(w, r, "/leads/"+act.LeadID, http.StatusSeeOther)
	}
}

// refuseAct says in a sentence what came in between. Our own text names reps,
// pools and times, no person.
func (s *server) refuseAct(w http.ResponseWriter, r *http.Request, err error) {
	v := problemView{Status: http.StatusConflict, Back: "/leads/" + r.PathValue("id")}
	e, ok := errors.AsType[*galena.Error](err)
	if ok && e.Kind == galena.Invalid {
		v.Status = http.StatusUnprocessableEntity
	}
	switch {
	case ok && e.Kind == galena.Conflict && e.Op == "moved":
		v.Head, v.Advice = "Somebody was faster", overtaken(e.Err.Error())
	case ok && e.Op == "routing.give": // what a person asks for and the rules cannot do
		v.Head, v.Advice = "The lead stays where it is", "The rules say: "+e.Err.Error()+"."
	case ok && e.Kind == galena.Invalid:
		v.Head, v.Advice = "A reason is needed", "Say why, for the record."
	default:
		s.fail(w, r, err)
		return
	}
	s.render(w, r, v.Status, "problem", page{Title: v.Head, Body: v})
}

// overtaken makes a sentence of "moved to ana at 14:05:00 UTC" and of "the lead
// is not decided yet".
func overtaken(text string) string {
	if strings.HasPrefix(text, "the lead ") {
		return upperFirst(text) + "."
	}
	return "The lead was " + text + "."
}

func accept(h Hands, ctx context.Context, act galena.Act) (galena.Standing, error) { //nolint:revive // a method's shape
	return h.Take(ctx, act)
}

func touch(h Hands, ctx context.Context, act galena.Act) (galena.Standing, error) { //nolint:revive // a method's shape
	act.Touch = true
	return h.Take(ctx, act)
}

// reassign is for a person who says why: their word overrules the routing file.
func reassign(h Hands, ctx context.Context, act galena.Act) (galena.Standing, error) { //nolint:revive // a method's shape
	act.Reason = ""
	if act.Note == "" {
		return galena.Standing{}, galena.Errorf(galena.Invalid, "web.reassign", "no reason")
	}
	return h.Reassign(ctx, act)
}
