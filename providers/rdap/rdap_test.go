package rdap

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }

// registers are the list, which can be away, and two registers, of which "busy" asks
// whoever comes to wait for an hour.
type registers struct {
	*httptest.Server
	away  bool
	asked []string
}

func newRegisters(t *testing.T) *registers {
	t.Helper()
	r := &registers{}
	mux := http.NewServeMux()
	mux.HandleFunc("/dns.json", func(w http.ResponseWriter, _ *http.Request) {
		r.asked = append(r.asked, "list")
		if r.away {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"services": [[["well"], ["%[1]s/well"]], [["busy"], ["%[1]s/busy"]]]}`, r.URL)
	})
	mux.HandleFunc("/well/domain/{domain}", func(w http.ResponseWriter, q *http.Request) {
		r.asked = append(r.asked, "well")
		w.Header().Set("Content-Type", "application/rdap+json")
		_, _ = fmt.Fprintf(w, `{"ldhName": %q, "status": ["pending delete"]}`, q.PathValue("domain"))
	})
	mux.HandleFunc("/busy/", func(w http.ResponseWriter, _ *http.Request) {
		r.asked = append(r.asked, "busy")
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

// waterfall asks them alone, at the time that now says.
func (r *registers) waterfall(t *testing.T, now *time.Time) *providers.Waterfall {
	t.Helper()
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	c := providers.Config{Providers: []providers.Entry{{ID: "rdap", URL: r.URL, Rate: &providers.Rate{PerSecond: 1000}}}}
	w, err := providers.New(c, providers.Deps{Specs: []providers.Spec{Spec}, Client: client, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestYesterdaysListWillDoWhileThereIsNoNewOne(t *testing.T) {
	t.Parallel()
	r, now := newRegisters(t), time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	w := r.waterfall(t, &now)
	for i, step := range []struct {
		later time.Duration
		away  bool
		asked string
	}{
		{0, false, "[list well]"}, {25 * time.Hour, true, "[list well]"}, {time.Minute, true, "[well]"},
		{2 * time.Hour, false, "[list well]"}, {2 * time.Hour, false, "[well]"},
	} {
		now, r.away, r.asked = now.Add(step.later), step.away, nil
		_, call, err := w.Ask(t.Context(), "rdap", "acme.well", nil)
		if err != nil || call.Outcome != "hit" || fmt.Sprint(r.asked) != step.asked {
			t.Errorf("%d: %s, %v, asked %v; want a hit and %s", i, call.Outcome, err, r.asked, step.asked)
		}
	}
}

func TestOneRegisterThatAsksUsToWaitKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	r, now := newRegisters(t), time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	w := r.waterfall(t, &now)
	for i, step := range []struct {
		later  time.Duration
		domain string
		kind   galena.Kind
		wait   time.Duration
		asked  string
	}{
		{0, "acme.busy", galena.RateLimited, time.Hour, "[list busy]"},
		{time.Minute, "acme.well", "", 0, "[well]"},
		{time.Minute, "other.busy", galena.RateLimited, 58 * time.Minute, "[]"},
		{time.Hour, "other.busy", galena.RateLimited, time.Hour, "[busy]"},
	} {
		now, r.asked = now.Add(step.later), nil
		_, _, err := w.Ask(t.Context(), "rdap", step.domain, nil)
		if galena.KindOf(err) != step.kind || galena.RetryAfterOf(err) != step.wait || fmt.Sprint(r.asked) != step.asked {
			t.Errorf("%d: %s: %v after %v, asked %v; want %q, %v and %s", i, step.domain, err, galena.RetryAfterOf(err), r.asked, step.kind, step.wait, step.asked)
		}
		if o := w.Offers()[0]; !o.Available {
			t.Errorf("%d: away until %v, want to be on offer for the others", i, o.BackAt)
		}
	}
}
