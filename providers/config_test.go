package providers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func ptr[T any](v T) *T { return &v }

func TestValidateTellsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	c := Config{
		Providers: []Entry{
			{ID: "Hunter"},
			{ID: "acme", Adapter: "huntr", Enabled: "maybe", URL: "https://u:p@x/?k=1", CostCents: ptr(-1.0), Billing: "daily",
				P95MS: ptr(-1), Trust: ptr(0.0), Class: "rumour", SetSemantics: "ajar", Timeout: ptr(time.Nanosecond),
				Rate: &Rate{PerSecond: 0}, Fields: map[string]float64{"company.industri": 2},
				OnlyIf: &galena.Condition{Field: "company.industry"}},
			{ID: "acme"},
			{ID: "d", PerDayCents: -1}, {ID: "e", PerDayCents: 2, CostCents: ptr(3.0)}, {ID: "f", PerDayCents: 9, MaxCents: 10}, {ID: "g", CostCents: ptr(3.0), MaxCents: 2}, {ID: "h", MaxCents: -1},
		},
		Limits:        Limits{PerLeadCents: -1, PerSourceCents: map[string]float64{"webinar": 0, "Demo": 1, "demo": 1}},
		AlwaysCollect: Collect{"company.nam", "all"},
	}
	err := c.Validate("hunter", "fixture")
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`spec.providers[0].id: E02 `, `spec.providers[1].adapter: E11 unknown adapter "huntr" (did you mean "hunter"?)`,
		`spec.providers[1].enabled: E02 `, `spec.providers[1].url: E02 `, `spec.providers[1].cost_cents: E02 `,
		`spec.providers[1].billing: E02 `, `spec.providers[1].p95_ms: E02 `, `spec.providers[1].trust: E02 `,
		`spec.providers[1].class: E02 `, `spec.providers[1].set_semantics: E02 `, `spec.providers[1].timeout: E02 `,
		`spec.providers[1].rate: E02 `, `spec.providers[1].fields: E04 unknown field "company.industri" (did you mean "company.industry"?)`,
		`spec.providers[1].fields: E02 `, `spec.providers[1].only_if: E02 `, `spec.providers[2].id: E03 `,
		`spec.providers[3].per_day_cents: E02 per_day_cents must be from 0`, `spec.providers[4].per_day_cents: E02 per_day_cents must be at least cost_cents`,
		`spec.providers[5].per_day_cents: E02 per_day_cents must be at least max_cents, 10`, `spec.providers[6].max_cents: E02 `, `spec.providers[7].max_cents: E02 `,
		`spec.limits.per_source_cents: E02 the limit of "webinar"`, `spec.limits.per_source_cents: E03 "Demo" and "demo"`,
		`spec.limits.per_lead_cents: E02 `, `spec.always_collect[0]: E04 `, `spec.always_collect[1]: E04 `,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no fault %s in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "u:p@") {
		t.Error("a fault quotes the credentials of a URL")
	}
}

func TestUnknownIsAllowedInOnlyIf(t *testing.T) {
	t.Parallel()
	c := Config{Providers: []Entry{{ID: "a", OnlyIf: &galena.Condition{Field: "company.registry_id", Operators: galena.Operators{Unknown: ptr(true)}}}}}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaultsAreEveryVendorWithAnAddress(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "one", BaseURL: "https://one.example"}, {Name: "fixture"}, {Name: "two", BaseURL: "https://two.example"}}
	if err := Defaults().Validate("one", "two", "fixture"); err != nil {
		t.Fatal(err)
	}
	got := Defaults().Entries(specs)
	if len(got) != 2 || got[0].ID != "one" || got[1].ID != "two" {
		t.Errorf("got %+v", got)
	}
	none := Config{Providers: []Entry{}}
	if got := none.Entries(specs); len(got) != 0 {
		t.Errorf("an empty list means none, got %+v", got)
	}
}

func TestWhatIsMissingComesFromTheSpec(t *testing.T) {
	t.Parallel()
	specs := []Spec{
		{Name: "one", CostMicros: 24_500, PerMatch: true, Timeout: 3 * time.Second, Trust: .8, Rate: 8, Burst: 4, Fields: map[string]float64{"company.name": .9}},
		{Name: "fixture", SetClosed: true, Keyless: true},
	}
	l := fill(Entry{ID: "one"}, Entry{ID: "one"}.Spec(specs))
	if l.costMicros != 24_500 || !l.perMatch || l.timeout != 3*time.Second || l.trust != .8 || l.rate != 8 || l.burst != 4 || l.fields["company.name"] != .9 {
		t.Errorf("got %+v", l)
	}
	e := Entry{ID: "one", CostCents: ptr(0.25), Billing: "per_call", Fields: map[string]float64{"company.industry": 1}}
	if l := fill(e, e.Spec(specs)); l.costMicros != 2_500 || l.perMatch || len(l.fields) != 1 {
		t.Errorf("the catalogue's word does not count: %+v", l)
	}
	if s := (Entry{ID: "our-database"}).Spec(specs); s.Name != "fixture" {
		t.Errorf("an id that nobody has is spoken for by %q", s.Name)
	}
	if l := fill(Entry{ID: "x", SetSemantics: "open"}, specs[1]); l.closed {
		t.Error("set_semantics: open is lost")
	}
	if got := EnvName("our-data-base"); got != "OUR_DATA_BASE" {
		t.Errorf("got %s", got)
	}
}

// yamlOf is how a YAML reader hands a value to a type that reads itself.
func yamlOf(v any) func(any) error {
	return func(into any) error {
		switch p := into.(type) {
		case *any:
			*p = v
			return nil
		case *string:
			if s, ok := v.(string); ok {
				*p = s
				return nil
			}
		case *[]string:
			if l, ok := v.([]string); ok {
				*p = l
				return nil
			}
		}
		return errors.New("wrong type")
	}
}

func TestWordsThatAreMoreThanOneType(t *testing.T) {
	t.Parallel()
	for v, want := range map[any]Enabled{true: "true", false: "false", "auto": "auto", 7: "7"} {
		var e Enabled
		if err := e.UnmarshalYAML(yamlOf(v)); err != nil || e != want {
			t.Errorf("enabled %v is %q, %v", v, e, err)
		}
	}
	var c Collect
	if err := c.UnmarshalYAML(yamlOf("all")); err != nil || len(c) != 1 || c[0] != all {
		t.Errorf("always_collect: all is %v, %v", c, err)
	}
	if err := c.UnmarshalYAML(yamlOf([]string{"company.name", "company.phone"})); err != nil || len(c) != 2 {
		t.Errorf("a list is %v, %v", c, err)
	}
	if err := c.UnmarshalYAML(yamlOf(7)); err == nil {
		t.Error("a number was taken for fields")
	}
}

func TestWhatCanBeBoughtAtAll(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "one", BaseURL: "https://one.example", Fields: map[string]float64{"company.name": .5, "company.phone": .1}}}
	c := Config{Providers: []Entry{
		{ID: "one"},
		{ID: "ours", Fields: map[string]float64{"company.name": .9}},
		{ID: "off", Enabled: "false", Fields: map[string]float64{"company.status": 1}},
	}}
	got := c.Fields(specs)
	if len(got) != 2 || got["company.name"] != .9 || got["company.phone"] != .1 {
		t.Errorf("got %v", got)
	}
}

func TestLimitsInTheUnitsOfTheirReaders(t *testing.T) {
	t.Parallel()
	l := Limits{PerLeadCents: 0.25, PerDayCents: 5000, InteractiveDeadlineMS: 2200}
	if l.PerLeadMicros() != 2_500 || l.Deadline() != 2200*time.Millisecond {
		t.Errorf("%d %v", l.PerLeadMicros(), l.Deadline())
	}
}

func TestListSaysWhoWouldBeAskedAndWhyNot(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "one", BaseURL: "https://one.example"}, {Name: "two", BaseURL: "https://two.example"}, {Name: "fixture", Keyless: true}}
	c := Config{Providers: []Entry{{ID: "one"}, {ID: "two"}, {ID: "two-b", Adapter: "two", Enabled: "false"}, {ID: "ours"}}}
	value := func(values map[string]string) func(string) string {
		return func(id string) string { return values[id] }
	}
	got := c.List(specs, value(map[string]string{"one": "k", "two-b": "k"}), value(map[string]string{"ours": "https://ours.example/x"}), "")
	want := []galena.Listed{
		{ID: "one", Adapter: "one", On: true, KeyPresent: true, BaseURL: "https://one.example"},
		{ID: "two", Adapter: "two", BaseURL: "https://two.example"},
		{ID: "two-b", Adapter: "two", KeyPresent: true, BaseURL: "https://two.example"},
		{ID: "ours", Adapter: "fixture", Keyless: true, On: true, BaseURL: "https://ours.example/x"},
	}
	if !slices.Equal(got.Providers, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAFurtherServiceUsesTheKeyAndAddressOfItsVendor(t *testing.T) {
	t.Parallel()
	var got []Settings
	spec := func(name, keyOf string) Spec {
		return Spec{Name: name, KeyOf: keyOf, BaseURL: "https://own.example", New: func(s Settings) (Provider, error) {
			got = append(got, s)
			return vendorFunc(hit), nil
		}}
	}
	specs := []Spec{spec("one", ""), spec("one-more", "one"), spec("one-other", "one")}
	look := func(table map[string]string) func(string) string { return func(id string) string { return table[id] } }
	keys := look(map[string]string{"one": "k", "one-other": "o"})
	urls := look(map[string]string{"one": "https://gateway.example"})
	c := Config{Providers: []Entry{{ID: "one-more"}, {ID: "one-other"}}}
	w, err := New(c, Deps{Specs: specs, Keys: keys, URLs: urls})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if len(got) != 2 || got[0].Key != "k" || got[1].Key != "o" || got[0].BaseURL != "https://gateway.example" {
		t.Errorf("got %+v", got)
	}
	if l := c.List(specs, keys, urls, ""); !l.Providers[0].On || !l.Providers[0].KeyPresent || l.Providers[0].BaseURL != "https://gateway.example" {
		t.Errorf("got %+v", l)
	}
	if ids := c.KeyIDs(specs); !slices.Contains(ids, "one") {
		t.Errorf("ids %v: the key of the vendor would be called unknown", ids)
	}
	c.Providers[0].Enabled = "true"
	if _, err := New(c, Deps{Specs: specs}); err == nil || !strings.Contains(err.Error(), "GALENA_PROVIDER_ONE_KEY") {
		t.Errorf("got %v, want the name of the key that is missing", err)
	}
}

func TestWhoWantsNoKeyIsAskedOnlyWhenNamed(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "paid", BaseURL: "https://a.example"}, {Name: "free", BaseURL: "https://b.example", Keyless: true}}
	if e := (Config{}).Entries(specs); len(e) != 1 || e[0].ID != "paid" {
		t.Errorf("entries %+v", e)
	}
}

func TestWhoAsksTheCompanyItselfNeedsNoAddress(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "page", Direct: true, Keyless: true, New: func(Settings) (Provider, error) { return vendorFunc(hit), nil }}}
	c := Config{Providers: []Entry{{ID: "page", Enabled: "true"}}}
	nothing := func(string) string { return "" }
	w, err := New(c, Deps{Specs: specs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if !w.Offers()[0].Available || !c.List(specs, nothing, nothing, "").Providers[0].On {
		t.Error("a vendor without an address is off")
	}
}
