package sql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// factsKept is how long facts that say the same are left as they are: their
// confidence and age are as of the last writing.
const factsKept = time.Hour

type factsRow struct {
	Domain    string `db:"domain" json:"domain"`
	Facts     string `db:"facts" json:"facts"`
	Digest    string `db:"digest" json:"digest"`
	UpdatedAt int64  `db:"updated_at" json:"updated_at"`
}

// learnFacts appends the observations and keeps the newest facts of each company.
// Most leads of a company find what the lead before them found: facts that say
// the same, but for their age, are not written again for an hour. They are the
// largest row of a lead after its decision. held is what digests has asked for,
// nil where nobody did.
func (s *Store) learnFacts(ctx context.Context, tx conn, words []marked, held *[]factsRow, companies ...galena.Company) error {
	if err := insertObservations(ctx, tx, words); err != nil {
		return err
	}
	newest := map[string]galena.Company{}
	for _, c := range companies {
		if was, ok := newest[c.Domain]; c.Domain != "" && (!ok || !c.UpdatedAt.Before(was.UpdatedAt)) {
			newest[c.Domain] = c
		}
	}
	if len(newest) == 0 {
		return nil
	}
	if held == nil {
		held = new([]factsRow)
		if err := errors.Join(s.digests(ctx, tx, held, companies...), tx.flush(ctx)); err != nil {
			return err
		}
	}
	changed, err := changedFacts(newest, *held)
	if err != nil || len(changed) == 0 {
		return err
	}
	a, err := table(tx, changed)
	if err != nil {
		return err
	}
	return tx.later(ctx, "upsert-companies", a, nil)
}

// digests asks what the store says of companies, in short; it is in held when
// the next statement has been read.
func (s *Store) digests(ctx context.Context, tx conn, held *[]factsRow, companies ...galena.Company) error {
	domains := make([]string, 0, len(companies))
	for _, c := range companies {
		if c.Domain != "" {
			domains = append(domains, c.Domain)
		}
	}
	if len(domains) == 0 {
		return nil
	}
	return finding(s, held, "digests-of-companies", map[string][]string{"domains": sorted(domains)})(ctx, tx)
}

// changedFacts leaves out the companies of which the store says the same, and
// said so lately.
func changedFacts(newest map[string]galena.Company, held []factsRow) ([]factsRow, error) {
	said := make(map[string]factsRow, len(held))
	for _, r := range held {
		said[r.Domain] = r
	}
	var changed []factsRow
	var buf digestible
	for _, domain := range slices.Sorted(maps.Keys(newest)) {
		c, was := newest[domain], said[domain]
		sum := digest(c.Facts, &buf)
		if was.Digest == sum && c.UpdatedAt.Sub(at(was.UpdatedAt)).Abs() < factsKept {
			continue
		}
		facts, err := drafted(func(w *galena.JSONWriter) { c.Facts.WriteJSON(w, slices.Sorted(maps.Keys(c.Facts))) })
		if err != nil {
			return nil, err
		}
		changed = append(changed, factsRow{domain, facts, sum, micros(c.UpdatedAt)})
	}
	return changed, nil
}

// digest is of what facts say and who says so, not of how sure and how old that is.
// The buffer is used again.
func digest(facts galena.Facts, b *digestible) string {
	*b = (*b)[:0]
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		f := *facts[name]
		f.Confidence, f.ObservedAt = 0, time.Time{}
		b.text(name)
		b.fact(&f)
	}
	sum := sha256.Sum256(*b)
	return hex.EncodeToString(sum[:])
}
