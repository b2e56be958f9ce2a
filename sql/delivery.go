package sql

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"

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
	At       int64  `json:"-" db:"created_at"`
}

// tidings is what must be told of a lead's epoch.
type tidings struct {
	lead  string
	epoch int
	told  []galena.Delivery
}

// insertDeliveries stores events and returns the steps that will send them. An
// event that a target was told of this epoch already is not told again.
func (s *Store) insertDeliveries(ctx context.Context, tx conn, of ...tidings) ([]stepRow, error) {
	n := 0
	for _, t := range of {
		n += len(t.told)
	}
	now := s.now()
	made, written := make([]deliveryRow, 0, n), make(map[string]galena.Delivery, n)
	for _, t := range of {
		for _, d := range t.told {
			var err error
			if d.ID, err = orNewID(d.ID); err != nil {
				return nil, err
			}
			if d.Key == "" {
				d.Key = d.Event + ":" + t.lead + ":" + strconv.Itoa(t.epoch)
			}
			d.LeadID, d.Epoch, d.Attempts, d.At = t.lead, t.epoch, 0, at(micros(now))
			written[d.ID] = d
			made = append(made, deliveryRow{ID: d.ID, Event: d.Event, Target: d.Target, Key: d.Key, LeadID: t.lead, Epoch: t.epoch, Body: string(d.Body)})
		}
	}
	if len(made) == 0 {
		return nil, nil
	}
	a, err := table(tx, made)
	if err != nil {
		return nil, err
	}
	a["now"] = micros(now)
	fresh, err := list[deliveryRow](ctx, tx, "insert-deliveries", a)
	out := make([]stepRow, len(fresh))
	for i, d := range fresh {
		tx.after(func() { s.bag.put(written[d.ID]) })
		out[i] = stepRow{Kind: galena.StepDeliver, ID: d.ID, LeadID: d.LeadID, Epoch: d.Epoch, Run: 1, Queue: QueueDeliveries}
	}
	return out, err
}

// bagMost bounds the deliveries that are remembered: a few megabytes.
const bagMost = 1 << 10

// bag remembers the deliveries that this process has written and nobody has read:
// most are sent by the process that decided, a moment later, and need not be read
// for it. Each is given out once, for the first try; what is forgotten is read.
type bag struct {
	mu   sync.Mutex
	held map[string]galena.Delivery
}

func (b *bag) put(d galena.Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil || len(b.held) >= bagMost {
		b.held = map[string]galena.Delivery{}
	}
	b.held[d.ID] = d
}

func (b *bag) take(id string) (galena.Delivery, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.held[id]
	delete(b.held, id)
	return d, ok
}

func (r deliveryRow) delivery() galena.Delivery {
	return galena.Delivery{ID: r.ID, Event: r.Event, Target: r.Target, Key: r.Key, LeadID: r.LeadID, Epoch: r.Epoch,
		Body: json.RawMessage(r.Body), Attempts: r.Attempts, At: at(r.At)}
}

// Delivery reads one delivery, as it was written with its decision. Attempts
// are those that counted before the current run.
func (s *Store) Delivery(ctx context.Context, id string) (galena.Delivery, error) {
	if d, ok := s.bag.take(id); ok {
		return d, nil
	}
	d, err := s.mail.do(ctx, id)
	return d, fault("sql.delivery", err)
}

// deliveries reads those of a group.
func (s *Store) deliveries(ctx context.Context, ids []string) ([]outcome[galena.Delivery], error) {
	found, err := within[deliveryRow](ctx, s, "deliveries", map[string][]string{"ids": ids})
	if err != nil {
		return nil, fault("sql.delivery", err)
	}
	byID := map[string]galena.Delivery{}
	for _, r := range found {
		byID[r.ID] = r.delivery()
	}
	return each(ids, byID), nil
}
