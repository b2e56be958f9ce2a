package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/twenty"
)

// maxDelivery is the largest webhook that is read: it carries a whole record.
const maxDelivery = 1 << 20

// twentyHook takes what Twenty tells of a company that a person changed, and
// keeps it as that person's word. A delivery comes once, whatever we answer.
type twentyHook struct {
	store interface {
		Company(ctx context.Context, domain string) (galena.Company, error)
		AddObservations(ctx context.Context, obs []galena.Observation) error
	}
	secret string
	config twenty.Config
	now    func() time.Time
	log    *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h twentyHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err := twenty.Verify(h.secret, r.Header, body, h.now()); err != nil {
		h.log.WarnContext(r.Context(), "webhook refused", "crm", "twenty", "error", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	event, err := twenty.ParseEvent(h.config, body)
	if galena.KindOf(err) == galena.Malformed {
		h.log.WarnContext(r.Context(), "webhook not understood", "crm", "twenty", "error", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if err == nil {
		err = h.keep(r.Context(), event)
	}
	if err != nil && galena.KindOf(err) != galena.NotFound {
		h.log.ErrorContext(r.Context(), "a person's edit in the CRM was not kept", "crm", "twenty", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// keep stores the values that a person gave a company and that we do not hold
// already: an address is told as a whole though one line of it was changed, and
// the rest may be what we wrote ourselves.
func (h twentyHook) keep(ctx context.Context, e twenty.Event) error {
	if e.Object != crm.Company || e.By != crm.ByPerson || e.Domain == "" {
		return nil
	}
	held, err := h.store.Company(ctx, e.Domain)
	if err != nil && galena.KindOf(err) != galena.NotFound {
		return err
	}
	entity, now := e.Domain, h.now()
	if held.Domain != "" {
		entity = held.Domain
	}
	var words []galena.Observation
	for _, edit := range e.Edits {
		field := string(edit.Field)
		fact := held.Facts.Get(field)
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
			Value: edit.Value, Source: "human:twenty", Class: galena.ClassHuman, Ref: "twenty:company:" + e.ID, Method: "edited",
			Confidence: 1, ObservedAt: at, FetchedAt: now})
	}
	if len(words) == 0 {
		return nil
	}
	return h.store.AddObservations(ctx, words)
}
