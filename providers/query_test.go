package providers

import (
	"context"
	"testing"

	"github.com/galenahq/galena"
)

const legalName = "company.legal_name"

// called is all that is known of a company: its name.
func called(name string) galena.Facts {
	return galena.Facts{
		legalName:      {Field: legalName, State: galena.Known, Value: galena.TextValue(name)},
		"company.name": {Field: "company.name", State: galena.Known, Value: galena.TextValue("never told")},
	}
}

// byName makes the vendor one that needs the legal name.
func byName(_ *Entry, d *Deps) { d.Specs[0].Needs = []string{legalName} }

func TestASecondHopIsToldWhatItNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	var told Query
	b := newBundle(t, func(ctx context.Context, q Query) (Record, error) { told = q; return hit(ctx, q) }, byName)
	if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Invalid || b.calls.Load() != 0 {
		t.Errorf("%v and %d calls, want invalid and none", err, b.calls.Load())
	}
	if _, _, err := b.Ask(t.Context(), "one", "acme.example", called("Acme GmbH")); err != nil {
		t.Fatal(err)
	}
	if len(told.Known) != 1 || told.Known[legalName] != "Acme GmbH" || told.Domain != "acme.example" {
		t.Errorf("told %+v, want the domain and the legal name", told)
	}
	if o := b.Offers()[0]; o.Informed(galena.Facts(nil).Get) || !o.Informed(called("Acme GmbH").Get) {
		t.Error("offered without the name, or not offered with it")
	}
}

func TestAnAnswerToAnotherNameIsNotServed(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]vendorFunc{
		"hit": hit, "miss": fails(galena.Errorf(galena.NotFound, "one.enrich", "no such name")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t, f, byName)
			for i, c := range []struct{ name, outcome string }{
				{"Acme GmbH", name}, {"ACME  GmbH", "cached"}, {"Acme Holding GmbH", name},
				{"Acme Holding GmbH", "cached"}, {"Acme GmbH", name},
			} {
				a, call, _ := b.Ask(t.Context(), "one", "acme.example", called(c.name))
				if call.Outcome != c.outcome {
					t.Errorf("%d: %s is a %s, want %s", i, c.name, call.Outcome, c.outcome)
				}
				if name == "miss" && (len(a.Observations) != 0 || a.Misses != 1) || name == "hit" && a.Observations[0].Ref != "name" {
					t.Errorf("%d: the answer is %+v", i, a)
				}
			}
		})
	}
}
