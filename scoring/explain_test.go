package scoring

import (
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/google/go-cmp/cmp"
)

// decided scores one lead of the example and wraps it as a decision.
func decided(t *testing.T, n int, stop galena.Stop, cents float64) galena.Decision {
	t.Helper()
	leads := exampleLeads(t)
	i := slices.IndexFunc(leads, func(l exampleLead) bool { return l.N == n })
	r := mustNew(t, exampleConfig(t)).Score(leads[i].facts(t), noon, true)
	return galena.Decision{Score: r.Score, Stop: stop, Cents: cents, LimitCents: 15}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		d    galena.Decision
		want string
	}{
		{"Settled", decided(t, 24, galena.StopSettled, 5), `Tier A - 85.0 (between 81.4 and 95.9; 89 % of the score is certain)
 +22.7 Industry: fintech (core vertical)                                        alpha-firmo, today
 +21.8 Headcount: 51-200 (at least 'scale-up')                                  alpha-firmo, today
 +18.2 Tech: bigquery,hubspot (runs a modern CRM + has a data warehouse / CDP)  gamma-tech, today
  +9.5 Geography: CL                                                            alpha-firmo, today
  +9.1 Seniority: CEO (executive)                                               form, today
  +3.6 Revenue: unknown (0 to 9.1)
  +0.0 Freemail: corporate (no band matched)                                    hygiene, today
Stopped buying data: no answer can change tier A. Spent 5 cents of 15.
`},
		{"Disqualified", galena.Decision{Stop: galena.StopDisqualified, Score: galena.Score{
			Tier: "X", Hi: 955, Score: 409, Coverage: 0.18, Settled: true,
			Disqualified: &galena.Disqualification{ID: "competitor", Reason: "Known competitor", Sink: "reject"},
		}}, `Tier X - 40.9 (between 0.0 and 95.5; 18 % of the score is certain)
Disqualified by competitor: Known competitor, to reject
Stopped buying data: the lead is disqualified. Spent 0 cents.
`},
		{"StillOpen", galena.Decision{Stop: galena.StopExhausted, Cents: 1, Score: galena.Score{
			Tier: "X", Hi: 955, Score: 409, Coverage: 0.18, Provisional: true,
			Disqualified:  &galena.Disqualification{ID: "micro", Reason: "Too small", Sink: "nurture"},
			Disqualifiers: []galena.DisqualifierState{{ID: "embargo"}, {ID: "micro", Result: galena.True}},
		}}, `Tier X - 40.9 (between 0.0 and 95.5; 18 % of the score is certain)
Disqualified by micro: Too small, to nurture
Still open: embargo
Stopped buying data: nobody is left to ask (provisional). Spent 1 cent.
`},
		{"NotDecided", galena.Decision{}, "Not decided\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, Explain(c.d)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestTopReasons: what sets the lead apart from one of whom nothing is known.
func TestTopReasons(t *testing.T) {
	t.Parallel()
	got := decided(t, 24, galena.StopSettled, 5).TopReasons
	want := []string{
		"Industry: fintech (core vertical) +22.7",
		"Headcount: 51-200 +21.8",
		"Tech: bigquery,hubspot (runs a modern CRM + has a data warehouse / CDP) +18.2",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := decided(t, 19, galena.StopDisqualified, 0).TopReasons; !slices.Equal(got, []string{"Freemail: role (shared mailbox) -1.8"}) {
		t.Errorf("reasons %q: an unknown is no reason", got)
	}
}

// TestWouldChange names the unknown that could still move the tier.
func TestWouldChange(t *testing.T) {
	t.Parallel()
	p := mustNew(t, small())
	if h := p.Score(factsOf(size(50, 50)), noon, false).WouldChange; h == nil || h.Field != "company.technologies" || h.Points != 360 {
		t.Errorf("hint %+v, want the technologies by 36 points", h)
	}
	if h := p.Score(factsOf(size(50, 50), stack(true)), noon, false).WouldChange; h != nil {
		t.Errorf("hint %+v for a settled lead", h)
	}
}

// TestRowProvenance: a row says where its value is from, how old and how sure.
func TestRowProvenance(t *testing.T) {
	t.Parallel()
	f := size(50, 50)
	f.Confidence, f.ObservedAt = 0.876, noon.Add(-49*time.Hour)
	row := mustNew(t, small()).Score(factsOf(f), noon, false).Rows[0]
	if row.Source != "alpha" || *row.AgeDays != 2 || *row.EffectiveConfidence != 0.88 {
		t.Errorf("row %+v", row)
	}
	if got := provenance(row); got != "alpha, 2 days ago" {
		t.Errorf("provenance %q", got)
	}
}
