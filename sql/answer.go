package sql

import (
	"context"

	"github.com/galenahq/galena"
)

type answerRow struct {
	Provider     string `db:"provider"`
	Domain       string `db:"domain"`
	Kind         string `db:"kind"`
	Observations string `db:"observations"`
	CostMicros   int64  `db:"cost_micros"`
	FetchedAt    int64  `db:"fetched_at"`
	FreshUntil   int64  `db:"fresh_until"`
	ExpiresAt    int64  `db:"expires_at"`
	Misses       int    `db:"misses"`
}

func (r answerRow) answer() (galena.Answer, error) {
	obs, err := parse[[]galena.Observation](r.Observations)
	return galena.Answer{Provider: r.Provider, Domain: r.Domain, Kind: galena.Kind(r.Kind), Observations: obs,
		CostMicros: r.CostMicros, FetchedAt: at(r.FetchedAt), FreshUntil: at(r.FreshUntil), ExpiresAt: at(r.ExpiresAt),
		Misses: r.Misses}, err
}

// Answer is what the provider last said of the domain, hit or miss, expired or
// not; false when it was never asked. Whoever buys needs the old ones too: the
// next miss in a row is held for longer.
func (s *Store) Answer(ctx context.Context, provider, domain string) (galena.Answer, bool, error) {
	const op = "sql.answer"
	r, err := one[answerRow](ctx, s.reader(), "answer", args{"provider": provider, "domain": domain})
	if missing(err) {
		return galena.Answer{}, false, nil
	}
	if err != nil {
		return galena.Answer{}, false, fault(op, err)
	}
	a, err := r.answer()
	return a, err == nil, fault(op, err)
}

// SaveAnswer writes the call into the ledger and holds its answer, unless the
// call failed: failures are never held.
func (s *Store) SaveAnswer(ctx context.Context, a galena.Answer, call galena.LedgerEntry) error {
	const op = "sql.save_answer"
	obs, err := text(a.Observations)
	if err != nil {
		return fault(op, err)
	}
	id, err := newID()
	if err != nil {
		return fault(op, err)
	}
	return s.inTx(ctx, op, func(tx conn) error {
		_, err := tx.exec(ctx, "insert-call", args{"id": id, "provider": call.Provider, "domain": call.Domain,
			"outcome": call.Outcome, "cost_micros": call.CostMicros, "took_us": call.Took.Microseconds(),
			"called_at": micros(call.At)})
		if err != nil || a.Kind != "" && a.Kind != galena.NotFound {
			return err
		}
		_, err = tx.exec(ctx, "save-answer", args{"provider": a.Provider, "domain": a.Domain, "kind": string(a.Kind),
			"observations": obs, "cost_micros": a.CostMicros, "fetched_at": micros(a.FetchedAt),
			"early_until": micros(a.StaleAt(true)), "fresh_until": micros(a.FreshUntil),
			"expires_at": micros(a.ExpiresAt), "misses": a.Misses})
		return err
	})
}

// SaveProviderState publishes how a provider fares; the newest word stays.
func (s *Store) SaveProviderState(ctx context.Context, p galena.ProviderState) error {
	_, err := s.do(ctx, "sql.save_provider_state", "save-provider-state", args{"provider": p.Provider,
		"breaker": p.Breaker, "paused_until": micros(p.PausedUntil), "pause_reason": string(p.PauseReason),
		"changed_at": micros(p.ChangedAt)})
	return err
}

// ProviderStates reads what was published, by provider.
func (s *Store) ProviderStates(ctx context.Context) ([]galena.ProviderState, error) {
	found, err := list[struct {
		Provider    string `db:"provider"`
		Breaker     string `db:"breaker"`
		PausedUntil int64  `db:"paused_until"`
		PauseReason string `db:"pause_reason"`
		ChangedAt   int64  `db:"changed_at"`
	}](ctx, s.reader(), "provider-states", args{})
	out := make([]galena.ProviderState, len(found))
	for i, r := range found {
		out[i] = galena.ProviderState{Provider: r.Provider, Breaker: r.Breaker, PausedUntil: at(r.PausedUntil),
			PauseReason: galena.Kind(r.PauseReason), ChangedAt: at(r.ChangedAt)}
	}
	return out, fault("sql.provider_states", err)
}
