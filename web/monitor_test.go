package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
)

// redisOpt is what the worker hands in: something that has a Redis client.
type redisOpt struct{ client any }

func (o redisOpt) MakeRedisClient() any { return o.client }

func embeddedRedis(t *testing.T) Monitor {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	return redisOpt{client}
}

func TestMonitorIsReadOnlyUnlessAdminsMayWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		user  string
		write bool
		want  int
	}{
		{"ops", false, http.StatusForbidden}, {"root", false, http.StatusMethodNotAllowed},
		{"ops", true, http.StatusForbidden}, {"ana.souza", true, http.StatusForbidden}, {"root", true, http.StatusNoContent},
	} {
		s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t); d.MonitorWrite = c.write })
		s.login(c.user)
		if w := s.get("/monitor/api/queues"); w.Code != http.StatusOK {
			t.Errorf("%s reading: %d", c.user, w.Code)
		}
		w := s.do(http.MethodPost, "/monitor/api/queues/leads:pause", nil)
		if w.Code != c.want {
			t.Errorf("%s pausing with write %v: %d, want %d", c.user, c.write, w.Code, c.want)
		}
		told := slices.Contains(s.store.actions(), c.user+" monitor.post /monitor/api/queues/leads:pause")
		if told != (c.want == http.StatusNoContent) {
			t.Errorf("%s: audit trail %v", c.user, s.store.actions())
		}
	}
}

func TestMonitorDoesNothingUntold(t *testing.T) {
	t.Parallel()
	store := newFake(t)
	store.fail(galena.Errorf(galena.Unavailable, "sql.audit", "away"))
	acted := false
	act := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { acted = true })
	gate := monitorGate(Deps{Store: store, MonitorWrite: true, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)}, nil, act)
	r := httptest.NewRequest(http.MethodDelete, "/monitor/api/queues/leads", nil)
	w := httptest.NewRecorder()
	gate.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, galena.Session{User: "root", Role: roleAdmin})))
	if w.Code != http.StatusServiceUnavailable || acted {
		t.Errorf("answered %d, acted %v: an act that is not in the trail must not happen", w.Code, acted)
	}
}

func TestMonitorPageLoadsNothingFromStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t); d.PrometheusAddress = "http://prometheus.example:9090" })
	s.login("ops")
	for _, path := range []string{"/monitor/", "/monitor/queues/leads"} {
		w := s.get(path)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "fonts.googleapis") {
			t.Errorf("%s answered %d or asks a stranger for fonts", path, w.Code)
		}
		policy := w.Header().Get("Content-Security-Policy")
		_, scripts, _ := strings.Cut(policy, "script-src ")
		if strings.Contains(scripts, "unsafe-inline") || strings.Count(scripts, "'sha256-") != 2 {
			t.Errorf("%s: policy %q", path, policy)
		}
		if !strings.Contains(w.Body.String(), "prometheus.example") {
			t.Errorf("%s does not know where the metrics are", path)
		}
	}
	if got := s.get("/").Header().Get("Content-Security-Policy"); got != pagePolicy {
		t.Errorf("the monitor's policy leaks to our pages: %q", got)
	}
}

func TestUnusableRedisClientIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := New(Deps{Store: newFake(t), Monitor: redisOpt{errors.New("not a client")}}); err == nil {
		t.Error("a client of the wrong type was taken")
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("no store was taken")
	}
	if _, err := New(Deps{Store: newFake(t), PublicURL: "galena.example"}); err == nil {
		t.Error("a public URL without a scheme was taken")
	}
}
