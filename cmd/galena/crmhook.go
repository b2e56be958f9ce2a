package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/intake"
)

// saidInTwenty is the source of what a person changed there.
const saidInTwenty = "human:twenty"

// twentyHook takes what Twenty tells of a company or of somebody who is a lead,
// and keeps what a person changed as that person's word. A delivery comes once,
// whatever we answer.
type twentyHook struct {
	store interface {
		Company(ctx context.Context, domain string) (galena.Company, error)
		KnownPerson(ctx context.Context, key string) (bool, error)
		CompanyMemory(ctx context.Context, domain string) (galena.Memory, error)
		CRMFields(ctx context.Context, r galena.CRMRecord) ([]galena.CRMField, error)
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
	rules := a.book.current().rules.CRM
	h := twentyHook{store: a.store, secret: s["WEBHOOK_SECRET"].Reveal(), now: a.now, log: a.log.With("part", "api"),
		config: twenty.Config{Name: rules.ID, KeyName: s["KEY_NAME"].Reveal(), Mapping: rules.Mapping}}
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
	shown, err := h.shown(ctx, e)
	if err != nil {
		return err
	}
	var words []galena.Observation
	now := h.now()
	for _, edit := range e.Edits {
		field := string(edit.Field)
		fact := held.Get(field)
		value := edit.Word(fact.Value, shown[field])
		if edit.Blank || edit.Field == crm.Domain || fact.State == galena.Known && fact.Value.Equal(value) {
			continue
		}
		at := e.At
		if at.After(now) {
			at = now
		}
		// The same delivery once more is the same observation.
		name := strings.Join([]string{"twenty", e.ID, field, e.At.Format(time.RFC3339Nano)}, " ")
		words = append(words, galena.Observation{ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String(), Entity: entity, Field: field,
			Value: value, Source: saidInTwenty, Class: galena.ClassHuman, Ref: "twenty:" + string(e.Object) + ":" + e.ID, Method: "edited",
			Confidence: 1, ObservedAt: at, FetchedAt: now})
	}
	if len(words) == 0 {
		return nil
	}
	return h.store.AddObservations(ctx, words)
}

// shown is what stood in the lists of a record before it was edited: what we wrote
// last, and what was left in them by the last edit that we know of.
func (h twentyHook) shown(ctx context.Context, e twenty.Event) (map[string]twenty.Shown, error) {
	out := map[string]twenty.Shown{}
	if e.Domain == "" || !slices.ContainsFunc(e.Edits, func(x twenty.Edit) bool { return x.Value.Type == galena.TypeSet && !x.Blank }) {
		return out, nil
	}
	fields, err := h.store.CRMFields(ctx, galena.CRMRecord{CRM: h.config.Name, Object: string(e.Object), ID: e.ID})
	if err != nil {
		return nil, err
	}
	memory, err := h.store.CompanyMemory(ctx, e.Domain)
	for _, f := range fields {
		if !f.Reverted {
			out[f.Field] = twenty.Shown{Wrote: f.Norm}
		}
	}
	for _, o := range memory.Observations { // the latest comes last
		if o.Source == saidInTwenty && o.Value.Type == galena.TypeSet && o.ObservedAt.Before(e.At) {
			s := out[o.Field]
			s.Left = cmp.Or(o.Value.Raw, o.Value.String())
			out[o.Field] = s
		}
	}
	return out, err
}
