package sql

import (
	"context"
	"encoding/json"
	"time"

	"github.com/galenahq/galena"
)

const (
	claimsKept  = 10 * time.Minute    // of claims that ended: nobody waits for them any more
	budgetsKept = 35 * 24 * time.Hour // of past days
	dayLayout   = "2006-01-02"
)

// question is one that a vendor may have answered.
type question struct {
	Provider string `db:"provider" json:"provider"`
	Domain   string `db:"domain" json:"domain"`
}

// reply is the last answer to it, and the last claim to ask it.
type reply struct {
	answer galena.Answer
	held   bool
	claim  galena.CallClaim
}

// Answer is what the provider last said of the domain, hit or miss, expired or
// not (held says whether it ever said anything), and the last claim to ask it.
// Whoever buys needs the old answers too: the next miss in a row is held longer.
func (s *Store) Answer(ctx context.Context, provider, domain string) (a galena.Answer, held bool, c galena.CallClaim, err error) {
	r, err := s.answers.do(ctx, question{provider, domain})
	return r.answer, r.held, r.claim, fault("sql.answer", err)
}

// answer reads the answers to the questions of a group.
func (s *Store) answer(ctx context.Context, all []question) ([]outcome[reply], error) {
	const op = "sql.answer"
	a, err := table(s.reader(), all)
	if err != nil {
		return nil, fault(op, err)
	}
	found, err := list[struct {
		answerRow
		Held       bool   `db:"held"`
		Token      string `db:"token"`
		LeaseUntil int64  `db:"lease_until"`
		EndedAt    int64  `db:"ended_at"`
		Failure    string `db:"failure"`
		Cause      string `db:"cause"`
		RetryUS    int64  `db:"retry_us"`
		PendingAt  int64  `db:"pending_at"`
		Polled     bool   `db:"polled"`
	}](ctx, s.reader(), "answers", a)
	if err != nil {
		return nil, fault(op, err)
	}
	replies := map[question]reply{}
	for _, r := range found {
		p := reply{held: r.Held, claim: galena.CallClaim{Provider: r.Provider, Domain: r.Domain, Token: r.Token, Until: at(r.LeaseUntil),
			Open: r.Token != "" && r.EndedAt == 0, Kind: galena.Kind(r.Failure), Cause: r.Cause,
			RetryAfter: time.Duration(r.RetryUS) * time.Microsecond, PendingAt: at(r.PendingAt), Polled: r.Polled, EndedAt: at(r.EndedAt)}}
		if r.Held {
			if p.answer, err = r.answer(); err != nil {
				return nil, fault(op, err)
			}
		}
		replies[question{r.Provider, r.Domain}] = p
	}
	return each(all, replies), nil
}

// ClaimCall asks for the claim after the one that was seen, and reserves its price in
// all of its budgets, or does neither. What those left behind who died is freed
// first where it stands in the way.
func (s *Store) ClaimCall(ctx context.Context, c, seen galena.CallClaim) (galena.Grant, error) {
	const op = "sql.claim"
	if seen.Open {
		if _, err := s.freeClaims(ctx); err != nil {
			return galena.Grant{}, err
		}
	}
	a, err := claimArgs(c, seen)
	if err != nil {
		return galena.Grant{}, fault(op, err)
	}
	for freed := false; ; {
		g, err := s.claim(ctx, op, a)
		if err != nil || g.Granted {
			return g, err
		}
		began, short := true, false
		for _, b := range c.Budgets {
			spent, ok := g.SpentMicros[b.Scope]
			began, short = began && ok, short || spent+c.ReservedMicros > b.LimitMicros
		}
		switch {
		case !began:
			if _, err := s.do(ctx, op, "open-budgets", args{"day": c.Day, "budgets": a["budgets"]}); err != nil {
				return galena.Grant{}, err
			}
		case short && !freed:
			freed = true
			if n, err := s.freeClaims(ctx); err != nil || n == 0 {
				return g, err
			}
		default:
			return g, nil
		}
	}
}

func claimArgs(c, seen galena.CallClaim) (args, error) {
	type budget struct {
		Scope       string `json:"scope"`
		LimitMicros int64  `json:"limit_micros"`
	}
	budgets := make([]budget, len(c.Budgets))
	for i, b := range c.Budgets {
		budgets[i] = budget(b)
	}
	list, err := rows(budgets)
	if err != nil {
		return nil, err
	}
	scopes, err := scopesOf(c)
	return args{"provider": c.Provider, "domain": c.Domain, "token": c.Token, "seen": seen.Token, "day": c.Day,
		"budgets": list, "scopes": scopes, "reserved": c.ReservedMicros, "lease_until": micros(c.Until)}, err
}

func scopesOf(c galena.CallClaim) (string, error) {
	scopes := make([]string, len(c.Budgets))
	for i, b := range c.Budgets {
		scopes[i] = b.Scope
	}
	return rows(scopes)
}

func (s *Store) claim(ctx context.Context, op string, a args) (g galena.Grant, err error) {
	found, err := whole[struct {
		Granted bool   `db:"granted"`
		Spent   string `db:"spent"`
	}](ctx, s, op, "claim", a)
	if err != nil {
		return g, err
	}
	g.Granted = found[0].Granted
	return g, fault(op, json.Unmarshal([]byte(found[0].Spent), &g.SpentMicros))
}

// freeClaims ends the claims of the dead and says how many there were.
func (s *Store) freeClaims(ctx context.Context) (int, error) {
	freed, err := whole[string](ctx, s, "sql.free_claims", "free-claims", args{"now": micros(s.now())})
	return len(freed), err
}

// AwaitCall keeps a claim open whose provider said "later": until it calls, or until
// it is to be asked again. One that ended meanwhile stays ended.
func (s *Store) AwaitCall(ctx context.Context, c galena.CallClaim) error {
	_, err := s.do(ctx, "sql.await", "await-claim", args{"provider": c.Provider, "domain": c.Domain, "token": c.Token,
		"pending_at": micros(c.PendingAt), "polled": c.Polled, "until": micros(c.Until)})
	return err
}

// Awaited is the claim that a provider calls back with, open or ended; NotFound
// when it never was, or is long over.
func (s *Store) Awaited(ctx context.Context, provider, token string) (galena.CallClaim, error) {
	const op = "sql.awaited"
	r, err := one[struct {
		Domain     string `db:"domain"`
		Day        string `db:"day"`
		Scopes     string `db:"scopes"`
		LeaseUntil int64  `db:"lease_until"`
		EndedAt    int64  `db:"ended_at"`
		PendingAt  int64  `db:"pending_at"`
		Polled     bool   `db:"polled"`
	}](ctx, s.reader(), "claim-of-token", args{"provider": provider, "token": token})
	if err != nil {
		return galena.CallClaim{}, fault(op, err)
	}
	scopes, err := parse[[]string](r.Scopes)
	c := galena.CallClaim{Provider: provider, Domain: r.Domain, Token: token, Day: r.Day, Until: at(r.LeaseUntil),
		Open: r.EndedAt == 0, EndedAt: at(r.EndedAt), PendingAt: at(r.PendingAt), Polled: r.Polled}
	for _, scope := range scopes {
		c.Budgets = append(c.Budgets, galena.Budget{Scope: scope})
	}
	return c, fault(op, err)
}

// FreeCalls ends the claims whose time is over.
func (s *Store) FreeCalls(ctx context.Context) error {
	_, err := s.freeClaims(ctx)
	return err
}

// SettleCall ends a claim: its call is in the ledger, its answer is held, and what
// the call did not cost is free again. A claim that had freed itself costs its
// budgets what the call cost all the same.
func (s *Store) SettleCall(ctx context.Context, t galena.Settlement) error {
	const op = "sql.settle"
	obs, err := text(t.Answer.Observations)
	if err != nil {
		return fault(op, err)
	}
	scopes, err := scopesOf(t.Claim)
	if err != nil {
		return fault(op, err)
	}
	id, err := newID()
	if err != nil {
		return fault(op, err)
	}
	c, a, call := t.Claim, t.Answer, galena.LedgerEntry{}
	if t.Call != nil {
		call = *t.Call
	}
	_, err = whole[string](ctx, s, op, "settle", args{
		"provider": c.Provider, "domain": c.Domain, "token": c.Token, "day": c.Day, "scopes": scopes, "now": micros(s.now()),
		"failure": string(c.Kind), "cause": c.Cause, "retry_us": c.RetryAfter.Microseconds(),
		"awaited": t.Awaited, "called": t.Call != nil, "id": id, "outcome": call.Outcome, "cost_micros": call.CostMicros,
		"took_us": call.Took.Microseconds(), "called_at": micros(call.At),
		"holds": t.Call != nil && (a.Kind == "" || a.Kind == galena.NotFound),
		"kind":  string(a.Kind), "observations": obs, "answer_micros": a.CostMicros, "fetched_at": micros(a.FetchedAt),
		"early_until": micros(a.StaleAt(true)), "fresh_until": micros(a.FreshUntil), "expires_at": micros(a.ExpiresAt),
		"misses": a.Misses})
	return err
}

// SaveAnswer writes a call that nobody claimed into the ledger and holds its
// answer, unless the call failed: failures are never held.
func (s *Store) SaveAnswer(ctx context.Context, a galena.Answer, call galena.LedgerEntry) error {
	return s.SettleCall(ctx, galena.Settlement{Claim: galena.CallClaim{Provider: a.Provider, Domain: a.Domain}, Call: &call, Answer: a})
}

// Spent is what is spent of each budget on a day, reservations included.
func (s *Store) Spent(ctx context.Context, day string) (map[string]int64, error) {
	found, err := list[struct {
		Scope string `db:"scope"`
		Spent int64  `db:"spent_micros"`
	}](ctx, s.reader(), "budgets", args{"day": day})
	out := make(map[string]int64, len(found))
	for _, r := range found {
		out[r.Scope] = r.Spent
	}
	return out, fault("sql.spent", err)
}

// tidyClaims frees what nobody came to free, and forgets what is over.
func (s *Store) tidyClaims(ctx context.Context, now time.Time) error {
	const op = "sql.tidy"
	if _, err := s.freeClaims(ctx); err != nil {
		return err
	}
	if _, err := s.do(ctx, op, "forget-claims", args{"stale": micros(now.Add(-claimsKept))}); err != nil {
		return err
	}
	_, err := s.do(ctx, op, "forget-budgets", args{"stale": now.Add(-budgetsKept).UTC().Format(dayLayout)})
	return err
}
