package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func settings(name string) (string, error) {
	return map[string]string{"TOKEN": "t/k", "USER": "ada", "PASSWORD": "p:w", "CLIENT_ID": "client", "CLIENT_SECRET": "secret"}[name], nil
}

func TestAValueTakesTheFormOfItsField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		field Field
		ours  galena.Value
		sent  string // JSON
		alike string // how a person may have written the same, JSON
	}{
		{"cents", Field{Path: "v", Type: "money", Unit: 100}, galena.Number(42), `4200`, `"4,200.00"`},
		{"micros", Field{Path: "v", Type: "micros"}, galena.Number(42), `42000000`, `"42000000"`},
		{"a number as text", Field{Path: "v", Type: "int", Quoted: true}, galena.Number(250), `"250"`, `250`},
		{"points", Field{Path: "v", Type: "number"}, galena.Value{Type: galena.TypeScore, Lo: 875, Hi: 875}, `87.5`, `"87.50"`},
		{"whole points", Field{Path: "v", Type: "int"}, galena.Value{Type: galena.TypeScore, Lo: 875, Hi: 875}, `88`, `88.0`},
		{"yes", Field{Path: "v", Type: "bool", Yes: "Sim", No: "Não"}, galena.BoolValue(true), `"Sim"`, `"sim"`},
		{"no", Field{Path: "v", Type: "bool"}, galena.BoolValue(false), `false`, `false`},
		{"joined", Field{Path: "v", Type: "list", Join: "; "}, galena.SetValue([]string{"php", "Go"}, false), `"go; php"`, `"PHP;Go"`},
		{"a list", Field{Path: "v", Type: "list"}, galena.SetValue([]string{"php", "go"}, false), `["go","php"]`, `["PHP","Go"]`},
		{"a day", Field{Path: "v", Type: "date"}, galena.DateValue(noon), `"2026-11-21"`, `"2026-11-21T08:00:00Z"`},
		{"milliseconds", Field{Path: "v", Type: "date", Format: "unix_ms"}, galena.TextValue("2026-11-21T12:00:00Z"), `1795262400000`, `"2026-11-21"`},
		{"a domain as a link", Field{Path: "v", Type: "domain", Format: "https://{value}"}, galena.TextValue("acme.example"), `"https://acme.example"`, `"http://WWW.acme.example/about"`},
		{"a phone", Field{Path: "v", Type: "phone"}, galena.TextValue("+49 30 123"), `"+49 30 123"`, `"0049-30-123"`},
		{"a word", Field{Path: "v", Type: "enum", Map: map[string]any{"software": 17}}, galena.EnumValue("Software"), `17`, `"17"`},
		{"cut", Field{Path: "v", MaxLen: 4}, galena.TextValue("São Paulo"), `"São"`, `"SÃO"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			codec := newCodec("x", "company.name", c.field)
			e, err := codec.encode(c.ours)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(codec.write(object{}, nil, e.Raw))
			if err != nil || string(b) != `{"v":`+c.sent+`}` {
				t.Errorf("sent %s, want %s (%v)", b, c.sent, err)
			}
			doc, err := parse([]byte(`{"v":` + c.alike + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if v := codec.read(doc); v.Norm != e.Norm || v.Blank {
				t.Errorf("%s reads %q, ours %q", c.alike, v.Norm, e.Norm)
			}
		})
	}
}

// An empty list in the file stands for an empty list, and not for whatever is no
// single word: a person's would be overwritten.
func TestWhatIsBlankInTheFileBlanksNothingElse(t *testing.T) {
	t.Parallel()
	for _, means := range []any{nil, "", []any{}, object{}} {
		for _, stands := range []any{[]any{"crm"}, object{"value": "5"}} {
			c := newCodec("x", "company.technologies", Field{Path: "a", Type: typeList, Blank: []any{means, 0}})
			if v := c.read(object{"a": stands}); v.Blank {
				t.Errorf("%v is blank by %v", stands, means)
			}
		}
	}
}

// What is not in the form we know is somebody's value all the same.
func TestAValueInAForeignFormIsNoBlank(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field Field
		raw   string
		blank bool
	}{
		{Field{Path: "v", Type: "phone"}, `"via reception, ask for Bob"`, false},
		{Field{Path: "v", Type: "int"}, `"about fifty"`, false},
		{Field{Path: "v", Type: "list"}, `[{"id":1,"label":"SAP"}]`, false},
		{Field{Path: "v"}, `{"id":4,"label":"Mining"}`, false},
		{Field{Path: "v", Type: "phone"}, `"  "`, true},
		{Field{Path: "v", Type: "list"}, `[{"id":null,"label":""}]`, true},
		{Field{Path: "v"}, `{"label":null}`, true},
		{Field{Path: "v"}, `{"id":null,"label":"Mining"}`, false},
		{Field{Path: "v"}, `{"label":"Mining","active":true}`, false},
		{Field{Path: "v"}, `{"active":true}`, true},
		{Field{Path: "v", Type: "phone"}, `false`, true},
		{Field{Path: "v", Type: "phone"}, `[{"value":"","primary":true}]`, true},
		{Field{Path: "v", Type: "phone"}, `[{"label":"work","value":"","primary":true}]`, true},
		{Field{Path: "v", Type: "phone"}, `[{"label":"work","value":"n/a"}]`, false},
		{Field{Path: "v", Type: "money"}, `{"amount":null,"currency":"USD"}`, true},
		{Field{Path: "v", Type: "money"}, `{"amount":7,"currency":"USD"}`, false},
	} {
		doc, err := parse([]byte(`{"v":` + c.raw + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if v := newCodec("x", "company.name", c.field).read(doc); v.Blank != c.blank || (v.Norm == "") != c.blank {
			t.Errorf("%s of type %q is blank %t, norm %q", c.raw, c.field.Type, v.Blank, v.Norm)
		}
	}
}

func TestAPlaceholderIsComparedAsWhatTheyWrote(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field Field
		words []string
		raw   string // JSON
	}{
		{Field{Path: "v"}, []string{"n/a"}, `" N/A "`},
		{Field{Path: "v", Type: "phone"}, []string{"n/a"}, `"n/a"`},
		{Field{Path: "v", Type: "phone"}, []string{"N/A"}, `"n/a "`},
		{Field{Path: "v", Type: "phone"}, []string{"0"}, `"0"`},
		{Field{Path: "v", Type: "int"}, []string{"-"}, `"-"`},
		{Field{Path: "v", Type: "list"}, []string{"-"}, `"-"`},
		{Field{Path: "v", Type: "list"}, []string{"-"}, `["-"]`},
		{Field{Path: "v", Type: "list"}, []string{"n/a"}, `["N/A"]`},
		{Field{Path: "v", Type: "list", Join: ";"}, []string{"-"}, `"-"`},
	} {
		c.field.Rule = crm.Rule{Write: crm.OverridePlaceholders, Placeholders: c.words}
		o := describe("x", crm.Company, Object{Fields: map[string]Field{"company.name": c.field}})
		conn := &Connector{objects: map[crm.Object]described{crm.Company: o}}
		doc, err := parse([]byte(`{"v":` + c.raw + `}`))
		if err != nil {
			t.Fatal(err)
		}
		v := o.codecs["company.name"].read(doc)
		if p := conn.Policies(crm.Company)["company.name"]; v.Blank || p.Placeholders[0] != v.Norm {
			t.Errorf("%s of type %q is %q, the placeholder %q", c.raw, c.field.Type, v.Norm, p.Placeholders[0])
		}
	}
}

// Servers answer in their own form; of free text another spelling is a person's.
func TestOnlyTheSpellingOfFreeTextIsAPersons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field Field
		ours  galena.Value
		read  string // JSON
		want  crm.Outcome
	}{
		{Field{Path: "v", Type: "int"}, galena.Number(250), `"250"`, crm.Write},
		{Field{Path: "v"}, galena.Number(250), `250`, crm.Write},
		{Field{Path: "v", Type: "bool"}, galena.BoolValue(true), `"true"`, crm.Write},
		{Field{Path: "v", Type: "domain", Format: "https://{value}"}, galena.TextValue("acme.example"), `"acme.example"`, crm.Write},
		{Field{Path: "v", Type: "phone"}, galena.TextValue("+1 512-555-0100"), `"+15125550100"`, crm.Write},
		{Field{Path: "v", Type: "email"}, galena.TextValue("Ada@acme.example"), `"ada@acme.example"`, crm.Write},
		{Field{Path: "v", Type: "date", Format: "datetime"}, galena.DateValue(noon), `"2026-11-21"`, crm.Write},
		{Field{Path: "v", Type: "enum", Map: map[string]any{"software": "SW"}}, galena.EnumValue("software"), `"sw"`, crm.Write},
		{Field{Path: "v"}, galena.TextValue("Acme"), `"Acme"`, crm.Write},
		{Field{Path: "v"}, galena.TextValue("Acme"), `"ACME"`, crm.Conflict},
		{Field{Path: "v", Type: "enum"}, galena.EnumValue("software"), `"Software"`, crm.Conflict},
	} {
		codec := newCodec("x", "company.name", c.field)
		sent, err := codec.encode(c.ours)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(sent.Raw)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parse([]byte(`{"v":` + c.read + `}`))
		if err != nil {
			t.Fatal(err)
		}
		found := crm.Found{Records: []crm.Record{{ID: "1", Fields: map[crm.Field]crm.Value{"f": codec.read(doc)}}}}
		base := map[crm.Field]crm.Base{"f": {Norm: sent.Norm, RawHash: galena.CRMValue{Raw: raw}.Hash(), ObservedAt: noon}}
		d := crm.Make(crm.Key{}, found, base, []crm.Want{{Field: "f", Encoded: crm.Encoded{Raw: "x", Norm: "x"},
			Policy: crm.Policy{Mode: crm.RefreshIfOurs}, ObservedAt: noon.Add(time.Hour)}}).Decisions[0]
		if d.Outcome != c.want {
			t.Errorf("%s of type %q, read as %s: %s, %s", raw, c.field.Type, c.read, d.Outcome, d.Reason)
		}
	}
}

func TestAnAmountInAnotherCurrencyIsAnotherValue(t *testing.T) {
	t.Parallel()
	c := newCodec("x", "company.annual_revenue_usd", Field{Path: "a.value", Type: "money", Currency: "a.currency"})
	e, err := c.encode(galena.Number(42))
	if err != nil {
		t.Fatal(err)
	}
	rec := object{"a": object{"value": json.Number("42"), "currency": "EUR"}}
	theirs := c.read(rec)
	if theirs.Norm == e.Norm {
		t.Error("42 EUR is taken for 42 USD")
	}
	b, err := json.Marshal(c.write(object{}, nil, theirs.Raw))
	if err != nil || string(b) != `{"a":{"currency":"EUR","value":42}}` {
		t.Errorf("put back: %s %v", b, err)
	}
	if v := c.read(object{"a": object{"value": nil, "currency": ""}}); !v.Blank {
		t.Error("an object without an amount is not blank")
	}
}

func TestEachStyleSendsItsToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		auth Auth
		want string
	}{
		{Auth{Style: "none"}, "/x  "},
		{Auth{Style: "bearer"}, "/x Bearer t/k "},
		{Auth{Style: "header", Name: "X-Api-Key", Prefix: "Key "}, "/x  Key t/k"},
		{Auth{Style: "query", Name: "api_token"}, "/x?api_token=t%2Fk  "},
		{Auth{Style: "path", Prefix: "/u/"}, "/u/t%2Fk/x  "},
		{Auth{Style: "basic"}, "/x Basic YWRhOnA6dw== "},
	} {
		conn := &Connector{config: Config{BaseURL: "https://crm.example", Auth: c.auth}}
		k := &keyring{Auth: c.auth, secret: settings, now: clock}
		token, err := k.give(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		req, err := conn.build(t.Context(), request{Call: Call{Method: http.MethodGet, Path: "/x"}}, token)
		if err != nil {
			t.Fatal(err)
		}
		if got := req.URL.RequestURI() + " " + req.Header.Get("Authorization") + " " + req.Header.Get("X-Api-Key"); got != c.want {
			t.Errorf("%s: %q, want %q", c.auth.Style, got, c.want)
		}
	}
}

func TestManyCallsFetchOneToken(t *testing.T) {
	t.Parallel()
	fake := crmfake.New(crmfake.JSONAPI, "t", clock)
	srv := httptest.NewServer(fake)
	defer srv.Close()
	k := &keyring{Auth: Auth{Style: styleClient, TokenURL: srv.URL + "/oauth/token"}, client: srv.Client(), secret: settings, now: clock}
	for _, refused := range []string{"", "access-1"} {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := k.give(context.Background(), refused); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := fake.Minted(); n != 2 {
		t.Errorf("%d tokens were fetched, want one and one after it was refused", n)
	}
}

func TestTheDaysBudgetAndTheRateAreKept(t *testing.T) {
	t.Parallel()
	now := noon
	p := &pacer{Limits: Limits{Rate: Rate{Calls: 2, Per: time.Minute}, Daily: Daily{Budget: 45}}, now: func() time.Time { return now }, slots: make(chan struct{}, 1)}
	ask := func(cost int) error {
		leave, err := p.enter(t.Context(), "x", cost)
		if err == nil {
			leave()
		}
		return err
	}
	if err := ask(40); err != nil {
		t.Fatal(err)
	}
	if err := ask(40); galena.KindOf(err) != galena.Exhausted || galena.RetryAfterOf(err) != 12*time.Hour {
		t.Errorf("beyond the budget: %v", err)
	}
	if err := ask(1); galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != time.Minute {
		t.Errorf("beyond the rate: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := ask(40); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestACallThatIsUnderWayFillsTheWindow(t *testing.T) {
	t.Parallel()
	now := noon
	p := &pacer{Limits: Limits{Rate: Rate{Calls: 2, Per: time.Minute}}, now: func() time.Time { return now }, slots: make(chan struct{}, 4)}
	first, err1 := p.enter(t.Context(), "x", 0)
	second, err2 := p.enter(t.Context(), "x", 0)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	refused := func(what string, wait time.Duration) {
		t.Helper()
		if _, err := p.enter(t.Context(), "x", 0); galena.CauseOf(err) != galena.CausePace || galena.RetryAfterOf(err) != wait {
			t.Errorf("%s: %v for %s, want our own pace for %s", what, err, galena.RetryAfterOf(err), wait)
		}
	}
	refused("both are under way", 6*time.Second)
	now = now.Add(50 * time.Second)
	first()
	second()
	now = now.Add(40 * time.Second) // a minute and a half since they began: they may have got there late
	refused("both were answered forty seconds ago", 20*time.Second)
	now = now.Add(20 * time.Second)
	if _, err := p.enter(t.Context(), "x", 0); err != nil {
		t.Errorf("the window is empty: %v", err)
	}
}

func TestThatWeChangedARecordSaysNothingOfAField(t *testing.T) {
	t.Parallel()
	o := describe("x", crm.Company, Object{Edited: Edited{By: "by", Ours: []string{"7"}}, Fields: map[string]Field{"company.name": {Path: "name"}}})
	for by, want := range map[string]crm.Actor{"7": "", "8": crm.ByPerson, "": ""} {
		r := o.record(object{"id": "1", "name": "Acme", "by": by}, nil)
		if got := r.Fields["company.name"].Last.By; got != want {
			t.Errorf("changed by %q: %q, want %q", by, got, want)
		}
	}
}

func TestAPlaceholderOfAnAmountWithACurrency(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"a":{"value":0,"currency":"USD"}}`, `{"a":{"value":0,"currency":null}}`, `{"a":{"value":0,"currency":"EUR"}}`} {
		f := Field{Path: "a.value", Type: "money", Currency: "a.currency"}
		f.Rule = crm.Rule{Write: crm.OverridePlaceholders, Placeholders: []string{"0"}}
		o := describe("x", crm.Company, Object{Fields: map[string]Field{"company.annual_revenue_usd": f}})
		conn := &Connector{objects: map[crm.Object]described{crm.Company: o}}
		doc, err := parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		v := o.codecs["company.annual_revenue_usd"].read(doc)
		if p := conn.Policies(crm.Company)["company.annual_revenue_usd"]; v.Blank || p.Placeholders[0] != v.Norm {
			t.Errorf("%s is %q, the placeholder %q", raw, v.Norm, p.Placeholders[0])
		}
	}
}

// A person's choice among options is its label; that the option has no colour does not
// make it blank, to be overwritten.
func TestALabelBesideANullIsSomebodysWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field Field
		raw   string
		blank bool
	}{
		{Field{Path: "v", Type: "enum"}, `{"label":"Mining","color":null}`, false},
		{Field{Path: "v"}, `{"id":null,"label":"Mining","description":""}`, false},
		{Field{Path: "v", Type: "list"}, `[{"label":"Mining","color":null}]`, false},
		{Field{Path: "v", Type: "phone"}, `[{"label":"work","value":null}]`, true},
		{Field{Path: "v", Type: "email"}, `[{"label":"work","value":null}]`, true},
		{Field{Path: "v", Type: "money"}, `{"amount":null,"currency":"USD"}`, true},
	} {
		doc, err := parse([]byte(`{"v":` + c.raw + `}`))
		if err != nil {
			t.Fatal(err)
		}
		v := newCodec("x", "company.industry", c.field).read(doc)
		if v.Blank != c.blank {
			t.Errorf("%s of type %q: blank %t, norm %q", c.raw, c.field.Type, v.Blank, v.Norm)
		}
	}
}
