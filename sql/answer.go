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
	obs, err := galena.ReadAnswer(r.Observations)
	return galena.Answer{Provider: r.Provider, Domain: r.Domain, Kind: galena.Kind(r.Kind), Observations: obs,
		CostMicros: r.CostMicros, FetchedAt: at(r.FetchedAt), FreshUntil: at(r.FreshUntil), ExpiresAt: at(r.ExpiresAt),
		Misses: r.Misses}, err
}

// SaveProviderState publishes how a provider fares; the newest word stays.
func (s *Store) SaveProviderState(ctx context.Context, p galena.ProviderState) error {
	_, err := s.do(ctx, "sql.save_provider_state", "save-provider-state", args{"provider": p.Provider,
		"breaker": p.Breaker, "breaker_only": p.BreakerOnly, "paused_until": micros(p.PausedUntil), "pause_reason": string(p.PauseReason),
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
