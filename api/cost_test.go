package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

// sink is an answer that nobody reads.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

// forgetful accepts every lead and keeps none.
type forgetful struct{ *shelf }

func (forgetful) Accept(_ context.Context, in galena.Intake) (galena.Receipt, error) {
	return galena.Receipt{ID: in.Lead.ID, ExternalID: in.Lead.ExternalID, Status: in.Lead.Status, Warnings: in.Warnings}, nil
}

// What a posted lead costs beside the store, from the request line to the answer.
func BenchmarkPostLead(b *testing.B) {
	d := newDesk(b)
	j, err := intake.NewJudge(intake.Config{}, intake.Options{AllowReserved: true})
	if err != nil {
		b.Fatal(err)
	}
	store := forgetful{d.shelf}
	gate, err := intake.NewGate(intake.Deps{Judge: j, Store: store, Queue: d.shelf, Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Deps{Gate: gate, Store: d.shelf, Hands: d.shelf, Enricher: d.shelf, Callbacks: d.shelf, Edits: d.shelf, Tokens: d.shelf,
		Figures: d.shelf, Bootstrap: bootstrap, Ready: func(context.Context) error { return nil }, Metrics: http.NotFoundHandler(),
		Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	const body = `{"id":"rig-000123","email":"ana.silva@acme.example","name":"Ana Silva","company":"Acme Industries","form":"demo",` +
		`"utm":{"utm_source":"ads","utm_campaign":"autumn"}}`
	r := httptest.NewRequest(http.MethodPost, "/v1/leads", nil)
	r.Header.Set("Authorization", "Bearer "+bootstrap)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		r.Body = io.NopCloser(strings.NewReader(body))
		h.ServeHTTP(w, r)
	}
}
