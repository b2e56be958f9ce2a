package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm/twenty"
)

// heard is a store that keeps what it is told.
type heard struct {
	company galena.Company
	words   []galena.Observation
	err     error
	person  string
	wrote   []galena.CRMField
}

func (h *heard) CompanyMemory(context.Context, string) (galena.Memory, error) {
	return galena.Memory{Observations: h.words}, nil
}

func (h *heard) CRMFields(_ context.Context, r galena.CRMRecord) ([]galena.CRMField, error) {
	if r != (galena.CRMRecord{CRM: "crm", Object: "company", ID: "7"}) {
		return nil, nil
	}
	return h.wrote, nil
}

func (h *heard) KnownPerson(_ context.Context, key string) (bool, error) { return key == h.person, nil }

func (h *heard) Company(context.Context, string) (galena.Company, error) {
	if h.company.Domain == "" {
		return galena.Company{}, galena.Errorf(galena.NotFound, "sql.company", "none")
	}
	return h.company, nil
}

func (h *heard) AddObservations(_ context.Context, obs []galena.Observation) error {
	h.words = append(h.words, obs...)
	return h.err
}

func TestAPersonsEditInTwentyIsTheirWord(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 10, 1, 5, 0, time.UTC)
	const (
		adaKey = "ada@acme.example"
		person = `{"source":"MANUAL","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","name":"Ana"}`
		us     = `{"source":"API","workspaceMemberId":null,"name":"galena"}`
	)
	event := func(by, name string) string {
		return `{"eventName":"` + name + `","eventDate":"2026-11-21T10:01:02.003Z","record":{"id":"3f0c1f0e-5c3a-4f0e-9d4c-2a1a6f1d9b11",` +
			`"domainName":{"primaryLinkUrl":"https://acme.example"},"employees":300,"industry":"","address":{"addressCity":"Paris","addressCountry":"France"},` +
			`"updatedBy":` + by + `},"updatedFields":["employees","industry","address","domainName"]}`
	}
	paris := galena.KnownFact("company.hq_city", galena.TextValue("Paris"), "alpha", at)
	human := func(title, by string) string {
		return `{"eventName":"person.updated","eventDate":"2026-11-21T10:01:02.003Z","record":{"id":"4b3412f5-e291-4947-b708-a0288aff2845",` +
			`"name":{"firstName":"Ada","lastName":"Lovelace"},"emails":{"primaryEmail":"Ada+news@Acme.example"},"jobTitle":"` + title + `",` +
			`"updatedBy":` + by + `},"updatedFields":["jobTitle","name"]}`
	}
	for _, tc := range []struct {
		name, body, secret string
		err                error
		kind               galena.Kind
		want               string
	}{
		{"a person", event(person, "company.updated"), "hush", nil, "", "company.employee_count=300 company.hq_country=FR"},
		{"our echo", event(us, "company.updated"), "hush", nil, "", ""},
		{"another kind of record", event(person, "task.updated"), "hush", nil, "", ""},
		{"another secret", event(person, "company.updated"), "other", nil, galena.Unauthorized, ""},
		{"no event", `{"eventName":"company.updated"}`, "hush", nil, galena.Invalid, ""},
		{"the store is away", event(person, "company.updated"), "hush", galena.Errorf(galena.Unavailable, "sql", "away"), galena.Unavailable, "company.employee_count=300 company.hq_country=FR"},
		{"somebody who is a lead", human("CTO", person), "hush", nil, "", "lead.job_title=CTO"},
		{"our echo of them", human("CTO", us), "hush", nil, "", ""},
		{"a title that was emptied", human("", person), "hush", nil, "", ""},
		{"somebody who is none", strings.ReplaceAll(human("CTO", person), "Ada+news@", "eve@"), "hush", nil, "", ""},
		{"somebody without an address", strings.ReplaceAll(human("CTO", person), "Ada+news@Acme.example", ""), "hush", nil, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &heard{company: galena.Company{Domain: "acme.example", Facts: galena.Facts{"company.hq_city": paris}}, err: tc.err, person: adaKey}
			var log strings.Builder
			h := twentyHook{store: store, secret: "hush", config: twenty.Config{KeyName: "galena"}, now: func() time.Time { return at },
				log: slog.New(slog.NewTextHandler(&log, nil))}
			for range 2 {
				stamp := strconv.FormatInt(at.UnixMilli(), 10)
				mac := hmac.New(sha256.New, []byte(tc.secret))
				mac.Write([]byte(stamp + ":" + tc.body))
				header := http.Header{}
				header.Set("X-Twenty-Webhook-Timestamp", stamp)
				header.Set("X-Twenty-Webhook-Signature", hex.EncodeToString(mac.Sum(nil)))
				if err := h.take(t.Context(), header, []byte(tc.body)); galena.KindOf(err) != tc.kind {
					t.Errorf("%v, want %q", err, tc.kind)
				}
			}
			ids, got := map[string]bool{}, []string{}
			for _, o := range store.words {
				if !ids[o.ID] {
					got = append(got, o.Field+"="+o.Value.String())
				}
				ids[o.ID] = true
				entity := "acme.example"
				if strings.HasPrefix(o.Field, "lead.") {
					entity = galena.PersonEntity(adaKey)
				}
				if o.Class != galena.ClassHuman || o.Entity != entity || o.Confidence != 1 || strings.Contains(o.Ref+o.Entity, "@") {
					t.Errorf("kept %+v", o)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("kept %v, want %s", got, tc.want)
			}
			if strings.Contains(log.String(), "hush") || strings.Contains(strings.ToLower(log.String()), "acme.example") {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}

func TestAListThatAPersonEditedDeniesOnlyWhatTheySaw(t *testing.T) {
	t.Parallel()
	const field = "company.technologies"
	at := time.Date(2026, 11, 21, 10, 1, 5, 0, time.UTC)
	held := galena.KnownFact(field, galena.SetValue([]string{"aws", "cobol", "salesforce", "snowflake"}, false), "alpha", at)
	store := &heard{company: galena.Company{Domain: "acme.example", Facts: galena.Facts{field: held}},
		wrote: []galena.CRMField{{Field: field, Norm: "aws,salesforce"}}}
	h := twentyHook{store: store, config: twenty.Config{Name: "crm"}, now: func() time.Time { return at }}
	for i, step := range []struct {
		left string
		want galena.Value
	}{
		{`["AWS","Go","Salesforce"]`, galena.SetValue([]string{"aws", "go", "salesforce"}, false)},
		{`["AWS","Cobol"]`, galena.SetValue([]string{"aws", "cobol", "snowflake"}, true)},
		{`["AWS"]`, galena.SetValue([]string{"aws", "snowflake"}, true)},
	} {
		e, err := twenty.ParseEvent(h.config, []byte(`{"eventName":"company.updated","eventDate":"2026-11-21T10:01:0`+strconv.Itoa(i)+`Z","record":{"id":"7",`+
			`"domainName":{"primaryLinkUrl":"https://acme.example"},"technologies":`+step.left+`},"updatedFields":["technologies"]}`))
		if err == nil {
			err = h.keep(t.Context(), e)
		}
		if err != nil || len(store.words) != i+1 || !store.words[i].Value.Equal(step.want) {
			t.Fatalf("%s is kept as %+v (%v), want %+v", step.left, store.words, err, step.want)
		}
	}
}
