package sql

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// keysKept is how long an idempotency key is answered as the first time.
const keysKept = 24 * time.Hour

// Accept stores a submission in one transaction: the caller's key first, then
// the repeat by content, then the lead with what the form said, its events and
// its step. What it returns may be told to the caller as accepted.
//
// Parallel posts meet at a primary key: of the idempotency row, or of the row
// of their person and form. The later ones wait for the first commit and then
// read its answer. Keys come before persons in every transaction, each in their
// order, so that no two wait for each other. A key that came with another body
// is Invalid with Op "idempotency". Submissions that come at the same time share
// the transaction.
func (s *Store) Accept(ctx context.Context, in galena.Intake) (galena.Receipt, error) {
	const op = "sql.accept"
	in, err := s.complete(in)
	if err != nil {
		return galena.Receipt{}, fault(op, err)
	}
	r, err := s.intakes.do(ctx, &in)
	return r, fault(op, err)
}

// accept writes the submissions of a group: first those that are the first of
// their key and person, then the repeats, which find the leads of the others,
// then the replays, which find their answers. Where nobody knows whether that was
// committed it is done again: who was stored is found by his key, or as the first
// lead of his person.
func (s *Store) accept(ctx context.Context, all []*galena.Intake) (out []outcome[galena.Receipt], err error) {
	harmless := !slices.ContainsFunc(all, func(in *galena.Intake) bool {
		return in.Idempotency == nil && !in.Forget && (in.Lead.Key == "" || in.RepeatWithin <= 0)
	})
	err = s.inTxUntil(ctx, "sql.accept", harmless, func(tx conn) error {
		out = make([]outcome[galena.Receipt], len(all))
		for i, in := range all {
			out[i].value = receipt(in)
		}
		fresh, replays, err := s.claimKeys(ctx, tx, all, out)
		if err != nil {
			return err
		}
		var w words // asked on the way to the persons
		if err := s.words(ctx, tx, &w, pick(all, fresh)); err != nil {
			return err
		}
		first, later, err := s.claimPersons(ctx, tx, all, fresh)
		if err != nil {
			return err
		}
		if err := s.insertLeads(ctx, tx, &w, pick(all, first)); err != nil {
			return err
		}
		for _, i := range later {
			if out[i].value, err = s.acceptLater(ctx, tx, &w, all[i], out[i].value); err != nil {
				return err
			}
		}
		for _, i := range replays {
			if out[i], err = s.replay(ctx, tx, all[i].Idempotency); err != nil {
				return err
			}
		}
		return s.outdate(ctx, tx, w.outdone) // the last, for it locks what others may wait for
	})
	return out, err
}

// pick is the submissions of those places.
func pick(all []*galena.Intake, places []int) []*galena.Intake {
	out := make([]*galena.Intake, len(places))
	for i, place := range places {
		out[i] = all[place]
	}
	return out
}

// complete fills in what the gate may leave to us.
func (s *Store) complete(in galena.Intake) (galena.Intake, error) {
	var err error
	if in.Lead.ID, err = orNewID(in.Lead.ID); err != nil {
		return in, err
	}
	if in.Lead.Status == "" {
		in.Lead.Status = galena.StatusAccepted
	}
	in.Lead.Epoch = max(in.Lead.Epoch, 1)
	in.Lead.Key, in.Lead.Form = storable(in.Lead.Key), storable(in.Lead.Form) // claimPersons finds them again
	if in.Lead.CreatedAt.IsZero() {
		in.Lead.CreatedAt = s.now()
	}
	return in, nil
}

func receipt(in *galena.Intake) galena.Receipt {
	r := galena.Receipt{ID: in.Lead.ID, ExternalID: in.Lead.ExternalID, Status: in.Lead.Status, Warnings: in.Warnings}
	if in.Forget {
		r.Status = galena.StatusAccepted
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	return r
}

type keyRow struct {
	Token    string `db:"token" json:"token"`
	Key      string `db:"key" json:"key"`
	BodyHash string `db:"body_hash" json:"body_hash"`
	Receipt  string `db:"receipt" json:"receipt"`
}

// claimKeys takes the callers' keys, each with the answer that is right unless
// the submission turns out to be a repeat, and sorts the places of a group: who
// goes on, and whose key was used before. What is to be forgotten ends here.
func (s *Store) claimKeys(ctx context.Context, tx conn, all []*galena.Intake, out []outcome[galena.Receipt]) (fresh, replays []int, err error) {
	first := map[[2]string]int{}
	for i, in := range all {
		if k := in.Idempotency; k != nil {
			if _, taken := first[[2]string{k.Token, k.Key}]; !taken {
				first[[2]string{k.Token, k.Key}] = i
			}
		}
	}
	claimed, err := s.takeKeys(ctx, tx, first, all, out)
	if err != nil {
		return nil, nil, err
	}
	for i, in := range all {
		k := in.Idempotency
		switch {
		case k != nil && (first[[2]string{k.Token, k.Key}] != i || !claimed[[2]string{k.Token, k.Key}]):
			replays = append(replays, i)
		case !in.Forget:
			fresh = append(fresh, i)
		}
	}
	return fresh, replays, nil
}

func (s *Store) takeKeys(ctx context.Context, tx conn, first map[[2]string]int, all []*galena.Intake, out []outcome[galena.Receipt]) (map[[2]string]bool, error) {
	claimed := map[[2]string]bool{}
	if len(first) == 0 {
		return claimed, nil
	}
	wanted := make([]keyRow, 0, len(first))
	for _, i := range first {
		answer, err := text(out[i].value)
		if err != nil {
			return nil, err
		}
		k := all[i].Idempotency
		wanted = append(wanted, keyRow{k.Token, k.Key, key(k.BodyHash), answer})
	}
	slices.SortFunc(wanted, func(a, b keyRow) int { return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Key, b.Key)) })
	a, err := table(tx, wanted)
	if err != nil {
		return nil, err
	}
	a["now"], a["stale"] = micros(s.now()), micros(s.now().Add(-keysKept))
	ours, err := list[keyRow](ctx, tx, "claim-keys", a)
	for _, k := range ours {
		claimed[[2]string{k.Token, k.Key}] = true
	}
	return claimed, err
}

// replay answers a key that was used before.
func (s *Store) replay(ctx context.Context, tx conn, k *galena.Idempotency) (out outcome[galena.Receipt], err error) {
	before, err := one[keyRow](ctx, tx, "key-answer", args{"token": k.Token, "key": k.Key})
	if err != nil {
		return out, err
	}
	if before.BodyHash != key(k.BodyHash) {
		out.err = galena.Errorf(galena.Invalid, "idempotency", "the key was used with another body")
		return out, nil
	}
	out.value, err = parse[galena.Receipt](before.Receipt)
	return out, err
}

func setKeyAnswer(ctx context.Context, tx conn, k *galena.Idempotency, out galena.Receipt) error {
	if k == nil {
		return nil
	}
	answer, err := text(out)
	if err != nil {
		return err
	}
	return tx.later(ctx, "set-key-answer", args{"token": k.Token, "key": k.Key, "receipt": answer}, nil)
}

type personRow struct {
	Key       string `db:"email_key" json:"email_key"`
	Form      string `db:"form" json:"form"`
	LeadID    string `db:"lead_id" json:"lead_id"`
	CreatedAt int64  `db:"created_at" json:"created_at"`
}

// claimPersons makes leads the first of their person and form, and says which
// they are. Who is not, or comes in the same group as another of the same
// person, is later.
func (s *Store) claimPersons(ctx context.Context, tx conn, all []*galena.Intake, fresh []int) (first, later []int, err error) {
	place := map[[2]string]int{}
	var wanted []personRow
	for _, i := range fresh {
		l := all[i].Lead
		_, taken := place[[2]string{l.Key, l.Form}]
		switch {
		case l.Key == "":
			first = append(first, i)
		case taken, all[i].RepeatWithin <= 0, all[i].RepeatWithin != all[fresh[0]].RepeatWithin:
			later = append(later, i)
		default:
			place[[2]string{l.Key, l.Form}] = i
			wanted = append(wanted, personRow{l.Key, l.Form, l.ID, micros(l.CreatedAt)})
		}
	}
	if len(wanted) == 0 {
		return first, later, nil
	}
	slices.SortFunc(wanted, func(a, b personRow) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Form, b.Form)) })
	a, err := table(tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	a["within"] = all[fresh[0]].RepeatWithin.Microseconds()
	ours, err := list[personRow](ctx, tx, "claim-persons", a)
	for _, p := range ours {
		first = append(first, place[[2]string{p.Key, p.Form}])
		delete(place, [2]string{p.Key, p.Form})
	}
	later = slices.Sorted(slices.Values(append(later, slices.Collect(maps.Values(place))...)))
	return slices.Sorted(slices.Values(first)), later, err
}

// acceptLater records a touch on the first lead of the person and form. A first
// lead that was erased meanwhile counts for nothing.
func (s *Store) acceptLater(ctx context.Context, tx conn, w *words, in *galena.Intake, out galena.Receipt) (galena.Receipt, error) {
	out, repeated, err := s.claimPerson(ctx, tx, in, out)
	if err != nil {
		return out, err
	}
	if repeated {
		return out, setKeyAnswer(ctx, tx, in.Idempotency, out)
	}
	if err := s.words(ctx, tx, w, []*galena.Intake{in}); err != nil {
		return out, err
	}
	return out, s.insertLeads(ctx, tx, w, []*galena.Intake{in})
}

func (s *Store) claimPerson(ctx context.Context, tx conn, in *galena.Intake, out galena.Receipt) (galena.Receipt, bool, error) {
	l := in.Lead
	a := args{"email_key": l.Key, "form": l.Form, "lead_id": l.ID, "created_at": micros(l.CreatedAt),
		"since": micros(l.CreatedAt.Add(-in.RepeatWithin)), "now": micros(l.CreatedAt)}
	if in.RepeatWithin <= 0 {
		a["since"] = int64(math.MaxInt64) // every submission is a new lead
	}
	n, err := tx.exec(ctx, "claim-person", a)
	if err != nil || n == 1 {
		return out, false, err
	}
	first, err := one[struct {
		ID         string            `db:"id"`
		ExternalID string            `db:"external_id"`
		Status     galena.LeadStatus `db:"status"`
	}](ctx, tx, "touch-first-lead", a)
	if missing(err) {
		a["since"] = int64(math.MaxInt64)
		_, err = tx.exec(ctx, "claim-person", a)
		return out, false, err
	}
	if err != nil {
		return out, false, err
	}
	if first.ID == l.ID {
		return out, true, nil // ours, of a commit whose outcome was not known
	}
	out.ID, out.Status, out.Duplicate = first.ID, first.Status, true
	if out.ExternalID == "" {
		out.ExternalID = first.ExternalID
	}
	return out, true, nil
}

// insertLeads writes leads and what follows from them. Only an accepted lead
// gets a step: the others wait for a person, or for nothing. w is of their companies.
func (s *Store) insertLeads(ctx context.Context, tx conn, w *words, all []*galena.Intake) error {
	if len(all) == 0 {
		return nil
	}
	if err := tx.flush(ctx); err != nil { // should nothing have been read since
		return err
	}
	list := make([]leadRow, len(all))
	var obs []galena.Observation
	var todo []stepRow
	var told []tidings
	for i, in := range all {
		var err error
		if list[i], err = rowOf(in.Lead); err != nil {
			return err
		}
		obs = append(obs, in.Observations...)
		told = append(told, tidings{in.Lead.ID, in.Lead.Epoch, in.Deliveries})
		if in.Lead.Status == galena.StatusAccepted {
			todo = append(todo, stepRow{Kind: galena.StepLead, ID: in.Lead.ID, LeadID: in.Lead.ID,
				Epoch: in.Lead.Epoch, Run: 1, Queue: QueueLeads})
		}
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	if err := tx.later(ctx, "insert-leads", a, nil); err != nil {
		return err
	}
	if obs, err = w.unsaid(obs); err != nil {
		return err
	}
	if err := insertObservations(ctx, tx, markedOf(galena.Refs(obs))); err != nil {
		return err
	}
	deliveries, err := s.insertDeliveries(ctx, tx, told...)
	if err != nil {
		return err
	}
	return s.insertSteps(ctx, tx, append(todo, deliveries...))
}

// wordKept is how long the same word is not written again.
const wordKept = time.Hour

// word is what forms last said of a field of a company.
type word struct {
	Entity     string `db:"entity"`
	Field      string `db:"field"`
	Value      string `db:"value"`
	ObservedAt int64  `db:"observed_at"`
}

// words are of forms, of the companies of a group.
type words struct {
	said    []word   // last, of each field
	outdone []string // the companies of which something newer is said now
}

// words asks what forms last said of the companies of submissions; it is in w when
// the next statement has been read.
func (s *Store) words(ctx context.Context, tx conn, w *words, all []*galena.Intake) error {
	var companies []string
	for _, in := range all {
		for _, o := range in.Observations {
			if o.Class == galena.ClassForm {
				companies = append(companies, o.Entity)
			}
		}
	}
	if len(companies) == 0 {
		return nil
	}
	return finding(s, &w.said, "words-of-forms", map[string][]string{"entities": sorted(companies)})(ctx, tx)
}

// outdate marks what forms said of the companies before, so that what a lead costs
// does not grow with the number of those before it.
func (s *Store) outdate(ctx context.Context, tx conn, companies []string) error {
	if len(companies) == 0 {
		return nil
	}
	a, err := s.lists(map[string][]string{"entities": sorted(companies)})
	if err != nil {
		return err
	}
	return tx.later(ctx, "outdate-words", a, nil)
}

// unsaid leaves out what forms said last of the company, in the same words and
// lately: most leads of a company say what the one before them said.
func (w *words) unsaid(obs []galena.Observation) ([]galena.Observation, error) {
	last := map[[2]string]word{}
	for _, r := range w.said {
		last[[2]string{r.Entity, r.Field}] = r
	}
	var out []galena.Observation
	for _, o := range obs {
		value, err := text(o.Value)
		if err != nil {
			return nil, err
		}
		place := [2]string{o.Entity, o.Field}
		was, before := last[place]
		at := micros(o.ObservedAt)
		if o.Class == galena.ClassForm && !o.Absent {
			if was.Value == value && at >= was.ObservedAt && at-was.ObservedAt < wordKept.Microseconds() {
				continue
			}
			if before && o.Value.Type != galena.TypeSet {
				w.outdone = append(w.outdone, o.Entity)
			}
			if at >= was.ObservedAt {
				last[place] = word{o.Entity, o.Field, value, at}
			}
		}
		out = append(out, o)
	}
	return out, nil
}

type recallQuestion struct {
	hashes []string
	domain string
}

type recalled struct{ suppressed, known bool }

// Recall says whether one of the hashes is suppressed, and whether an account
// or a held answer knows the domain.
func (s *Store) Recall(ctx context.Context, hashes [][]byte, domain string) (suppressed, known bool, err error) {
	q := recallQuestion{make([]string, len(hashes)), domain}
	for i, h := range hashes {
		q.hashes[i] = key(h)
	}
	r, err := s.recalls.do(ctx, q)
	return r.suppressed, r.known, fault("sql.recall", err)
}

// recall answers the questions of a group.
func (s *Store) recall(ctx context.Context, all []recallQuestion) ([]outcome[recalled], error) {
	var hashes, domains []string
	for _, q := range all {
		hashes, domains = append(hashes, q.hashes...), append(domains, q.domain)
	}
	found, err := within[struct {
		Suppressed bool   `db:"suppressed"`
		Key        string `db:"key"`
	}](ctx, s, "recall", map[string][]string{"hashes": hashes, "domains": domains})
	if err != nil {
		return nil, fault("sql.recall", err)
	}
	suppressed, known := map[string]bool{}, map[string]bool{}
	for _, f := range found {
		if f.Suppressed {
			suppressed[f.Key] = true
		} else {
			known[f.Key] = true
		}
	}
	out := make([]outcome[recalled], len(all))
	for i, q := range all {
		out[i].value = recalled{slices.ContainsFunc(q.hashes, func(h string) bool { return suppressed[h] }), known[q.domain]}
	}
	return out, nil
}

// Tidy drops idempotency keys after a day, logins that have run out, old
// answers of the DNS and deaths of workers.
func (s *Store) Tidy(ctx context.Context) error {
	now := s.now()
	if _, err := s.do(ctx, "sql.tidy", "forget-keys", args{"stale": micros(now.Add(-keysKept))}); err != nil {
		return err
	}
	if _, err := s.do(ctx, "sql.tidy", "forget-dns-checks", args{"stale": micros(now.Add(-checksKept))}); err != nil {
		return err
	}
	if _, err := s.do(ctx, "sql.tidy", "forget-deaths", args{"stale": micros(now.Add(-deathsKept))}); err != nil {
		return err
	}
	if err := s.tidyClaims(ctx, now); err != nil {
		return err
	}
	_, err := s.do(ctx, "sql.tidy", "forget-sessions", args{"now": micros(now)})
	return err
}
