package main

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/notify"
)

// announcer turns what happened to a lead into one delivery per endpoint that
// wants to know.
type announcer struct{ book *rulebook }

// Announce tells of a decision.
func (a announcer) Announce(r galena.Record) ([]galena.Delivery, error) {
	return a.decided(galena.EventRouted, r, func(personal bool) (json.RawMessage, error) {
		return notify.Routed(r.Lead, r.Company, *r.Decision, personal)
	})
}

// Rerouted tells of a decision that gave the lead to somebody else.
func (a announcer) Rerouted(r galena.Record) ([]galena.Delivery, error) {
	return a.decided(galena.EventRerouted, r, func(personal bool) (json.RawMessage, error) {
		return notify.Rerouted(r.Lead, r.Company, *r.Decision, personal)
	})
}

// Breached tells of a clock that ran out. Where the rule moves no lead both clocks
// of an assignment may: the second has a key of its own.
func (a announcer) Breached(l galena.Lead, t galena.Timer, to, page string) ([]galena.Delivery, error) {
	out, err := a.each(galena.EventBreached, l.ID, t.Epoch, func(personal bool) (json.RawMessage, error) {
		return notify.Breached(l, t.Kind, t.Rep, to, page, personal)
	})
	if t.Kind == galena.ClockTouch {
		for i := range out {
			out[i].Key += ":" + string(t.Kind)
		}
	}
	return out, err
}

// Quarantined tells of a lead that waits for a person. One that was released may be
// held once more, for what its domain says of mail: that has a key of its own.
func (a announcer) Quarantined(l galena.Lead) ([]galena.Delivery, error) {
	out, err := a.each(galena.EventQuarantined, l.ID, l.Epoch, func(personal bool) (json.RawMessage, error) {
		return notify.Quarantined(l, personal)
	})
	if slices.Contains(l.Codes, galena.CodeReleased) {
		for i := range out {
			out[i].Key += ":again"
		}
	}
	return out, err
}

// Disputed tells of a conflict on which the decision on a lead hangs. A lead may
// show several, so the key is the conflict's.
func (a announcer) Disputed(l galena.Lead, d galena.Dispute) ([]galena.Delivery, error) {
	out, err := a.each(galena.EventConflict, l.ID, d.Epoch, func(bool) (json.RawMessage, error) { return notify.Disputed(d) })
	for i := range out {
		out[i].Key = galena.EventConflict + ":" + d.ID
	}
	return out, err
}

// decided tells the endpoints of a decision, and lets it be written to the CRM.
func (a announcer) decided(event string, r galena.Record, body func(personal bool) (json.RawMessage, error)) ([]galena.Delivery, error) {
	out, err := a.each(event, r.Lead.ID, r.Decision.Epoch, body)
	if c := a.book.current().rules.CRM; err == nil && c.Chosen() && !a.book.shop.frozen {
		// The body says nothing: what is written is what is known when it is its turn.
		d, err := delivery(event, galena.CRMTarget(c.ID), r.Lead.ID, r.Decision.Epoch, json.RawMessage("{}"))
		return append(out, d), err
	}
	return out, err
}

func (a announcer) each(event, lead string, epoch int, body func(personal bool) (json.RawMessage, error)) ([]galena.Delivery, error) {
	var out []galena.Delivery
	hooks := a.book.current().hooks
	for _, target := range hooks.Targets(event) {
		b, err := body(hooks.Personal(target))
		if err != nil {
			return nil, err
		}
		d, err := delivery(event, target, lead, epoch, b)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func delivery(event, target, lead string, epoch int, body json.RawMessage) (galena.Delivery, error) {
	id, err := uuid.NewV7()
	return galena.Delivery{ID: id.String(), Event: event, Target: target, LeadID: lead, Epoch: epoch,
		Key: deliveryKey(event, lead, epoch), Body: body}, err
}

// deliveryKey is the webhook-id: the same on every try, so that a receiver can
// drop what it has seen.
func deliveryKey(event, lead string, epoch int) string {
	return event + ":" + lead + ":" + strconv.Itoa(epoch)
}

// sender brings deliveries to the endpoints and the CRM in force.
type sender struct{ book *rulebook }

// Send does one try.
func (s sender) Send(ctx context.Context, d galena.Delivery) error {
	set := s.book.current()
	name, ok := galena.CRMOf(d.Target)
	if !ok {
		return set.hooks.Send(ctx, d)
	}
	if set.scribe == nil || set.scribe.target.Name() != name {
		return notify.Unknown(d, s.book.now())
	}
	err := set.scribe.deliver(ctx, d)
	set.hooks.Count(d.Target, err)
	return err
}
