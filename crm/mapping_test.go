package crm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/galenahq/galena/crm"
)

func TestAMappingIsToldAllItsFaults(t *testing.T) {
	t.Parallel()
	m := crm.Mapping{
		Owners: map[string]string{"sam.lee": " "},
		Fields: map[string]map[string]crm.Placed{
			"deal": {},
			"company": {
				"company.employee_cnt": {Place: "headcount"},
				"company.industry":     {Place: "a b"},
				"company.name":         {Rule: crm.Rule{Write: crm.Suggest, Shadow: "company.name.ours"}},
				"company.description":  {Rule: crm.Rule{Write: crm.Suggest, Shadow: "company.description.ours"}},
				"company.name.ours":    {Place: "nameByGalena"},
				"owner":                {Rule: crm.Rule{Write: "fil_empty", Pool: []string{"queue"}}},
			},
		},
	}
	got := errors.Join(m.Faults("spec")...).Error()
	for _, want := range []string{`owners.sam.lee`, `is "deal"`, `unknown field "company.employee_cnt"`, `"a b" is no name`,
		`no field is called "company.description.ours"`, `is "fil_empty"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not among the faults:\n%s", want, got)
		}
	}
	if n := len(m.Faults("spec")); n != 6 {
		t.Errorf("%d faults, want 6:\n%s", n, got)
	}
}

func TestWhatAMappingDoesNotSayIsAsUsual(t *testing.T) {
	t.Parallel()
	m := crm.Mapping{Fields: map[string]map[string]crm.Placed{"company": {
		"company.name": {Rule: crm.Rule{Write: crm.RefreshIfOurs}},
		"icp.tier":     {Rule: crm.Rule{Write: crm.Never}},
		"owner":        {Rule: crm.Rule{Pool: []string{"Queue"}}},
	}}}
	got := m.Policies(crm.Company, []crm.Field{"company.name", industry, crm.Score, crm.Tier, crm.Owner},
		func(_ crm.Field, s string) string { return strings.ToLower(s) })
	for f, want := range map[crm.Field]crm.Mode{"company.name": crm.RefreshIfOurs, industry: crm.FillEmpty, crm.Score: crm.Own,
		crm.Tier: crm.Never, crm.Owner: crm.FillEmpty} {
		if got[f].Mode != want {
			t.Errorf("%s is written %s, want %s", f, got[f].Mode, want)
		}
	}
	if pool := got[crm.Owner].Pool; len(pool) != 1 || pool[0] != "queue" {
		t.Errorf("the pool is %v", pool)
	}
}
