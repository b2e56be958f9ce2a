package intake

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

// memory is a store that remembers what it was given.
type memory struct {
	got        []galena.Intake
	answer     *galena.Receipt
	suppressed [][]byte
	domains    []string
	reads      int
	released   []galena.Release
	err        error
}

func (m *memory) Accept(_ context.Context, in galena.Intake) (galena.Receipt, error) {
	m.got = append(m.got, in)
	if m.answer != nil {
		return *m.answer, m.err
	}
	return galena.Receipt{ID: in.Lead.ID, ExternalID: in.Lead.ExternalID, Status: in.Lead.Status, Warnings: in.Warnings}, m.err
}

func (m *memory) Recall(_ context.Context, hashes [][]byte, _ string) (bool, bool, error) {
	for _, h := range hashes {
		if slices.ContainsFunc(m.suppressed, func(s []byte) bool { return slices.Equal(s, h) }) {
			return true, false, m.err
		}
	}
	return false, false, m.err
}

func (m *memory) KnownDomains(context.Context) ([]string, error) { m.reads++; return m.domains, m.err }

func (m *memory) Record(_ context.Context, id string) (galena.Record, error) {
	for _, in := range m.got {
		if in.Lead.ID == id {
			return galena.Record{Lead: in.Lead}, m.err
		}
	}
	return galena.Record{}, galena.Errorf(galena.NotFound, "sql.record", "no such lead")
}

func (m *memory) Release(_ context.Context, r galena.Release) error {
	m.released = append(m.released, r)
	return m.err
}

type bell int

func (b *bell) Nudge() { *b++ }

type bench struct {
	*Gate
	store *memory
	bell  *bell
	now   time.Time
	reg   *prometheus.Registry
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: &memory{}, bell: new(bell), reg: prometheus.NewRegistry(), now: time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)}
	g, err := NewGate(Deps{Judge: judge(t, config()), Store: b.store, Queue: b.bell, Pepper: []byte("pepper"),
		Registerer: b.reg, Now: func() time.Time { return b.now },
		Deliveries: func(l galena.Lead) ([]galena.Delivery, error) {
			return []galena.Delivery{{Event: galena.EventQuarantined, LeadID: l.ID}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	b.Gate = g
	return b
}

// count reads galena_leads_total as a scrape would.
func (b *bench) count(v galena.Verdict) float64 {
	families, err := b.reg.Gather()
	if err != nil {
		return -1
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == string(v) {
			return m.GetCounter().GetValue()
		}
	}
	return -1
}

func TestALeadIsWrittenWithWhatItsFormStates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	key := &galena.Idempotency{Token: "t", Key: "k"}
	r, j, err := b.Submit(t.Context(), galena.Submission{
		ExternalID: "crm-7", Email: "Ana+x@acme.com", FirstName: "Ana", LastName: "Prado", Company: "Acme", JobTitle: "CEO",
		Fields: map[string]any{"employee_count": "51-200", "registry_id": "4111111111111111", "industry": "Dev Tools",
			"competitor": true, "founded_year": "long ago", "note": "card 4111 1111 1111 1111", "company.hq_country": "uk"},
	}, key, []string{"w"})
	if err != nil || len(b.store.got) != 1 {
		t.Fatal(err)
	}
	in := b.store.got[0]
	l := in.Lead
	if l.ID != r.ID || len(l.ID) != 36 || l.ID[14] != '7' || l.ExternalID != "crm-7" || l.Name != "Ana Prado" ||
		l.Status != galena.StatusAccepted || l.Epoch != 1 || l.Key != j.Key || !l.CreatedAt.Equal(b.now) {
		t.Errorf("lead %+v", l)
	}
	if l.Fields["note"] != "card **** **** **** 1111" || l.Fields["registry_id"] != "4111111111111111" {
		t.Errorf("fields %v", l.Fields)
	}
	if in.Idempotency != key || in.RepeatWithin != 24*time.Hour || in.Forget || len(in.Deliveries) != 0 || in.Warnings[0] != "w" {
		t.Errorf("intake %+v", in)
	}
	got := map[string]string{}
	for _, o := range in.Observations {
		if o.Entity != "acme.com" || o.Source != "form" || o.Class != galena.ClassForm || o.Confidence != 1 || o.ID == "" || o.Ref != l.ID {
			t.Errorf("observation %+v", o)
		}
		got[o.Field] = o.Value.String()
	}
	want := map[string]string{"company.name": "Acme", "company.registry_id": "4111111111111111", "company.industry": "dev-tools",
		"company.employee_count": "51-200", "company.hq_country": "GB"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if *b.bell != 1 || b.count(galena.Accept) != 1 {
		t.Errorf("nudges %d, counted %v", *b.bell, b.count(galena.Accept))
	}
}

func TestAFormWithALongNameIsRefusedForEverybody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.suppressed, _ = SuppressionHashes([]byte("pepper"), "gone@other.com")
	for _, email := range []string{"ana@acme.com", "gone@other.com", "no address"} {
		_, j, err := b.Submit(t.Context(), galena.Submission{Email: email, Form: strings.Repeat("x", MaxForm+1)}, nil, nil)
		if galena.KindOf(err) != galena.Invalid || !strings.Contains(err.Error(), "form has more than 255 octets") || j.Verdict != "" {
			t.Errorf("%s: %v, verdict %q", email, err, j.Verdict)
		}
	}
	if len(b.store.got) != 0 || *b.bell != 0 {
		t.Errorf("%d were stored", len(b.store.got))
	}
	longest := strings.Repeat("x", MaxForm)
	if _, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com", Form: longest}, nil, nil); err != nil || b.store.got[0].Lead.Form != longest {
		t.Errorf("the longest that is allowed: %v", err)
	}
}

// Go's maps have no order, so once would prove nothing.
func TestTheFullNameOfAFieldWins(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 64 {
		_, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com",
			Fields: map[string]any{"employee_count": "51-200", "company.employee_count": "7"}}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range b.store.got {
		if len(in.Observations) != 1 || in.Observations[0].Value.String() != "7" {
			t.Fatalf("observations %+v, want the full name's 7", in.Observations)
		}
	}
}

func TestEachVerdictHasItsFate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		email   string
		verdict galena.Verdict
		status  galena.LeadStatus
		told    int
	}{
		{"x@0-mail.com", galena.Quarantine, galena.StatusQuarantined, 1},
		{"ana@gmial.com", galena.Confirm, galena.StatusQuarantined, 1},
		{"me@quarry.com", galena.InternalOK, galena.StatusInternal, 0},
	}
	for _, c := range cases {
		b := newBench(t)
		r, _, err := b.Submit(t.Context(), galena.Submission{Email: c.email}, nil, nil)
		if err != nil || r.Status != c.status || len(b.store.got[0].Deliveries) != c.told || b.count(c.verdict) != 1 {
			t.Errorf("%s: %+v %v", c.email, r, err)
		}
	}
}

func TestARejectedLeadIsCountedAndNotStored(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, j, err := b.Submit(t.Context(), galena.Submission{Email: "ana@localhost"}, nil, nil)
	if galena.KindOf(err) != galena.Invalid || !strings.Contains(err.Error(), "single_label") || strings.Contains(err.Error(), "ana") {
		t.Errorf("error %v", err)
	}
	if j.Verdict != galena.Reject || len(b.store.got) != 0 || b.count(galena.Reject) != 1 || *b.bell != 0 {
		t.Errorf("%+v", b.store.got)
	}
}

func TestASuppressedPersonLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"Lea+x@silent.com", "silent.com"} {
		b := newBench(t)
		h, err := SuppressionHashes([]byte("pepper"), who)
		if err != nil {
			t.Fatal(err)
		}
		b.store.suppressed = h[:1]
		r, _, err := b.Submit(t.Context(), galena.Submission{Email: "lea@silent.com", Name: "Lea", ExternalID: "e"}, nil, nil)
		if err != nil || r.Status != galena.StatusAccepted || r.ID == "" {
			t.Fatalf("receipt %+v %v", r, err)
		}
		in := b.store.got[0]
		if !in.Forget || in.Lead.Email+in.Lead.Key+in.Lead.Name+in.Lead.Domain != "" || b.count(galena.Drop) != 1 || *b.bell != 0 {
			t.Errorf("%+v", in)
		}
	}
	for _, who := range []string{"@", "a b", "co.uk", "com", ""} {
		if _, err := SuppressionHashes(nil, who); galena.KindOf(err) != galena.Invalid {
			t.Errorf("took %q: %v", who, err)
		}
	}
}

func TestWhoeverIsUnderASuppressedDomainIsKeptOutWithIt(t *testing.T) {
	t.Parallel()
	pepper := []byte("pepper")
	got, err := SuppressionHashes(pepper, "Lea+x@EU.silent.co.uk ")
	if want := [][]byte{Hash(pepper, "lea@eu.silent.co.uk"), Hash(pepper, "eu.silent.co.uk"), Hash(pepper, "silent.co.uk")}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	got, err = SuppressionHashes(pepper, "Eu.Silent.co.uk.")
	if want := [][]byte{Hash(pepper, "eu.silent.co.uk"), Hash(pepper, "silent.co.uk")}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestARepeatIsCountedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.answer = &galena.Receipt{ID: "first", Status: galena.StatusDecided, Duplicate: true}
	r, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com"}, nil, nil)
	if err != nil || r.ID != "first" || b.count(galena.Accept) != 0 || *b.bell != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestAStoreThatIsAwayIsSaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store.err = galena.Errorf(galena.Unavailable, "sql", "away")
	_, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com"}, nil, nil)
	if galena.KindOf(err) != galena.Unavailable || b.count(galena.Accept) != 0 {
		t.Error(err)
	}
}

func TestAccountsAreHeldForTenSeconds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		if _, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com"}, nil, nil); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(6 * time.Second)
	}
	if b.store.reads != 2 {
		t.Errorf("read %d times in 12 s", b.store.reads)
	}
}

func TestACompetitorIsFlaggedForTheProfile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, _, err := b.Submit(t.Context(), galena.Submission{Email: "ana@rival.com"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	o := b.store.got[0].Observations
	if len(o) != 1 || o[0].Field != "company.competitor" || !o[0].Value.Bool || o[0].Source != "hygiene" {
		t.Errorf("%+v", o)
	}
}

func TestOnlyCardsAreMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"4111111111111111":          "************1111",
		"pay 5500-0000-0000-0004 !": "pay ****-****-****-0004 !",
		"378282246310005":           "***********0005",
		"4111111111111112":          "4111111111111112", // wrong check digit
		"+4111111111111111":         "+4111111111111111",
		"order 1234567890123":       "order 1234567890123",
		"12.345.678/0001-95":        "12.345.678/0001-95",
		"2026-11-23":                "2026-11-23",
		"":                          "",
	} {
		if got := maskCards(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := maskAny([]any{4111111111111111.0, map[string]any{"a": "4111111111111111"}, true}); !cmp.Equal(got,
		any([]any{"************1111", map[string]any{"a": "************1111"}, true})) {
		t.Errorf("%v", got)
	}
}

func TestAGateRefusesToMissAPart(t *testing.T) {
	t.Parallel()
	if _, err := NewGate(Deps{}); err == nil {
		t.Error("built from nothing")
	}
	reg := prometheus.NewRegistry()
	d := Deps{Judge: judge(t, Config{}), Store: &memory{}, Queue: new(bell), Registerer: reg, Now: time.Now}
	_, first := NewGate(d)
	_, second := NewGate(d)
	if first != nil || second == nil || errors.Is(second, first) {
		t.Errorf("%v, %v", first, second)
	}
}

func TestChangedListsJudgeTheNextLead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	judge, err := NewJudge(Config{Disposable: []string{"acme.com"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []galena.Verdict{galena.Accept, galena.Quarantine} {
		_, j, err := b.Submit(t.Context(), galena.Submission{Email: "ana@acme.com"}, nil, nil)
		if err != nil || j.Verdict != want {
			t.Errorf("%s, %v, want %s", j.Verdict, err, want)
		}
		if j, err = b.Check(t.Context(), "ana@acme.com"); err != nil || j.Verdict != want {
			t.Errorf("checked: %s, %v, want %s", j.Verdict, err, want)
		}
		b.Use(judge)
	}
}

func TestABandWithoutEndInAFormIsNoValue(t *testing.T) {
	t.Parallel()
	l := galena.Lead{Judgement: galena.Judgement{Domain: "acme.example", Verdict: galena.Accept}}
	l.Fields = map[string]any{"employee_count": "51-200 " + strings.Repeat("employees ", 6_000), "industry": strings.Repeat("x", 60_000)}
	got, err := observations(l, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		if n := len(o.Value.Raw) + len(o.Value.Text); n > 4096 {
			t.Errorf("%s keeps %d octets of a form in the company's record", o.Field, n)
		}
	}
}

// As with a band: a list is as long as it pleases, and each of its words is read with
// every lead of the company.
func TestAListWithoutEndInAFormIsNoValue(t *testing.T) {
	t.Parallel()
	l := galena.Lead{Judgement: galena.Judgement{Domain: "acme.example", Verdict: galena.Accept}}
	var many []any
	text := ""
	for i := range 6_000 {
		many = append(many, fmt.Sprintf("tool%d", i))
		text += fmt.Sprintf("tool%d,", i)
	}
	for _, said := range []any{many, text} {
		l.Fields = map[string]any{"technologies": said}
		got, err := observations(l, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range got {
			if n := len(strings.Join(o.Value.Set, "")); n > 4096 {
				t.Errorf("%s keeps %d octets in %d words of a form in the company's record", o.Field, n, len(o.Value.Set))
			}
		}
	}
}
