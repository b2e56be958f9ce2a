package intake

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

type sample struct {
	Hygiene Config `yaml:"hygiene"`
	CRM     struct {
		Accounts []struct {
			Domain string `yaml:"domain"`
		} `yaml:"accounts"`
	} `yaml:"crm"`
	Leads []struct {
		N         int    `yaml:"n"`
		Email     string `yaml:"email"`
		Honeypot  string `yaml:"honeypot"`
		ElapsedMS int    `yaml:"elapsed_ms"`
	} `yaml:"leads"`
}

type expected struct {
	N             int            `json:"n"`
	Verdict       galena.Verdict `json:"verdict"`
	Codes         []string       `json:"codes"`
	CompanyDomain string         `json:"company_domain"`
}

func TestTheSampleLeadsGetTheExpectedJudgement(t *testing.T) {
	t.Parallel()
	var s sample
	var want []expected
	raw, err := os.ReadFile("testdata/leads.sample.yaml")
	if err == nil {
		err = yaml.Unmarshal(raw, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/hygiene.golden.json")
	if err == nil {
		err = json.Unmarshal(golden, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJudge(s.Hygiene, Options{AllowReserved: true})
	if err != nil {
		t.Fatal(err)
	}
	var known Known
	for _, a := range s.CRM.Accounts {
		known.KnownDomains = append(known.KnownDomains, a.Domain)
	}
	got := make([]expected, 0, len(s.Leads))
	for _, l := range s.Leads {
		v := j.Judge(galena.Submission{Email: l.Email, Honeypot: l.Honeypot, ElapsedMS: l.ElapsedMS}, known)
		got = append(got, expected{l.N, v.Verdict, v.Codes, v.Domain})
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 24 {
		t.Errorf("%d leads judged; -want +got:\n%s", len(got), diff)
	}
}
