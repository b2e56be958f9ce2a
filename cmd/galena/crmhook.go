package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/intake"
)

// twentyHook takes what Twenty tells of a company or of somebody who is a lead,
// and keeps what a person changed as that person's word. A delivery comes once,
// whatever we answer.
type twentyHook struct {
	store interface {
		Company(ctx context.Context, domain string) (galena.Company, error)
		KnownPerson(ctx context.Context, key string) (bool, error)
		AddObservations(ctx context.Context, obs []galena.Observation) error
	}
	secret string
	config twenty.Config
	now    func() time.Time
	log    *slog.Logger
}

// Edited takes the call of a CRM.
func (a *App) Edited(ctx context.Context, crm string, header http.Header, body []byte) error {
	s := a.env.CRM("twenty")
	if crm != "twenty" || !s["WEBHOOK_SECRET"].Set() {
		return galena.Errorf(galena.NotFound, "crm.hook", "no such CRM calls here")
	}
	h := twentyHook{store: a.store, secret: s["WEBHOOK_SECRET"].Reveal(), now: a.now, log: a.log.With("part", "api"),
		config: twenty.Config{KeyName: s["KEY_NAME"].Reveal(), Mapping: a.book.current().rules.CRM.Mapping}}
	return h.take(ctx, header, body)
}

func (h twentyHook) take(ctx context.Context, header http.Header, body []byte) error {
	if err := twenty.Verify(h.secret, header, body, h.now()); err != nil {
		h.log.WarnContext(ctx, "webhook refused", "crm", "twenty", "error", err)
		return err
	}
	event, err := twenty.ParseEvent(h.config, body)
	switch galena.KindOf(err) {
	case "":
	case galena.NotFound:
		return nil // of another kind of record
	default:
		h.log.WarnContext(ctx, "webhook not understood", "crm", "twenty", "error", err)
		return galena.Errorf(galena.Invalid, "crm.hook", "the delivery is none of Twenty's known forms")
	}
	if event.By != crm.ByPerson {
		return nil
	}
	if event.Object == crm.Person {
		err = h.keepPerson(ctx, event)
	} else {
		err = h.keep(ctx, event)
	}
	if err != nil {
		h.log.ErrorContext(ctx, "a person's edit in the CRM was not kept", "crm", "twenty", "error", err)
	}
	return err
}

// keep stores the values that a person gave a company and that we do not hold
// already: an address is told as a whole though one line of it was changed, and
// the rest may be what we wrote ourselves.
func (h twentyHook) keep(ctx context.Context, e twenty.Event) error {
	if e.Domain == "" {
		return nil
	}
	held, err := h.store.Company(ctx, e.Domain)
	if err != nil && galena.KindOf(err) != galena.NotFound {
		return err
	}
	entity := e.Domain
	if held.Domain != "" {
		entity = held.Domain
	}
	return h.say(ctx, e, entity, held.Facts)
}

// keepPerson stores what is told of somebody who is a lead; of anybody else we
// keep nothing.
func (h twentyHook) keepPerson(ctx context.Context, e twenty.Event) error {
	key, err := intake.CanonicalKey(e.Email)
	if err != nil {
		return nil //nolint:nilerr // without an address nobody is meant
	}
	if known, err := h.store.KnownPerson(ctx, key); err != nil || !known {
		return err
	}
	return h.say(ctx, e, galena.PersonEntity(key), nil)
}

// say appends one observation for each value that is news.
func (h twentyHook) say(ctx context.Context, e twenty.Event, entity string, held galena.Facts) error {
	var words []galena.Observation
	now := h.now()
	for _, edit := range e.Edits {
		field := string(edit.Field)
		fact := held.Get(field)
		if edit.Blank || edit.Field == crm.Domain || fact.State == galena.Known && fact.Value.Equal(edit.Value) {
			continue
		}
		at := e.At
		if at.After(now) {
			at = now
		}
		// The same delivery once more is the same observation.
		name := strings.Join([]string{"twenty", e.ID, field, e.At.Format(time.RFC3339Nano)}, " ")
		words = append(words, galena.Observation{ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String(), Entity: entity, Field: field,
			Value: edit.Value, Source: "human:twenty", Class: galena.ClassHuman, Ref: "twenty:" + string(e.Object) + ":" + e.ID, Method: "edited",
			Confidence: 1, ObservedAt: at, FetchedAt: now})
	}
	if len(words) == 0 {
		return nil
	}
	return h.store.AddObservations(ctx, words)
}
