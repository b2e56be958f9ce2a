package sql

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func someDecision() galena.Decision {
	at := time.Date(2026, 11, 23, 9, 0, 0, 1, time.UTC)
	age, sure := 3, 0.5
	fact := func(field, observation string) *galena.Fact {
		return &galena.Fact{Field: field, State: galena.Known, Value: galena.TextValue(field), Source: "form", ObservationID: observation,
			Confidence: 0.25, ObservedAt: at}
	}
	return galena.Decision{
		LeadID: "l1", Epoch: 1,
		Score: galena.Score{Tier: "A", Rows: []galena.Row{
			{Criterion: "form", Field: "lead.form", Points: 10}, {Criterion: "size", Field: "company.employee_count", Points: 20, AgeDays: &age},
			{Criterion: "utm", Field: "lead.utm_medium"}, {Criterion: "age", Field: "company.founded_year", EffectiveConfidence: &sure},
		}},
		Steps: []galena.Call{{Provider: "hunter", Outcome: "hit", Cents: 1, MS: 2, Why: "points", Added: []string{"company.name"}}},
		Facts: galena.Facts{"company.name": fact("company.name", "o1"), "company.domain": fact("company.domain", ""), "lead.form": fact("lead.form", "o2"),
			"lead.source":         galena.KnownFact("lead.source", galena.EnumValue(""), "form", at),
			"lead.job_title":      galena.KnownFact("lead.job_title", galena.TextValue("CTO"), "form", at),
			"lead.country":        galena.KnownFact("lead.country", galena.Value{Type: galena.TypeCountry, Text: "DE", Raw: "Germany"}, "form", at),
			"match.account_owner": galena.KnownFact("match.account_owner", galena.TextValue("ann"), "galena", at.Add(time.Second))},
		Configs:      []galena.ConfigRef{{Kind: "ICP", Name: "a", Version: 2, Hash: "ff"}},
		Observations: []string{"o1", "o2"},
	}
}

func TestADecisionAndItsSheetAreTheDecision(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]galena.Decision{
		"full":            someDecision(),
		"of nobody known": {LeadID: "l1", Steps: []galena.Call{}},
		"company only":    {Score: galena.Score{Rows: []galena.Row{{Field: "company.type"}, {Field: "company.name"}}}, Facts: galena.Facts{}},
	} {
		names, shared, rest := takeSheet(d)
		body, err1 := rest.text()
		words, err2 := shared.text(names)
		if err1 != nil || err2 != nil || strings.Contains(body, `"observations"`) || strings.Contains(body, `"steps"`) || strings.Contains(body, `"configs"`) {
			t.Errorf("%s: %v, %v, or the rest writes what the sheet has: %s", name, err1, err2, body)
		}
		if got, err := (decisionText{Body: body, Sheet: words}).decision(); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s, stored:\n%+v, want\n%+v", name, got, d)
		}
		whole, err := text(d)
		if got, err2 := (decisionText{Body: whole}).decision(); err != nil || err2 != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s, as before there were sheets:\n%+v, want\n%+v", name, got, d)
		}
	}
	names, shared, rest := takeSheet(someDecision())
	if len(names) != 1 || len(shared.Rows) != 2 {
		t.Errorf("the sheet has %d facts and %d rows, want what was observed of the company", len(names), len(shared.Rows))
	}
	if _, there := rest.Facts["lead.form"]; !there {
		t.Error("what the person said is not with the lead")
	}
	if len(rest.Said) != 2 || len(rest.Facts) != 3 {
		t.Errorf("%d sources said plain words, and %d facts are more than that", len(rest.Said), len(rest.Facts))
	}
}

// Whatever a sheet says is part of its name: a field that is added to one of its
// types and not to the hash fails here.
func TestASheetThatSaysSomethingElseHasAnotherName(t *testing.T) {
	t.Parallel()
	names, shared, _ := takeSheet(someDecision())
	shared.Facts = galena.Facts{names[0]: shared.Facts[names[0]]}
	var buf digestible
	was := shared.hash(names, &buf)
	if of, again, _ := takeSheet(someDecision()); again.hash(of, &buf) != was {
		t.Fatal("the same sheet has two names")
	}
	said := map[string]string{was: "the sheet as it was"}
	changeEach(reflect.ValueOf(&shared).Elem(), "sheet", func(what string) {
		now := shared.hash(names, &buf)
		if other, taken := said[now]; taken {
			t.Errorf("%s does not count: named like %s", what, other)
		}
		said[now] = what
	})
	if shared.hash(names, &buf) != was || len(said) < 40 {
		t.Errorf("%d changes were tried, and the sheet is as before: %v", len(said), shared.hash(names, &buf) == was)
	}
}

// changeEach changes one value after the other, calls the test, and changes it back.
func changeEach(v reflect.Value, path string, test func(string)) {
	try := func(to any) {
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		test(path)
		v.Set(was)
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		try(v.Interface().(time.Time).Add(time.Nanosecond))
		return
	}
	switch v.Kind() {
	case reflect.String:
		try(v.String() + "'")
	case reflect.Bool:
		try(!v.Bool())
	case reflect.Int, reflect.Int64:
		try(v.Int() + 1)
	case reflect.Float64:
		try(v.Float() + 1)
	case reflect.Pointer:
		if v.IsNil() {
			was := reflect.Zero(v.Type())
			v.Set(reflect.New(v.Type().Elem()))
			test(path)
			v.Set(was)
			return
		}
		changeEach(v.Elem(), path, test)
	case reflect.Slice:
		more := reflect.Append(v.Slice3(0, v.Len(), v.Len()), reflect.Zero(v.Type().Elem()))
		if path != "sheet.Rows" && path != "sheet.Places" { // these two are as long as each other
			try(more.Interface())
		}
		for i := range v.Len() {
			changeEach(v.Index(i), path, test)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(key))
			changeEach(elem, path, func(what string) {
				was := v.MapIndex(key)
				v.SetMapIndex(key, elem)
				test(what)
				v.SetMapIndex(key, was)
			})
		}
	case reflect.Struct:
		for i := range v.NumField() {
			changeEach(v.Field(i), path+"."+v.Type().Field(i).Name, test)
		}
	default:
		panic("no change for " + path)
	}
}

// A sheet is written without reflection: every member of it has to be read back.
func TestASheetIsWrittenAsReflectionWould(t *testing.T) {
	t.Parallel()
	names, shared, _ := takeSheet(someDecision())
	shared.Facts = galena.Facts{names[0]: shared.Facts[names[0]]}
	check := func(what string) {
		want, err1 := text(shared)
		got, err2 := shared.text(slices.Sorted(maps.Keys(shared.Facts)))
		a, err3 := parse[map[string]any](want)
		b, err4 := parse[map[string]any](got)
		if err := errors.Join(err1, err2, err3, err4); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %v\n%s, want\n%s", what, err, got, want)
		}
	}
	check("a sheet")
	changeEach(reflect.ValueOf(&shared).Elem(), "sheet", check)
}

func BenchmarkSheet(b *testing.B) {
	d := someDecision()
	for range 20 {
		d.Rows = append(d.Rows, d.Rows[1])
		d.Observations = append(d.Observations, "6afa5ea6-3f70-5ed0-aa10-6985052f36b6")
	}
	b.Run("Hash", func(b *testing.B) {
		var buf digestible
		for b.Loop() {
			names, shared, _ := takeSheet(d)
			_ = shared.hash(names, &buf)
		}
	})
	b.Run("Text", func(b *testing.B) {
		b.ReportAllocs()
		names, shared, _ := takeSheet(d)
		for b.Loop() {
			_, _ = shared.text(names)
		}
	})
	b.Run("Reflection", func(b *testing.B) {
		b.ReportAllocs()
		_, shared, _ := takeSheet(d)
		for b.Loop() {
			_, _ = text(shared)
		}
	})
	b.Run("Rest", func(b *testing.B) {
		b.ReportAllocs()
		_, _, rest := takeSheet(d)
		for b.Loop() {
			_, _ = rest.text()
		}
	})
	b.Run("RestReflection", func(b *testing.B) {
		b.ReportAllocs()
		_, _, rest := takeSheet(d)
		for b.Loop() {
			_, _ = text(rest)
		}
	})
}
