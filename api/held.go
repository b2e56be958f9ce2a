package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

// EmailBody is the contract of an address to be checked.
type EmailBody struct {
	Email string `json:"email" doc:"As the visitor typed it"`
}

// EmailCheck is what a form may tell its visitor of the address.
type EmailCheck struct {
	Verdict    galena.Verdict    `json:"verdict" enum:"accept,confirm,quarantine,reject,internal"`
	Codes      []string          `json:"codes" nullable:"false"`
	DidYouMean *string           `json:"did_you_mean" doc:"The domain that was probably meant: ask the visitor, never correct by yourself"`
	Class      galena.EmailClass `json:"class" doc:"corporate, freemail, disposable, shared, role or own; empty for a rejected address"`
	Role       bool              `json:"role" doc:"The mailbox is a function, not a person"`
}

// NoteBody is the contract of a release.
type NoteBody struct {
	Note string `json:"note,omitempty" maxLength:"200" doc:"Why, for the audit trail; addresses in it are taken out"`
}

// Released is a held lead that goes on.
type Released struct {
	ID         string            `json:"id"`
	ExternalID *string           `json:"external_id"`
	Status     galena.LeadStatus `json:"status" enum:"accepted"`
	Verdict    galena.Verdict    `json:"verdict" enum:"accept"`
	Codes      []string          `json:"codes" nullable:"false" doc:"What held it stays, beside released"`
}

func (h *handlers) checkEmail(ctx context.Context, _ *struct{}) (*struct{ Body EmailCheck }, error) {
	if wait := h.checks.wait(caller(ctx).ID, h.deps.Now()); wait > 0 {
		return nil, refuse(ctx, problem(ctx, http.StatusTooManyRequests, "rate_limited", details[http.StatusTooManyRequests]).retry(wait))
	}
	b, err := readObject(ctx, bodyOf(ctx))
	if err != nil {
		return nil, err
	}
	email := b.email()
	if len(b.errs) > 0 {
		return nil, problem(ctx, http.StatusUnprocessableEntity, "invalid", "some properties cannot be taken", b.errs...)
	}
	j, err := h.deps.Gate.Check(ctx, email)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &struct{ Body EmailCheck }{EmailCheck{Verdict: j.Verdict, Codes: orEmpty(j.Codes),
		DidYouMean: orNull(intake.Suggestion(j.Codes)), Class: j.Class, Role: j.Role}}, nil
}

func (h *handlers) releaseLead(ctx context.Context, in *idInput) (*struct{ Body Released }, error) {
	if !isID(in.ID) {
		return nil, refuse(ctx, galena.Errorf(galena.NotFound, "api", "not an id"))
	}
	note(ctx, "lead", in.ID)
	why := ""
	if raw := bodyOf(ctx); len(raw) > 0 {
		b, err := readObject(ctx, raw)
		if err != nil {
			return nil, err
		}
		why = b.text("note")
		if len([]rune(why)) > 200 {
			b.wrong("note", "must have at most 200 characters", "too_long")
		}
		if len(b.errs) > 0 {
			return nil, problem(ctx, http.StatusUnprocessableEntity, "invalid", "some properties cannot be taken", b.errs...)
		}
	}
	l, err := h.deps.Gate.Release(ctx, in.ID, caller(ctx).ID, why)
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Conflict && e.Op == "held" {
		return nil, problem(ctx, http.StatusConflict, "not_held", "the lead is not held: there is nothing to release")
	}
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &struct{ Body Released }{Released{ID: l.ID, ExternalID: orNull(l.ExternalID), Status: l.Status, Verdict: l.Verdict,
		Codes: orEmpty(l.Codes)}}, nil
}

// readObject reads a body into a binder.
func readObject(ctx context.Context, raw []byte) (*binder, error) {
	m, keys, err := strictJSON(raw)
	if f, ok := errors.AsType[*galena.JSONFault](err); ok {
		p := problem(ctx, http.StatusBadRequest, "malformed", "the body cannot be read: "+f.Detail)
		p.Errors = []FieldError{{Pointer: f.Pointer, Detail: f.Detail, Code: f.Code}}
		return nil, p
	}
	return &binder{values: m, keys: keys}, err
}

// How often one token may have addresses checked, in one process: more than a
// form with a crowd before it needs, less than a walk through a list of
// addresses.
const (
	checksPerSecond = 10
	checksBurst     = 60
)

// meter limits by token.
type meter struct {
	mu     sync.Mutex
	tokens map[string]*rate.Limiter // as many as there are valid tokens
}

// wait counts a call, or says how long the next one must wait.
func (m *meter) wait(token string, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens == nil {
		m.tokens = map[string]*rate.Limiter{}
	}
	l, ok := m.tokens[token]
	if !ok {
		l = rate.NewLimiter(checksPerSecond, checksBurst)
		m.tokens[token] = l
	}
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}
