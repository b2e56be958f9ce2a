package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

// teller is a process without a CRM that goes by a clock and tells an endpoint.
func teller(t *testing.T, now func() time.Time, url string) *App {
	t.Helper()
	env, err := configs.ParseEnv([]string{"GALENA_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "galena.db"), "GALENA_WEBHOOK_URL=" + url,
		"GALENA_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "GALENA_ALLOW_PRIVATE_TARGETS=loopback"})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	a := &App{settings: settings{env: env, log: log, now: now, follows: true}, reg: prometheus.NewRegistry()}
	if a.rules, err = loadRules(env, log); err != nil {
		t.Fatal(err)
	}
	if err := sql.Migrate(t.Context(), databaseURL(env), log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.wireRules(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// A process beside this one may have read of a CRM that this one has not read of yet.
func TestACRMThatIsNotKnownHereMayBeKnownSoon(t *testing.T) {
	t.Parallel()
	a := teller(t, time.Now, "http://127.0.0.1:1")
	for age, want := range map[time.Duration]galena.Kind{0: galena.Unavailable, time.Hour: galena.Invalid} {
		d := galena.Delivery{Target: galena.CRMTarget("twenty"), At: time.Now().Add(-age)}
		if err := (sender{a.book}).Send(t.Context(), d); galena.KindOf(err) != want {
			t.Errorf("after %v: %v, want it %s", age, err, want)
		}
	}
}

// A receiver refuses what is five minutes old: the clock of the machine may be wrong,
// and every process goes by the database's.
func TestAWebhookIsSignedByTheClockThatAllGoBy(t *testing.T) {
	t.Parallel()
	var signed string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { signed = r.Header.Get("Webhook-Timestamp") }))
	t.Cleanup(receiver.Close)
	right := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	a := teller(t, func() time.Time { return right }, receiver.URL)
	d := galena.Delivery{Target: "default", Key: "lead.routed:1:1", Body: json.RawMessage("{}"), At: right}
	if err := (sender{a.book}).Send(t.Context(), d); err != nil || signed != strconv.FormatInt(right.Unix(), 10) {
		t.Errorf("%v, signed at %s, want %d", err, signed, right.Unix())
	}
}

// A target is told a key once: a lead that is held again, for another reason than the
// one for which a person let it go on, waits for somebody who must hear of it.
func TestALeadThatIsHeldAgainIsToldAgain(t *testing.T) {
	t.Parallel()
	a := announcer{teller(t, time.Now, "http://127.0.0.1:1").book}
	seen := map[string]bool{}
	for _, codes := range [][]string{{"did_you_mean:gmail.com"}, {"undeliverable", "did_you_mean:gmail.com", galena.CodeReleased}} {
		out, err := a.Quarantined(galena.Lead{ID: "1", Epoch: 1, Judgement: galena.Judgement{Codes: codes}})
		if err != nil || len(out) != 1 || seen[out[0].Key] {
			t.Fatalf("%v is told as %+v, %v", codes, out, err)
		}
		seen[out[0].Key] = true
	}
}
