package sql

import (
	"context"
	"encoding/json"
	"slices"
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
	a, err := table(s.keyed(), all)
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
	}](ctx, s.keyed(), "answers", a)
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
	for freed := false; ; {
		g, err := s.claimings.do(ctx, asking{c, seen.Token})
		if err != nil || g.Granted || g.Late {
			return g, fault(op, err)
		}
		began, short := true, false
		for _, b := range c.Budgets {
			spent, ok := g.SpentMicros[b.Scope]
			began, short = began && ok, short || spent+c.ReservedMicros > b.LimitMicros
		}
		switch {
		case !began:
			if err := s.openBudgets(ctx, c); err != nil {
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

// openBudgets begins the day of a claim's budgets.
func (s *Store) openBudgets(ctx context.Context, c galena.CallClaim) error {
	const op = "sql.claim"
	budgets, err := budgetsOf(c)
	if err != nil {
		return fault(op, err)
	}
	_, err = s.do(ctx, op, "open-budgets", args{"day": c.Day, "budgets": budgets})
	return err
}

func budgetsOf(c galena.CallClaim) (string, error) {
	type budget struct {
		Scope       string `json:"scope"`
		LimitMicros int64  `json:"limit_micros"`
	}
	budgets := make([]budget, len(c.Budgets))
	for i, b := range c.Budgets {
		budgets[i] = budget(b)
	}
	return rows(budgets)
}

func claimArgs(x asking) (args, error) {
	c := x.claim
	budgets, err := budgetsOf(c)
	if err != nil {
		return nil, err
	}
	scopes, err := scopesOf(c)
	return args{"provider": c.Provider, "domain": c.Domain, "token": c.Token, "seen": x.seen, "day": c.Day,
		"budgets": budgets, "scopes": scopes, "reserved": c.ReservedMicros, "lease_until": micros(c.Until)}, err
}

func scopesOf(c galena.CallClaim) (string, error) {
	scopes := make([]string, len(c.Budgets))
	for i, b := range c.Budgets {
		scopes[i] = b.Scope
	}
	return rows(scopes)
}

// asking is one who asks for a claim.
type asking struct {
	claim galena.CallClaim
	seen  string // the token of the claim before
}

// claims grants the claims of a group. Where all fit into their budgets one
// statement reserves for all; else each asks by itself, in the order of arrival,
// so that what is left goes as far as it goes.
func (s *Store) claims(ctx context.Context, all []asking) ([]outcome[galena.Grant], error) {
	if len(all) > 1 && distinct(all, func(a asking) question { return question{a.claim.Provider, a.claim.Domain} }) {
		if out, err := s.claimMany(ctx, all); err != nil || out != nil {
			return out, err
		}
	}
	out := make([]outcome[galena.Grant], len(all))
	for i, a := range all {
		out[i].value, out[i].err = s.claim(ctx, a)
		if galena.KindOf(out[i].err) == galena.Unavailable {
			return nil, out[i].err
		}
	}
	return out, nil
}

// distinct says that no two members are about the same.
func distinct[T any, K comparable](all []T, key func(T) K) bool {
	seen := make(map[K]bool, len(all))
	for _, x := range all {
		seen[key(x)] = true
	}
	return len(seen) == len(all)
}

type askRow struct {
	Provider   string `db:"provider" json:"provider"`
	Domain     string `db:"domain" json:"domain"`
	Token      string `db:"token" json:"token"`
	Seen       string `db:"seen" json:"seen"`
	Day        string `db:"day" json:"day"`
	Scopes     string `db:"scopes" json:"scopes"`
	Reserved   int64  `db:"reserved" json:"reserved"`
	LeaseUntil int64  `db:"lease_until" json:"lease_until"`
}

// want is what several claims come to in one budget.
type want struct {
	Scope       string `json:"scope"`
	Day         string `json:"day"`
	LimitMicros int64  `json:"limit_micros"`
	Micros      int64  `json:"micros"`
}

// claimMany grants all that fit together; nil when they do not.
func (s *Store) claimMany(ctx context.Context, all []asking) ([]outcome[galena.Grant], error) {
	const op = "sql.claim"
	list := make([]askRow, len(all))
	var wants []want
	for i, a := range all {
		c := a.claim
		scopes, err := scopesOf(c)
		if err != nil {
			return nil, fault(op, err)
		}
		list[i] = askRow{c.Provider, c.Domain, c.Token, a.seen, c.Day, scopes, c.ReservedMicros, micros(c.Until)}
		wants = addWants(wants, c)
	}
	a, err := table(s.writer(), list)
	if err != nil {
		return nil, fault(op, err)
	}
	if a["wants"], err = rows(wants); err != nil {
		return nil, fault(op, err)
	}
	found, err := whole[struct {
		Token   string `db:"token"`
		Granted bool   `db:"granted"`
	}](ctx, s, op, "claim-many", a)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	granted := map[string]bool{}
	for _, r := range found {
		granted[r.Token] = r.Granted
	}
	out := make([]outcome[galena.Grant], len(all))
	for i, x := range all {
		out[i].value = galena.Grant{Granted: granted[x.claim.Token], Late: !granted[x.claim.Token]}
	}
	return out, nil
}

// addWants adds what a claim wants of its budgets. Of two limits the lower counts.
func addWants(wants []want, c galena.CallClaim) []want {
	if wants == nil {
		wants = []want{} // an empty list, not null
	}
	for _, b := range c.Budgets {
		i := slices.IndexFunc(wants, func(w want) bool { return w.Scope == b.Scope && w.Day == c.Day })
		if i < 0 {
			i, wants = len(wants), append(wants, want{Scope: b.Scope, Day: c.Day, LimitMicros: b.LimitMicros})
		}
		wants[i].Micros += c.ReservedMicros
		wants[i].LimitMicros = min(wants[i].LimitMicros, b.LimitMicros)
	}
	return wants
}

// claim grants one claim, or says what is spent of its budgets.
func (s *Store) claim(ctx context.Context, x asking) (g galena.Grant, err error) {
	const op = "sql.claim"
	a, err := claimArgs(x)
	if err != nil {
		return g, fault(op, err)
	}
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
	row, err := settlement(t)
	if err != nil {
		return fault("sql.settle", err)
	}
	_, err = s.settlings.do(ctx, row)
	return fault("sql.settle", err)
}

// settleRow is a call that has ended.
type settleRow struct {
	Provider     string `db:"provider" json:"provider"`
	Domain       string `db:"domain" json:"domain"`
	Token        string `db:"token" json:"token"`
	Day          string `db:"day" json:"day"`
	Scopes       string `db:"scopes" json:"scopes"`
	Failure      string `db:"failure" json:"failure"`
	Cause        string `db:"cause" json:"cause"`
	RetryUS      int64  `db:"retry_us" json:"retry_us"`
	Awaited      bool   `db:"awaited" json:"awaited"`
	Called       bool   `db:"called" json:"called"`
	ID           string `db:"id" json:"id"`
	Outcome      string `db:"outcome" json:"outcome"`
	CostMicros   int64  `db:"cost_micros" json:"cost_micros"`
	TookUS       int64  `db:"took_us" json:"took_us"`
	CalledAt     int64  `db:"called_at" json:"called_at"`
	Holds        bool   `db:"holds" json:"holds"`
	Kind         string `db:"kind" json:"kind"`
	Observations string `db:"observations" json:"observations"`
	AnswerMicros int64  `db:"answer_micros" json:"answer_micros"`
	FetchedAt    int64  `db:"fetched_at" json:"fetched_at"`
	EarlyUntil   int64  `db:"early_until" json:"early_until"`
	FreshUntil   int64  `db:"fresh_until" json:"fresh_until"`
	ExpiresAt    int64  `db:"expires_at" json:"expires_at"`
	Misses       int    `db:"misses" json:"misses"`
}

func settlement(t galena.Settlement) (r settleRow, err error) {
	c, a, call := t.Claim, t.Answer, galena.LedgerEntry{}
	if t.Call != nil {
		call = *t.Call
	}
	r = settleRow{Provider: c.Provider, Domain: c.Domain, Token: c.Token, Day: c.Day,
		Failure: string(c.Kind), Cause: c.Cause, RetryUS: c.RetryAfter.Microseconds(),
		Awaited: t.Awaited, Called: t.Call != nil, Outcome: call.Outcome, CostMicros: call.CostMicros,
		TookUS: call.Took.Microseconds(), CalledAt: micros(call.At),
		Holds: t.Call != nil && (a.Kind == "" || a.Kind == galena.NotFound),
		Kind:  string(a.Kind), AnswerMicros: a.CostMicros, FetchedAt: micros(a.FetchedAt),
		EarlyUntil: micros(a.StaleAt(true)), FreshUntil: micros(a.FreshUntil), ExpiresAt: micros(a.ExpiresAt),
		Misses: a.Misses}
	r.Observations = "null"
	if a.Observations != nil {
		if r.Observations, err = answered(galena.Refs(a.Observations)); err != nil {
			return r, err
		}
	}
	if r.Scopes, err = scopesOf(c); err != nil {
		return r, err
	}
	r.ID, err = newID()
	return r, err
}

// settle ends the calls of a group. Two of one provider and domain cannot share a
// statement, so each of such a group goes by itself.
func (s *Store) settle(ctx context.Context, all []settleRow) ([]outcome[struct{}], error) {
	out := make([]outcome[struct{}], len(all))
	if distinct(all, func(r settleRow) question { return question{r.Provider, r.Domain} }) {
		return out, s.settleRows(ctx, all)
	}
	for i := range all {
		out[i].err = s.settleRows(ctx, all[i:i+1])
	}
	return out, nil
}

func (s *Store) settleRows(ctx context.Context, some []settleRow) error {
	const op = "sql.settle"
	a, err := table(s.writer(), some)
	if err != nil {
		return fault(op, err)
	}
	a["now"] = micros(s.now())
	_, err = whole[string](ctx, s, op, "settle", a)
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
