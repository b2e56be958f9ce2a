package providers

import (
	"testing"

	"github.com/galenahq/galena"
)

func TestOneOddFieldDoesNotCostTheRecord(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(`{"domain":"acme.example","name":"Acme","metrics":{"employees":{"n":5},"raised":"lots"},
		"geo":"Berlin","foundedYear":"c. 1998","tech":"react","tags":[1,null,"B2B"],"emailProvider":"google.com","category":7}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadClearbitShape("x.enrich", "acme.example", o, clock())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range r.Observations {
		got[v.Field] = v.Value.String()
	}
	want := map[string]string{"company.name": "Acme", "company.founded_year": "1998", "company.tags": "1,b2b"}
	for field, value := range want {
		if got[field] != value {
			t.Errorf("%s is %q, want %q", field, got[field], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHeadcountIsOfTheCompanyThatWasAskedForAndNotOfItsGroup(t *testing.T) {
	t.Parallel()
	subsidiary, err := ParseObject([]byte(`{"domain":"acme.example","name":"Acme","metrics":{"employees":120},
		"parent":{"domain":"www.holding.example"},"ultimateParent":{"domain":"group.example"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadClearbitShape("x.enrich", "acme.example", subsidiary, clock())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range r.Observations {
		got[v.Field] = v.Value.String()
	}
	if got["company.employee_count"] != "120" || got["company.parent_domain"] != "holding.example" {
		t.Errorf("got %v", got)
	}
	group, err := ParseObject([]byte(`{"domain":"holding.example","name":"Holding","metrics":{"employees":90000}}`))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ReadClearbitShape("x.enrich", "acme.example", group, clock()); galena.KindOf(err) != galena.WrongSubject || len(r.Observations) != 0 {
		t.Errorf("the parent's record answers for the subsidiary: %+v, %v", r, err)
	}
}

func TestARecordOfTheFutureIsOfNow(t *testing.T) {
	t.Parallel()
	r, err := ReadClearbitShape("x.enrich", "acme.example",
		Object{"domain": "acme.example", "name": "Acme", "indexedAt": "2031-01-01"}, clock())
	if err != nil || !r.Observations[0].ObservedAt.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
}

func FuzzReadClearbitShape(f *testing.F) {
	for _, s := range []string{`{"domain":"acme.example"}`, `{"domain":"acme.example","metrics":{"employees":1e999}}`, `{"a":1,"a":2}`, `[]`, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseObject(b)
		if err != nil {
			return
		}
		r, err := ReadClearbitShape("x.enrich", "acme.example", o, clock())
		for _, v := range r.Observations {
			if _, ok := galena.LookupField(v.Field); !ok || err != nil {
				t.Errorf("%s beside %v", v.Field, err)
			}
		}
	})
}
