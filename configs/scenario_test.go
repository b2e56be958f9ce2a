package configs

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

func TestTheDemoScenarioIsRead(t *testing.T) {
	t.Parallel()
	b, err := fs.ReadFile(Demo(), "leads.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadScenario("leads.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Leads) != 24 || len(s.Answers) != 10 || len(s.Accounts) != 1 || len(s.OpenLeads) != 1 {
		t.Errorf("%d leads, %d answers, %d accounts, %d open leads", len(s.Leads), len(s.Answers), len(s.Accounts), len(s.OpenLeads))
	}
	if want := time.Date(2026, 11, 23, 14, 32, 0, 0, time.UTC); !s.At(6).Equal(want) {
		t.Errorf("lead 6 arrives at %s, want %s", s.At(6), want)
	}
	l := s.Leads[3]
	if l.N != 6 || l.JobTitle != "Diretor Comercial" || l.Fields["registry_id"] != "12.345.678/0001-95" {
		t.Errorf("lead 6 is %+v", l)
	}
	if bot := s.Leads[23]; bot.Honeypot == "" || bot.ElapsedMS != 300 {
		t.Errorf("lead 39 is %+v", bot)
	}
	if s.Leads[18].Email != "anna@\u0430cme-robotics.example" {
		t.Errorf("lead 31 is %q", s.Leads[18].Email)
	}
	if got := s.Answers["outage-corp.example"]["gamma-tech"].Error; got != "429" {
		t.Errorf("gamma-tech answers %q, want 429", got)
	}
	if got := s.Answers["andes-pay.example"]["alpha-firmo"].Fields["company.employee_count"]; got != "51-200" {
		t.Errorf("alpha-firmo answers %v, want 51-200", got)
	}
	want := []galena.Observation{{Entity: "quietbook.example", Field: "company.employee_count", Value: galena.Number(18), Source: "import",
		Class: galena.ClassCRM, Method: "import", Confidence: 0.6,
		ObservedAt: time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC), FetchedAt: time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC)}}
	if d := cmp.Diff(want, s.Observations); d != "" {
		t.Error(d)
	}
}

func TestAScenarioIsReadStrictly(t *testing.T) {
	t.Parallel()
	const now = "now: \"2026-11-23T14:30:00Z\"\n"
	const leads = "leads: [{n: 1, email: a@b.example}]\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown section", now + leads + "answer: {}\n", `s.yaml:3:1: E01 unknown key "answer" (did you mean "answers"?)`},
		{"unknown list", now + leads + "hygiene: {free: [a.example]}\n", `s.yaml:3:11: E01 unknown key "free" (did you mean "freemail"?)`},
		{"unknown key of an account", now + leads + "crm: {accounts: [{domain: a.example, ownr: x}]}\n",
			`s.yaml:3:38: E01 unknown key "ownr" (did you mean "owner"?)`},
		{"no clock", leads, `s.yaml:1:1: E02 now must be a time such as 2026-11-23T14:30:00Z`},
		{"bad clock", "now: monday\n" + leads, `s.yaml:1:6: E02 now must be a time such as 2026-11-23T14:30:00Z, is text`},
		{"no leads", now, `s.yaml:1:1: E02 leads must list at least one lead`},
		{"no number", now + "leads: [{email: a@b.example}]\n", `s.yaml:2:9: E02 leads[0].n must be the lead's number`},
		{"number twice", now + "leads:\n- {n: 1, email: a}\n- {n: 1, email: b}\n", `s.yaml:4:7: E03 number 1 is already used`},
		{"no address", now + "leads: [{n: 1}]\n", `s.yaml:2:9: E02 leads[0].email must not be empty`},
		{"title", now + "leads: [{n: 1, email: a, job_title: [x]}]\n", `s.yaml:2:37: E02 leads[0].job_title must be text`},
		{"long form", now + "leads: [{n: 1, email: a, form: " + strings.Repeat("x", 256) + "}]\n", `s.yaml:2:32: E02 leads[0].form must have at most 255 octets`},
		{"time", now + "leads: [{n: 1, email: a, elapsed_ms: soon}]\n", `s.yaml:2:38: E02 leads[0].elapsed_ms must be a whole number from 0`},
		{"field of an answer", now + leads + "answers:\n  a.example:\n    hunter: {company.employees: 5}\n",
			`s.yaml:5:33: E04 unknown field "company.employees" (did you mean "company.employee_count"?)`},
		{"error and values", now + leads + "answers:\n  a.example:\n    hunter: {error: timeout, company.name: x}\n",
			`s.yaml:5:13: E02 an answer is either an error or values, not both`},
		{"error word", now + leads + "answers: {a.example: {hunter: {error: \"it broke\"}}}\n",
			`s.yaml:3:39: E02 answers.a.example.hunter.error must be a word such as timeout, or a status such as 429`},
		{"observation", now + leads + "crm: {observations: [{domain: a.example, field: company.employee_count, value: many}]}\n",
			`s.yaml:3:80: E02 company.employee_count: "many" is not a number or a range such as 51-200`},
		{"domain in a list", now + leads + "hygiene: {own: [\"not a domain\"]}\n", `s.yaml:3:17: E02 hygiene.own[0] must be a domain such as acme.com`},
		{"not YAML", "now: [\n", `s.yaml:1:6: E02 is not YAML: sequence end token ']' not found`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := LoadScenario("s.yaml", []byte(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func TestALongScenarioIsRead(t *testing.T) {
	t.Parallel()
	text := "now: \"2026-11-23T14:30:00Z\"\nleads:\n"
	for i := range 2000 {
		text += fmt.Sprintf("- {n: %d, email: a@b.example, job_title: CEO, form: demo}\n", i)
	}
	s, err := LoadScenario("s.yaml", []byte(text))
	if err != nil || len(s.Leads) != 2000 {
		t.Errorf("%d leads, %v", len(s.Leads), err)
	}
}
