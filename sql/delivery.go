package sql

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/galenahq/galena"
)

type deliveryRow struct {
	ID       string `json:"id" db:"id"`
	Event    string `json:"event" db:"event"`
	Target   string `json:"target" db:"target"`
	Key      string `json:"key" db:"key"`
	LeadID   string `json:"lead_id" db:"lead_id"`
	Epoch    int    `json:"epoch" db:"epoch"`
	Body     string `json:"body" db:"body"`
	Attempts int    `json:"-" db:"attempts"`
}

// insertDeliveries stores events and returns the steps that will send them. An
// event that a target was told of this epoch already is not told again.
func (s *Store) insertDeliveries(ctx context.Context, tx conn, l galena.Lead, epoch int, told []galena.Delivery) ([]stepRow, error) {
	if len(told) == 0 {
		return nil, nil
	}
	made := make([]deliveryRow, len(told))
	for i, d := range told {
		id, err := orNewID(d.ID)
		if err != nil {
			return nil, err
		}
		made[i] = deliveryRow{ID: id, Event: d.Event, Target: d.Target, Key: d.Key, LeadID: l.ID, Epoch: epoch, Body: string(d.Body)}
		if d.Key == "" {
			made[i].Key = fmt.Sprintf("%s:%s:%d", d.Event, l.ID, epoch)
		}
	}
	param, err := rows(made)
	if err != nil {
		return nil, err
	}
	ids, err := list[string](ctx, tx, "insert-deliveries", args{"rows": param, "now": micros(s.now())})
	out := make([]stepRow, len(ids))
	for i, id := range ids {
		out[i] = stepRow{Kind: galena.StepDeliver, ID: id, LeadID: l.ID, Epoch: epoch, Run: 1, Queue: QueueDeliveries}
	}
	return out, err
}

// Delivery reads one delivery, as it was written with its decision. Attempts
// are those that counted before the current run.
func (s *Store) Delivery(ctx context.Context, id string) (galena.Delivery, error) {
	r, err := one[deliveryRow](ctx, s.reader(), "delivery", args{"id": id})
	return galena.Delivery{ID: r.ID, Event: r.Event, Target: r.Target, Key: r.Key, LeadID: r.LeadID, Epoch: r.Epoch,
		Body: json.RawMessage(r.Body), Attempts: r.Attempts}, fault("sql.delivery", err)
}
