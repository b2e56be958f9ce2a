package sql

import (
	"cmp"
	"context"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

const (
	aDay      = int64(24 * time.Hour / time.Microsecond)
	daysKept  = 31        // what a scorecard of 30 days can touch
	dayClosed = time.Hour // after midnight all that was fetched before is written
)

// figures are what one provider did in some time, so that they can be added up.
type figures struct {
	Hits       int            `json:"hits"`
	Misses     int            `json:"misses"`
	CostMicros int64          `json:"cost_micros"`
	MissMicros int64          `json:"miss_micros"`
	Useful     int            `json:"useful"`
	UsedMicros int64          `json:"used_micros"`
	Fields     map[string]int `json:"fields"` // answers that had it
	Took       map[int64]int  `json:"took"`   // calls, by the milliseconds that they took at most
}

// byProvider are the figures of all providers.
type byProvider map[string]*figures

// Scorecard says how each provider that was called since the given time has
// fared, by provider. Days that were counted are not counted again: what became of
// their values since the last night is missing.
func (s *Store) Scorecard(ctx context.Context, since time.Time) ([]galena.Scores, error) {
	const op = "sql.scorecard"
	all, from := byProvider{}, micros(since)+1
	days, err := list[dayRow](ctx, s.reader(), "provider-days", args{"from": from})
	if err != nil {
		return nil, fault(op, err)
	}
	for _, d := range days {
		counted, err := parse[byProvider](d.Figures)
		if err == nil {
			err = s.count(ctx, all, from, d.Day)
		}
		if err != nil {
			return nil, fault(op, err)
		}
		all.add(counted)
		from = d.Day + aDay
	}
	if err := s.count(ctx, all, from, math.MaxInt64); err != nil {
		return nil, fault(op, err)
	}
	return all.scores(), nil
}

// dayRow is a day that was counted.
type dayRow struct {
	Day       int64  `db:"day"`
	Figures   string `db:"figures"`
	CountedAt int64  `db:"counted_at"`
}

// CountDays counts each day of the last month that is over, once after each
// midnight, for a decision may rest on what was fetched weeks ago. Two processes
// may do it at once: they count the same.
func (s *Store) CountDays(ctx context.Context) error {
	const op = "sql.count_days"
	today := micros(s.now().Add(-dayClosed)) / aDay * aDay
	first := today - daysKept*aDay
	days, err := list[dayRow](ctx, s.reader(), "provider-days", args{"from": first})
	if err != nil {
		return fault(op, err)
	}
	done := map[int64]bool{}
	for _, d := range days {
		done[d.Day] = d.CountedAt >= today+dayClosed.Microseconds()
	}
	for day := first; day < today; day += aDay {
		if done[day] {
			continue
		}
		if err := s.countDay(ctx, day); err != nil {
			return fault(op, err)
		}
	}
	_, err = s.do(ctx, op, "forget-provider-days", args{"stale": first})
	return err
}

func (s *Store) countDay(ctx context.Context, day int64) error {
	all, now := byProvider{}, micros(s.now())
	if err := s.count(ctx, all, day, day+aDay); err != nil {
		return err
	}
	body, err := text(all)
	if err != nil {
		return err
	}
	_, err = s.writer().exec(ctx, "keep-provider-day", args{"day": day, "figures": body, "now": now})
	return err
}

// count adds what happened from one microsecond until before the other.
func (s *Store) count(ctx context.Context, all byProvider, from, until int64) error {
	if from >= until {
		return nil
	}
	span := args{"from": from, "until": until}
	calls, err := list[struct {
		Provider   string `db:"provider"`
		Outcome    string `db:"outcome"`
		TookMS     int64  `db:"took_ms"`
		Calls      int    `db:"calls"`
		CostMicros int64  `db:"cost_micros"`
	}](ctx, s.reader(), "provider-calls", span)
	if err != nil {
		return err
	}
	for _, r := range calls {
		f := all.of(r.Provider)
		f.Took[rounded(r.TookMS)] += r.Calls
		f.CostMicros += r.CostMicros
		switch galena.Kind(r.Outcome) {
		case "hit":
			f.Hits += r.Calls
		case galena.NotFound:
			f.Misses += r.Calls
			f.MissMicros += r.CostMicros
		}
	}
	if err := s.countAnswers(ctx, all, span); err != nil {
		return err
	}
	uses, err := list[struct {
		Source     string `db:"source"`
		Useful     int    `db:"useful"`
		UsedMicros int64  `db:"used_micros"`
	}](ctx, s.reader(), "provider-uses", span)
	if err != nil {
		return err
	}
	for _, r := range uses {
		f := all.of(r.Source)
		f.Useful, f.UsedMicros = f.Useful+r.Useful, f.UsedMicros+r.UsedMicros
	}
	covered, err := list[struct {
		Source  string `db:"source"`
		Field   string `db:"field"`
		Answers int    `db:"answers"`
	}](ctx, s.reader(), "provider-coverage", span)
	for _, r := range covered {
		all.of(r.Source).Fields[r.Field] += r.Answers
	}
	return err
}

// countAnswers adds what the log says of each provider.
func (s *Store) countAnswers(ctx context.Context, all byProvider, span args) error {
	found, err := list[struct {
		Provider   string `db:"provider"`
		Fields     string `db:"fields"`
		Used       string `db:"used"`
		Answers    int    `db:"answers"`
		CostMicros int64  `db:"cost_micros"`
	}](ctx, s.reader(), "provider-answers", span)
	if err != nil {
		return err
	}
	for _, r := range found {
		fields, err := parse[[]string](r.Fields)
		if err != nil {
			return err
		}
		used, err := parse[map[string]bool](r.Used)
		if err != nil {
			return err
		}
		f := all.of(r.Provider)
		for _, field := range fields {
			f.Fields[field] += r.Answers
		}
		if len(used) > 0 {
			f.Useful += len(used) * r.Answers
			f.UsedMicros += r.CostMicros
		}
	}
	return nil
}

// rounded keeps the times of a day few: exact below 64 ms, from there on at most
// 3.2 % too long.
func rounded(ms int64) int64 {
	if drop := bits.Len64(uint64(max(0, ms))) - 6; drop > 0 {
		return (ms + 1<<drop - 1) >> drop << drop
	}
	return ms
}

func (all byProvider) of(id string) *figures {
	if all[id] == nil {
		all[id] = &figures{Fields: map[string]int{}, Took: map[int64]int{}}
	}
	return all[id]
}

func (all byProvider) add(more byProvider) {
	for id, m := range more {
		f := all.of(id)
		f.Hits, f.Misses, f.Useful = f.Hits+m.Hits, f.Misses+m.Misses, f.Useful+m.Useful
		f.CostMicros, f.MissMicros, f.UsedMicros = f.CostMicros+m.CostMicros, f.MissMicros+m.MissMicros, f.UsedMicros+m.UsedMicros
		for field, n := range m.Fields {
			f.Fields[field] += n
		}
		for ms, n := range m.Took {
			f.Took[ms] += n
		}
	}
}

// scores are the figures as people read them. Who was not called is left out:
// observations have other sources too.
func (all byProvider) scores() []galena.Scores {
	out := []galena.Scores{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		f := all[id]
		calls, p95 := f.nearestRank()
		if calls == 0 {
			continue
		}
		s := galena.Scores{Provider: id, Calls: calls, Hits: f.Hits, Misses: f.Misses, P95: p95, CostMicros: f.CostMicros,
			MissMicros: f.MissMicros, UnusedMicros: max(0, f.CostMicros-f.MissMicros-f.UsedMicros), Useful: f.Useful}
		for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
			s.Fields = append(s.Fields, galena.FieldCount{Field: field, Answers: f.Fields[field]})
		}
		slices.SortStableFunc(s.Fields, func(a, b galena.FieldCount) int { return cmp.Compare(b.Answers, a.Answers) })
		out = append(out, s)
	}
	return out
}

// nearestRank is the time that 95 % of the calls took at most.
func (f *figures) nearestRank() (calls int, p95 time.Duration) {
	for _, n := range f.Took {
		calls += n
	}
	left := (95*calls + 99) / 100
	for _, ms := range slices.Sorted(maps.Keys(f.Took)) {
		if left -= f.Took[ms]; left <= 0 {
			return calls, time.Duration(ms) * time.Millisecond
		}
	}
	return calls, 0
}
