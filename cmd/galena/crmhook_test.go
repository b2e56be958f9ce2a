package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
}

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
		person = `{"source":"MANUAL","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","name":"Ana"}`
		us     = `{"source":"API","workspaceMemberId":null,"name":"galena"}`
	)
	event := func(by, name string) string {
		return `{"eventName":"` + name + `","eventDate":"2026-11-21T10:01:02.003Z","record":{"id":"3f0c1f0e-5c3a-4f0e-9d4c-2a1a6f1d9b11",` +
			`"domainName":{"primaryLinkUrl":"https://acme.example"},"employees":300,"industry":"","address":{"addressCity":"Paris","addressCountry":"France"},` +
			`"updatedBy":` + by + `},"updatedFields":["employees","industry","address","domainName"]}`
	}
	paris := galena.KnownFact("company.hq_city", galena.TextValue("Paris"), "alpha", at)
	for _, tc := range []struct {
		name, body, secret string
		err                error
		status             int
		want               string
	}{
		{"a person", event(person, "company.updated"), "hush", nil, 204, "company.employee_count=300 company.hq_country=FR"},
		{"our echo", event(us, "company.updated"), "hush", nil, 204, ""},
		{"another kind of record", event(person, "task.updated"), "hush", nil, 204, ""},
		{"another secret", event(person, "company.updated"), "other", nil, 401, ""},
		{"no event", `{"eventName":"company.updated"}`, "hush", nil, 400, ""},
		{"the store is away", event(person, "company.updated"), "hush", galena.Errorf(galena.Unavailable, "sql", "away"), 503, "company.employee_count=300 company.hq_country=FR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &heard{company: galena.Company{Domain: "acme.example", Facts: galena.Facts{"company.hq_city": paris}}, err: tc.err}
			var log strings.Builder
			h := twentyHook{store: store, secret: "hush", config: twenty.Config{KeyName: "galena"}, now: func() time.Time { return at },
				log: slog.New(slog.NewTextHandler(&log, nil))}
			for range 2 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/hooks/twenty", strings.NewReader(tc.body))
				stamp := strconv.FormatInt(at.UnixMilli(), 10)
				mac := hmac.New(sha256.New, []byte(tc.secret))
				mac.Write([]byte(stamp + ":" + tc.body))
				r.Header.Set("X-Twenty-Webhook-Timestamp", stamp)
				r.Header.Set("X-Twenty-Webhook-Signature", hex.EncodeToString(mac.Sum(nil)))
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != tc.status {
					t.Errorf("status %d, want %d", w.Code, tc.status)
				}
			}
			ids, got := map[string]bool{}, []string{}
			for _, o := range store.words {
				if !ids[o.ID] {
					got = append(got, o.Field+"="+o.Value.String())
				}
				ids[o.ID] = true
				if o.Class != galena.ClassHuman || o.Entity != "acme.example" || o.Confidence != 1 {
					t.Errorf("kept %+v", o)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("kept %v, want %s", got, tc.want)
			}
			if strings.Contains(log.String(), "hush") || strings.Contains(log.String(), "acme.example") {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}
