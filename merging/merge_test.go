package merging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

var now = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

// catalogue is the trust of the example's providers.
func catalogue() map[string]float64 {
	return map[string]float64{"own-crawl": 0.60, "alpha-firmo": 0.75, "beta-prime": 0.90, "gamma-tech": 0.80, "registry-br": 0.95}
}

func policy(t testing.TB, c Config) *Policy {
	t.Helper()
	p, err := New(c, catalogue())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reporter is what *testing.T and *rapid.T share here.
type reporter interface {
	Helper()
	Fatal(args ...any)
}

// obs reads an observation from short forms: the value as a vendor would say
// it, "-" for absent, a list in brackets for a set ("[a b]" open, "[a b]!" closed).
func obs(t reporter, id, source, field, value string, ago time.Duration) galena.Observation {
	t.Helper()
	o := galena.Observation{ID: id, Field: field, Source: source, Confidence: 1, ObservedAt: now.Add(-ago)}
	if value == "-" {
		o.Absent = true
		return o
	}
	f, _ := galena.LookupField(field)
	if f.Type == galena.TypeSet {
		list, closed := strings.CutSuffix(value, "!")
		o.Value = galena.SetValue(strings.Fields(strings.Trim(list, "[]")), closed)
		return o
	}
	v, err := galena.ParseValue(f, value)
	if err != nil {
		t.Fatal(err)
	}
	o.Value = v
	return o
}

const (
	headcount = "company.employee_count"
	industry  = "company.industry"
	tech      = "company.technologies"
)

// said is one observation of a table: source, value, and how long ago.
type said struct {
	source, value string
	ago           time.Duration
}

func TestMerge(t *testing.T) {
	t.Parallel()
	year := time.Duration(yearSeconds) * time.Second
	for _, c := range []struct {
		name  string
		field string
		said  []said
		want  string // value and source
		state galena.State
	}{
		{"TheTrustedProviderWins", headcount, []said{{"alpha-firmo", "45", 0}, {"beta-prime", "460", 0}}, "460 beta-prime", galena.Known},
		{"ANumberInsideTheIntervalSurvives", headcount, []said{{"alpha-firmo", "51-200", 0}, {"beta-prime", "130", 0}}, "130 beta-prime", galena.Known},
		{"AlsoWhenTheIntervalIsTrustedMore", headcount, []said{{"beta-prime", "51-200", 0}, {"own-crawl", "130", 0}}, "130 own-crawl", galena.Known},
		{"AnIntervalAloneIsPartial", headcount, []said{{"alpha-firmo", "51-200", 0}}, "51-200 alpha-firmo", galena.Partial},
		{"TheNarrowerOfTwoIntervals", headcount, []said{{"beta-prime", "51-200", 0}, {"alpha-firmo", "101-150", 0}}, "101-150 alpha-firmo", galena.Partial},
		{"WhatTwoIntervalsShare", headcount, []said{{"beta-prime", "51-200", 0}, {"alpha-firmo", "150-500", 0}}, "150-200 beta-prime", galena.Partial},
		{"NumbersWithinAFactorPool", headcount, []said{{"alpha-firmo", "100", 3 * day}, {"gamma-tech", "120", 2 * day}, {"beta-prime", "900", day}}, "120 gamma-tech", galena.Known},
		{"JustOutsideTheFactorTheyDoNot", headcount, []said{{"own-crawl", "100", 3 * day}, {"alpha-firmo", "126", 2 * day}, {"beta-prime", "900", day}}, "900 beta-prime", galena.Known},
		{"AChallengerMustBeClearlyHeavier", headcount, []said{{"gamma-tech", "45", 2 * time.Hour}, {"beta-prime", "460", 0}}, "45 gamma-tech", galena.Known},
		{"ANewWordOfTheSameSourceReplacesItsOld", headcount, []said{{"beta-prime", "45", 2 * time.Hour}, {"beta-prime", "460", 0}}, "460 beta-prime", galena.Known},
		{"ARegistryOutranksProviders", industry, []said{{"beta-prime", "software", 0}, {"class:registry", "agriculture", 0}}, "agriculture class:registry", galena.Known},
		{"TheCRMOutranksTheForm", industry, []said{{"form", "software", 0}, {"crm:twenty", "energy", day}}, "energy crm:twenty", galena.Known},
		{"AnExpiredHigherClassIsSilent", headcount, []said{{"import", "18", 4 * year}, {"alpha-firmo", "45", 0}}, "45 alpha-firmo", galena.Known},
		{"APersonNeverExpires", headcount, []said{{"human:ana", "18", 9 * year}, {"alpha-firmo", "45", 0}}, "18 human:ana", galena.Known},
		{"TheNewerWordOfAPersonWins", headcount, []said{{"human:ana", "18", day}, {"human:ben", "20", 0}}, "20 human:ben", galena.Known},
		{"SpellingDoesNotDivide", "company.name", []said{{"own-crawl", "ACME  Robotics", day}, {"alpha-firmo", "Acme Robotics", day}, {"beta-prime", "Globex", 0}}, "Acme Robotics alpha-firmo", galena.Known},
		{"VerifiedAbsence", "company.parent_domain", []said{{"beta-prime", "-", 0}}, " beta-prime", galena.Absent},
		{"AbsenceAgainstAValueIsAVote", "company.parent_domain", []said{{"own-crawl", "globex.example", day}, {"beta-prime", "-", 0}}, " beta-prime", galena.Absent},
		{"SetsUnite", tech, []said{{"gamma-tech", "[hubspot]", day}, {"own-crawl", "[wordpress]", 0}}, "hubspot,wordpress gamma-tech", galena.Partial},
		{"AnElementSeenEarlierStays", tech, []said{{"gamma-tech", "[hubspot]", day}, {"gamma-tech", "[wordpress]", 0}}, "hubspot,wordpress gamma-tech", galena.Partial},
		{"UntilAClosedSetDeniesIt", tech, []said{{"gamma-tech", "[hubspot]", day}, {"gamma-tech", "[wordpress]!", 0}}, "wordpress gamma-tech", galena.Known},
		{"AClosedSetVotesAgainstTheRest", tech, []said{{"own-crawl", "[wordpress]", day}, {"gamma-tech", "[hubspot]!", 0}}, "hubspot gamma-tech", galena.Known},
		{"ButALighterOneDoesNotPrevail", tech, []said{{"gamma-tech", "[wordpress]", day}, {"own-crawl", "[hubspot]!", 0}}, "hubspot,wordpress gamma-tech", galena.Known},
		{"AnElementExpiresByItself", tech, []said{{"gamma-tech", "[hubspot]", year}, {"own-crawl", "[wordpress]", 0}}, "wordpress own-crawl", galena.Partial},
		{"NothingAtAllIsAnAnswer", tech, []said{{"gamma-tech", "[]!", 0}}, " gamma-tech", galena.Known},
		{"NoTechnologyIsAbsent", tech, []said{{"gamma-tech", "-", 0}}, " gamma-tech", galena.Absent},
		{"WhatAPersonTookOutOfTheWholeListStaysOut", tech, []said{{"human:ana", "[hubspot salesforce]!", 2 * year}, {"human:ana", "[salesforce]!", year}, {"gamma-tech", "[hubspot]!", 0}}, "salesforce human:ana", galena.Known},
		{"APersonsElementStays", tech, []said{{"human:ana", "[salesforce]", year}, {"gamma-tech", "[hubspot]!", 0}}, "hubspot,salesforce human:ana", galena.Known},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var all []galena.Observation
			for i, s := range c.said {
				o := obs(t, string(rune('a'+i)), s.source, c.field, s.value, s.ago)
				if s.source == "class:registry" {
					o.Class = galena.ClassRegistry
				}
				all = append(all, o)
			}
			f := policy(t, Defaults()).Merge(galena.Refs(all), now).Get(c.field)
			if got := f.Value.String() + " " + f.Source; got != c.want || f.State != c.state {
				t.Errorf("got %q %s, want %q %s", got, f.State, c.want, c.state)
			}
		})
	}
}

// Eight vendors who each list other words, four times as many as a set may hold: what
// takes the square of that is far beyond the limit, and what does not far below it.
func TestTheLargestSetsMergeInTime(t *testing.T) {
	t.Parallel()
	var all []galena.Observation
	for vendor := range 8 {
		words := make([]string, 4000)
		for i := range words {
			words[i] = fmt.Sprintf("%d-%d", vendor, i)
		}
		all = append(all, galena.Observation{ID: words[0], Field: tech, Source: fmt.Sprint("vendor-", vendor), Class: galena.ClassProvider,
			Confidence: 1, ObservedAt: now, Value: galena.SetValue(words, true)})
	}
	p, began := policy(t, Defaults()), time.Now()
	got := p.Merge(galena.Refs(all), now).Get(tech)
	if took := time.Since(began); got.State != galena.Known || took > 10*time.Second {
		t.Errorf("%s after %s, want it known within 10s", got.State, took)
	}
}

func TestWhatIsEmptyOrTooOldIsUnknown(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	old := obs(t, "a", "beta-prime", headcount, "45", p.MaxStale(headcount)+time.Second)
	edge := obs(t, "b", "beta-prime", headcount, "45", p.MaxStale(headcount))
	if got := p.Merge([]*galena.Observation{&old, {ID: "c", Field: industry, Source: "x"}}, now); len(got) != 0 {
		t.Errorf("got %v, want nothing", got)
	}
	if got := p.Merge([]*galena.Observation{&edge}, now).Get(headcount).State; got != galena.Known {
		t.Errorf("got %s on the last day, want known", got)
	}
}

func TestConfidenceDecaysWithAge(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	half := obs(t, "a", "form", "lead.job_title", "CEO", time.Duration(yearSeconds/2)*time.Second)
	half.Confidence = 0.5
	noDate := obs(t, "b", "form", "lead.form", "demo", 0)
	noDate.ObservedAt, noDate.Confidence = time.Time{}, 0
	got := p.Merge([]*galena.Observation{&half, &noDate}, now)
	if c := got.Get("lead.job_title").Confidence; c != 0.447214 { // 0.5 × √0.8
		t.Errorf("got %v, want 0.447214", c)
	}
	if c := got.Get("lead.form").Confidence; c != 1 {
		t.Errorf("got %v, want 1 where neither date nor confidence is given", c)
	}
}

func TestTTLIsTheTableOfTheSpecification(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	for field, days := range map[string]int{headcount: 89, "company.annual_revenue_usd": 108, tech: 75, industry: 730,
		"lead.job_title": 172, "company.phone": 365, "company.tags": 151} {
		if got := p.TTL(field); got != time.Duration(days)*day {
			t.Errorf("%s: got %s, want %d days", field, got, days)
		}
		if p.MaxStale(field) != 2*p.TTL(field) {
			t.Errorf("%s: max_stale %s, want twice the time to live", field, p.MaxStale(field))
		}
	}
}
