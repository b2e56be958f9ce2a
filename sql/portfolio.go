package sql

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/galenahq/galena"
)

const (
	// pastPage is how many leads are read at a time: they are read beside leads, on
	// whose way nothing may stand for long.
	pastPage = 100
	afterAll = "~" // comes after every id
)

// Portfolio reads what was known, of these fields, of the latest decided leads, at
// most so many; nothing while fewer than the least are decided.
func (s *Store) Portfolio(ctx context.Context, least, most int, fields []string) ([]galena.Past, error) {
	const op = "sql.portfolio"
	n, err := one[int](ctx, s.reader(), "portfolio-size", args{"most": least})
	if err != nil || n < least {
		return nil, fault(op, err)
	}
	var out []galena.Past
	sheets := map[string]galena.Facts{}
	for before := afterAll; len(out) < most; {
		page, err := list[pastRow](ctx, s.reader(), "portfolio", args{"before": before, "limit": pastPage})
		if err != nil {
			return nil, fault(op, err)
		}
		if len(page) == 0 {
			break
		}
		before = page[len(page)-1].ID
		if err := s.readSheets(ctx, page, fields, sheets); err != nil {
			return nil, fault(op, err)
		}
		for _, r := range page {
			if r.Body == "" {
				continue
			}
			past, err := r.past(fields, sheets[r.Sheet])
			if err != nil {
				return nil, fault(op, err)
			}
			if out = append(out, past); len(out) == most {
				break
			}
		}
	}
	return out, nil
}

// pastRow is a lead's decision in force, its sheet by name; no body where it is not
// decided.
type pastRow struct {
	ID    string `db:"id"`
	Body  string `db:"body"`
	Sheet string `db:"sheet"`
}

// factsOf are those of the fields, read of a decision or a sheet: most of a text is
// passed over, and parsing is all that this reading costs.
func factsOf(found map[string]json.RawMessage, fields []string) (galena.Facts, error) {
	out := galena.Facts{}
	for _, name := range fields {
		raw, ok := found[name]
		if !ok {
			continue
		}
		var f galena.Fact
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		out[name] = &f
	}
	return out, nil
}

// past is what was known of the fields, with those of the sheet.
func (r pastRow) past(fields []string, shared galena.Facts) (galena.Past, error) {
	b, err := parse[struct {
		Facts     map[string]json.RawMessage `json:"facts"`
		Said      []saying                   `json:"said"`
		DecidedAt time.Time                  `json:"decided_at"`
		Took      time.Duration              `json:"took_ns"`
	}](r.Body)
	if err != nil {
		return galena.Past{}, err
	}
	facts, err := factsOf(b.Facts, fields)
	if err != nil {
		return galena.Past{}, err
	}
	for _, s := range b.Said {
		s.tell(facts)
	}
	maps.Copy(facts, shared)
	return galena.Past{Facts: facts, At: b.DecidedAt.Add(-b.Took)}, nil
}

// readSheets reads the sheets of a page that were not read before it.
func (s *Store) readSheets(ctx context.Context, page []pastRow, fields []string, known map[string]galena.Facts) error {
	var missing []string
	for _, r := range page {
		if _, ok := known[r.Sheet]; !ok && r.Sheet != "" {
			missing = append(missing, r.Sheet)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	param, err := rows(sorted(missing))
	if err != nil {
		return err
	}
	found, err := list[sheetRow](ctx, s.reader(), "sheets-named", args{"hashes": param})
	if err != nil {
		return err
	}
	for _, r := range found {
		of, err := parse[struct {
			Facts map[string]json.RawMessage `json:"facts"`
		}](r.Body)
		if err != nil {
			return err
		}
		if known[r.Hash], err = factsOf(of.Facts, fields); err != nil {
			return err
		}
	}
	return nil
}

// Means reads the portfolio means of a profile; NotFound while there are none.
func (s *Store) Means(ctx context.Context, profile string) (galena.Means, error) {
	const op = "sql.means"
	r, err := one[struct {
		Leads    int    `db:"leads"`
		Means    string `db:"means"`
		FrozenAt int64  `db:"frozen_at"`
	}](ctx, s.reader(), "means", args{"profile": profile})
	if err != nil {
		return galena.Means{}, fault(op, err)
	}
	values, err := parse[map[string]int64](r.Means)
	return galena.Means{Profile: profile, Leads: r.Leads, Values: values, FrozenAt: at(r.FrozenAt)}, fault(op, err)
}

// FreezeMeans keeps the means of a profile for good and returns those that stand:
// another process may have been faster.
func (s *Store) FreezeMeans(ctx context.Context, m galena.Means) (galena.Means, error) {
	const op = "sql.freeze_means"
	values, err := text(m.Values)
	if err != nil {
		return galena.Means{}, fault(op, err)
	}
	if _, err := s.do(ctx, op, "freeze-means", args{"profile": m.Profile, "leads": m.Leads, "means": values,
		"frozen_at": micros(s.now())}); err != nil {
		return galena.Means{}, err
	}
	return s.Means(ctx, m.Profile)
}
