package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// The words of the demo's world, and some that no rule knows.
var (
	headcounts   = []any{3, 45, 49, 50, 199, 200, 420, 1000, 1001, 6000, "51-200", "501-1000", "10,001+", "2-10"}
	revenues     = []any{1_500_000, 9_999_999, "$10M-$25M", "$50M-$100M", 230_000_000, "1M+"}
	industries   = []any{"software", "Software", "fintech", "energy", "education", "it-services", "developer-tools"}
	nations      = []any{"US", "DE", "GB", "UK", "BR", "CL", "IR", "JP", "SE"}
	stacks       = []any{[]any{"salesforce"}, []any{"hubspot", "bigquery"}, []any{"basalt-crm"}, []any{"wordpress"}, []any{"Segment", "HubSpot", "marketo"}}
	titles       = []string{"", "CEO", "VP Revenue Operations", "Intern", "Diretora Comercial", "Sales Operations Specialist", "Product Manager"}
	forms        = []string{"", "demo", "ebook", "pricing", "contact"}
	companies    = []string{"northwind-analytics.example", "helios-logistics.example", "basalt-crm.example", ""}
	people       = []string{"", "", "", "erin.walsh", "dylan.okafor", "gone"}
	informants   = []string{"own-crawl", "alpha-firmo", "beta-prime", "gamma-tech", "registry-br", "stranger", "form", "import", "crm:twenty", "human:ana"}
	classesOf    = []galena.EmailClass{galena.Corporate, galena.Role, galena.Freemail}
	companyWords = map[string][]any{"company.employee_count": headcounts, "company.annual_revenue_usd": revenues,
		"company.industry": industries, "company.hq_country": nations, "company.technologies": stacks,
		"company.name": {"Northwind", "NORTHWIND ", "Helios"}, "company.registry_id": {"12.345"}}
	companyFields = []string{"company.employee_count", "company.annual_revenue_usd", "company.industry", "company.hq_country",
		"company.technologies", "company.name", "company.registry_id"}
)

// cases is how many random cases a property is tried on.
func cases() int {
	if testing.Short() {
		return 1_000
	}
	return 10_000
}

func pick[T any](rnd *rand.Rand, from []T) T { return from[rnd.IntN(len(from))] }

// drawMemory is a random lead with random things that were said of its company.
func drawMemory(t testing.TB, rnd *rand.Rand) galena.Memory {
	domain := pick(rnd, companies)
	m := galena.Memory{OpenLeadOwner: pick(rnd, people), AccountOwner: pick(rnd, people), Lead: galena.Lead{
		ID: "l", JobTitle: pick(rnd, titles), Form: pick(rnd, forms), Source: pick(rnd, forms), Epoch: 1, CreatedAt: afternoon,
		Judgement: galena.Judgement{Domain: domain, Class: pick(rnd, classesOf), Spendable: domain != "" && rnd.IntN(8) > 0},
	}}
	if rnd.IntN(3) == 0 {
		m.Lead.Country = fmt.Sprint(pick(rnd, nations))
	}
	for i := range rnd.IntN(9) {
		field := pick(rnd, companyFields)
		o := said(t, fmt.Sprintf("o-%d", i), pick(rnd, informants), field, pick(rnd, companyWords[field]))
		o.Class = ""
		o.Value.Closed = o.Value.Closed && rnd.IntN(2) == 0
		if rnd.IntN(10) == 0 {
			o.Value, o.Absent = galena.Value{}, true
		}
		o.Confidence = pick(rnd, []float64{1, 1, 0.8, 0.4})
		o.ObservedAt = afternoon.Add(-time.Duration(pick(rnd, []int{0, 0, 1, 30, 200, 900})) * 24 * time.Hour)
		m.Observations = append(m.Observations, o)
	}
	return m
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoded[T any](t testing.TB, b []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// kept is what replay reads of a stored decision. The lead and the observations
// have rows of their own.
type kept struct {
	Observations []string      `json:"observations"`
	DecidedAt    time.Time     `json:"decided_at"`
	Took         time.Duration `json:"took_ns"`
	Facts        map[string]struct{ Value galena.Value }
	Configs      []galena.ConfigRef
}

// rules are those that the decision names.
func (k kept) rules(t testing.TB, all ...*Rules) *Rules {
	t.Helper()
	i := slices.IndexFunc(all, func(r *Rules) bool { return slices.Equal(r.Refs, k.Configs) })
	if i < 0 {
		t.Fatalf("no rules %+v", k.Configs)
	}
	return all[i]
}

func (k kept) memory(lead galena.Lead, stored map[string]galena.Observation) galena.Memory {
	m := galena.Memory{Lead: lead, OpenLeadOwner: k.Facts["match.open_lead_owner"].Value.Text,
		AccountOwner: k.Facts["match.account_owner"].Value.Text}
	for _, id := range k.Observations {
		m.Observations = append(m.Observations, stored[id])
	}
	return m
}

// I13: what was decided can be decided again, byte for byte, from what was kept
// of it; the order in which the observations are read back does not matter.
func TestI13AStoredDecisionCanBeReplayed(t *testing.T) {
	t.Parallel()
	rules, vendors := demoRules(t)
	rules.Enricher = vendors
	counted := rules.withMeans(galena.Means{Profile: "icp", Leads: 200,
		Values: map[string]int64{"headcount": 8100, "industry": -1200, "tech": 3333}}, galena.ConfigRef{Kind: "ICP"})
	seen := counted.withHits(galena.HitRates{Day: "2026-11-23", Companies: 1,
		Tallies: map[string]map[string]galena.Tally{"": {"alpha-firmo": {Asked: 1}}}})
	for i := range cases() {
		rnd := rand.New(rand.NewPCG(13, uint64(i)))
		clock := afternoon.Add(time.Duration(rnd.IntN(100_000)) * time.Second)
		p := &Pipeline{Now: func() time.Time { return clock }}
		decide := func(rules *Rules, m galena.Memory, took time.Duration) galena.Decision {
			r := newRun(p, rules, m)
			clock = r.began.Add(time.Duration(rnd.IntN(500)) * 24 * time.Hour) // a look has no clock of its own
			v := r.look(true)
			clock = r.began.Add(took)
			return r.decision(v, galena.Assignment{LeadID: "l", Epoch: 1}, nil)
		}
		m := drawMemory(t, rnd)
		was := encoded(t, decide(pick(rnd, []*Rules{rules, counted, seen}), m, time.Duration(rnd.IntN(3000))*time.Millisecond))

		stored := map[string]galena.Observation{}
		for _, o := range m.Observations {
			stored[o.ID] = decoded[galena.Observation](t, encoded(t, o))
		}
		k := decoded[kept](t, was)
		order := slices.Clone(k.Observations)
		rnd.Shuffle(len(k.Observations), func(i, j int) {
			k.Observations[i], k.Observations[j] = k.Observations[j], k.Observations[i]
		})
		clock = k.DecidedAt.Add(-k.Took)
		again := decide(k.rules(t, rules, counted, seen), k.memory(m.Lead, stored), k.Took)
		again.Observations = order
		if got := encoded(t, again); !bytes.Equal(got, was) {
			t.Fatalf("case %d: replayed\n%s\nwas\n%s", i, got, was)
		}
	}
}
