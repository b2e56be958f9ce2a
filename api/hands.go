package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
)

// Hands is what reps and ops do with a lead after it was assigned.
type Hands interface {
	Take(ctx context.Context, act galena.Act) (galena.Standing, error)
	HandBack(ctx context.Context, act galena.Act) (galena.Standing, error)
	Reassign(ctx context.Context, act galena.Act) (galena.Standing, error)
	WhyNot(ctx context.Context, leadID, rep string) (galena.WhyNot, error)
}

// TakeBody is the body of accept and touch; it may be {} or missing.
type TakeBody struct {
	Rep   string `json:"rep,omitempty" doc:"Who acts; without it, whoever has the lead"`
	Epoch int    `json:"epoch,omitempty" doc:"The decision they saw; without it, the one in force"`
}

// HandBackBody is the body of hand-back.
type HandBackBody struct {
	Rep    string `json:"rep,omitempty" doc:"Who acts; without it, whoever has the lead. With rep or epoch a repeat does no harm"`
	Epoch  int    `json:"epoch,omitempty" doc:"The decision they saw; without it, the one in force"`
	Reason string `json:"reason" enum:"spam,duplicate,wrong_territory,no_capacity"`
	Note   string `json:"note,omitempty" maxLength:"1000"`
}

// ReassignBody is the body of reassign.
type ReassignBody struct {
	To     string `json:"to" doc:"Id of a rep, or pool:<id>"`
	Epoch  int    `json:"epoch,omitempty" doc:"The decision they saw; without it, the one in force"`
	Reason string `json:"reason" maxLength:"1000" doc:"Why, for the record"`
}

// Standing is who has a lead now, who had it before, and the clocks that run.
type Standing struct {
	LeadID string  `json:"lead_id"`
	Epoch  int     `json:"epoch"`
	To     string  `json:"to"`
	Owner  *string `json:"owner"`
	Holds  []Hold  `json:"holds" nullable:"false" doc:"Everybody who was given the lead, in order"`
	Clocks []Timer `json:"clocks" nullable:"false" doc:"Of the epoch in force"`
}

// Hold is one assignment.
type Hold struct {
	Epoch      int        `json:"epoch"`
	To         string     `json:"to"`
	Rule       string     `json:"rule"`
	AssignedAt *time.Time `json:"assigned_at"`
	AcceptedAt *time.Time `json:"accepted_at"`
	TouchedAt  *time.Time `json:"touched_at"`
	ClosedAt   *time.Time `json:"closed_at"`
	Reason     string     `json:"reason,omitempty" doc:"Why it ended: sla, wait, settled, reassign, hand_back:<reason>"`
}

// Timer is one clock.
type Timer struct {
	Kind    galena.TimerKind  `json:"kind" enum:"accept,touch,wait"`
	State   galena.TimerState `json:"state" enum:"open,nudged,met,breached,void"`
	NudgeAt *time.Time        `json:"nudge_at"`
	DueAt   *time.Time        `json:"due_at"`
}

type standingOutput struct{ Body Standing }

type whyNotInput struct {
	ID  string `path:"id" doc:"Our id of the lead"`
	Rep string `query:"rep" required:"true" maxLength:"128" doc:"Id of a rep"`
}

// registerHands adds the operations. Accepting, touching and handing back ask
// for the scopes to hand leads in and to read them, so that the token of a form
// takes nobody's lead away; giving a lead to another rep overrules the routing
// file, so it asks for the scope that may change it.
func (h *handlers) registerHands(a huma.API) {
	add := func(name, summary string, scopes []string, body any, do func(context.Context, *idInput) (*standingOutput, error)) {
		op := huma.Operation{OperationID: name + "-lead", Method: http.MethodPost, Path: "/v1/leads/{id}/" + name, Summary: summary,
			Description: "409 says who has the lead, since when.", Security: needs(scopes...), MaxBodyBytes: maxLead, Metadata: map[string]any{bodyOptional: true},
			Errors: []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503}}
		huma.Register(a, op, do)
		t := reflect.TypeOf(body)
		a.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: name == "hand-back" || name == "reassign",
			Content: map[string]*huma.MediaType{"application/json": {Schema: a.OpenAPI().Components.Schemas.Schema(t, true, t.Name())}}}
	}
	rep, ops := []string{galena.ScopeLeadsWrite, galena.ScopeLeadsRead}, []string{galena.ScopeConfigWrite}
	add("accept", "A rep takes the lead on", rep, TakeBody{}, h.take(false))
	add("touch", "A rep was in touch with the person", rep, TakeBody{}, h.take(true))
	add("hand-back", "A rep gives the lead back", rep, HandBackBody{}, h.handBack)
	add("reassign", "Give the lead to a rep or a pool", ops, ReassignBody{}, h.reassign)
	huma.Register(a, huma.Operation{
		OperationID: "why-not-lead", Method: http.MethodGet, Path: "/v1/leads/{id}/why-not", Summary: "Why a rep does not have the lead",
		Security: needs(galena.ScopeLeadsRead), Errors: []int{401, 403, 404, 422, 429, 500, 503},
	}, h.whyNot)
}

func (h *handlers) take(touch bool) func(context.Context, *idInput) (*standingOutput, error) {
	return func(ctx context.Context, in *idInput) (*standingOutput, error) {
		act, err := readAct(ctx, in.ID, "rep", "epoch")
		if err != nil {
			return nil, err
		}
		act.Touch = touch
		return stand(ctx, act, h.deps.Hands.Take)
	}
}

func (h *handlers) handBack(ctx context.Context, in *idInput) (*standingOutput, error) {
	act, err := readAct(ctx, in.ID, "rep", "epoch", "reason", "note")
	if err != nil {
		return nil, err
	}
	return stand(ctx, act, h.deps.Hands.HandBack)
}

func (h *handlers) reassign(ctx context.Context, in *idInput) (*standingOutput, error) {
	act, err := readAct(ctx, in.ID, "to", "epoch", "reason")
	if err != nil {
		return nil, err
	}
	if act.Reason == "" {
		return nil, badProperty(ctx, "/reason", "must say why")
	}
	act.Note, act.Reason = act.Reason, ""
	return stand(ctx, act, h.deps.Hands.Reassign)
}

func (h *handlers) whyNot(ctx context.Context, in *whyNotInput) (*struct{ Body galena.WhyNot }, error) {
	if !isID(in.ID) {
		return nil, refuse(ctx, galena.Errorf(galena.NotFound, "api", "not an id"))
	}
	note(ctx, "lead", in.ID)
	why, err := h.deps.Hands.WhyNot(ctx, in.ID, in.Rep)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &struct{ Body galena.WhyNot }{why}, nil
}

// longestNote bounds what a person may say of a hand-back, in characters.
const longestNote = 1000

// readAct reads the body of an act that has these properties; an empty one says
// nothing. What is none of them is refused: of a misspelt rep or epoch the act would be
// that of whoever has the lead.
func readAct(ctx context.Context, id string, known ...string) (galena.Act, error) {
	act := galena.Act{LeadID: id, Actor: caller(ctx).ID}
	if !isID(id) {
		return act, refuse(ctx, galena.Errorf(galena.NotFound, "api", "not an id"))
	}
	note(ctx, "lead", id)
	raw := bodyOf(ctx)
	if len(raw) == 0 {
		return act, nil
	}
	b, err := readObject(ctx, raw)
	if err != nil {
		return act, err
	}
	act.Rep, act.Reason, act.Note, act.To = b.text("rep"), b.text("reason"), b.text("note"), b.text("to")
	act.Epoch = b.number("epoch")
	for name, text := range map[string]string{"note": act.Note, "reason": act.Reason, "to": act.To, "rep": act.Rep} {
		if utf8.RuneCountInString(text) > longestNote {
			b.wrong(name, "must have at most 1000 characters", "too_long")
		}
	}
	for _, name := range b.keys {
		if !slices.Contains(known, name) {
			b.errs = append(b.errs, FieldError{Pointer: galena.JSONPointer(name), Detail: "is no property of this act", Code: "invalid"})
		}
	}
	if len(b.errs) > 0 {
		return act, problem(ctx, http.StatusUnprocessableEntity, "invalid", "some properties cannot be taken", b.errs...)
	}
	return act, nil
}

// stand acts and shows who has the lead then.
func stand(ctx context.Context, act galena.Act, do func(context.Context, galena.Act) (galena.Standing, error)) (*standingOutput, error) {
	st, err := do(ctx, act)
	if err != nil {
		return nil, refuse(ctx, handsProblem(ctx, err))
	}
	return &standingOutput{viewStanding(st)}, nil
}

// handsProblem words what is refused: our text names reps and times, no person.
func handsProblem(ctx context.Context, err error) error {
	e, ok := errors.AsType[*galena.Error](err)
	switch {
	case ok && e.Kind == galena.Conflict && e.Op == "moved":
		return problem(ctx, http.StatusConflict, "moved", e.Err.Error())
	case ok && e.Kind == galena.Conflict && e.Op == "routing.give":
		return problem(ctx, http.StatusConflict, "conflict", e.Err.Error())
	case ok && e.Kind == galena.Invalid && e.Op == "routing.give":
		return problem(ctx, http.StatusUnprocessableEntity, "invalid", "the lead cannot go there",
			FieldError{Pointer: "/to", Detail: "is no rep and no pool: of that name", Code: "invalid"})
	case ok && e.Kind == galena.Invalid:
		return problem(ctx, http.StatusUnprocessableEntity, "invalid", "some properties cannot be taken",
			FieldError{Pointer: "/reason", Detail: "must be one of spam, duplicate, wrong_territory, no_capacity", Code: "invalid"})
	}
	return err
}

func viewStanding(st galena.Standing) Standing {
	out := Standing{LeadID: st.LeadID, Epoch: st.Epoch, Holds: []Hold{}, Clocks: []Timer{}}
	for _, h := range st.Holds {
		out.To, out.Owner = h.To, orNull(h.Rep)
		out.Holds = append(out.Holds, Hold{Epoch: h.Epoch, To: h.To, Rule: h.Rule, AssignedAt: timeOrNull(h.AssignedAt),
			AcceptedAt: timeOrNull(h.AcceptedAt), TouchedAt: timeOrNull(h.TouchedAt), ClosedAt: timeOrNull(h.ClosedAt), Reason: h.Reason})
	}
	for _, t := range st.Timers {
		if t.Epoch == st.Epoch {
			out.Clocks = append(out.Clocks, Timer{Kind: t.Kind, State: t.State, NudgeAt: timeOrNull(t.NudgeAt), DueAt: timeOrNull(t.DueAt)})
		}
	}
	return out
}
