package worker

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// A process is killed and starts again after a while. It has not seen how the dead
// one's leases stand still, and a long queue hides what was not begun.
func TestWhatAKilledWorkerTookIsHandedOutInHalfAMinute(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for _, restart := range []int{1, 4, 8, 12} { // seconds
		t.Run(fmt.Sprint(restart, " s"), func(t *testing.T) {
			t.Parallel()
			worst := 0
			for ago := range 10 { // seconds before the kill the leads came
				address := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
				if err := sql.Migrate(t.Context(), address, nil); err != nil {
					t.Fatal(err)
				}
				kill := time.Now()
				now := kill.Add(-time.Duration(ago) * time.Second)
				store, err := sql.Open(t.Context(), address, log, func() time.Time { return now })
				if err != nil {
					t.Fatal(err)
				}
				for i := range 8 {
					mail := fmt.Sprintf("ana%d@acme.test", i)
					in := galena.Intake{Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: mail, Key: mail, Host: "acme.test",
						Domain: "acme.test"}, Status: galena.StatusAccepted, Form: "demo"}}
					if _, err := store.Accept(t.Context(), in); err != nil {
						t.Fatal(err)
					}
				}
				_, c, rdb := broken(t)
				if n, err := NewRelay(store, c, log).empty(t.Context()); n != 8 || err != nil {
					t.Fatal(n, err)
				}
				// The worker took one task and died; before the others a long queue waits.
				const k = "asynq:{leads}:"
				id := rdb.RPopLPush(t.Context(), k+"pending", k+"active").Val()
				rdb.HSet(t.Context(), k+"t:"+id, "state", "active")
				rdb.ZAdd(t.Context(), k+"lease", goredis.Z{Score: float64(kill.Add(30 * time.Second).Unix()), Member: id})
				for _, id := range rdb.LRange(t.Context(), k+"pending", 0, -1).Val() {
					rdb.HSet(t.Context(), k+"t:"+id, "pending_since", kill.Add(-time.Hour).UnixNano())
				}
				s := NewSweeper(store, c.Ask, func() {}, log)
				for at := restart; ; at++ {
					now = kill.Add(time.Duration(at) * time.Second)
					c.passes(time.Second)
					c.Look()
					n, err := s.Sweep(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if n > 0 {
						worst = max(worst, at)
						break
					}
				}
				_ = store.Close()
			}
			t.Logf("handed out after %d s at most", worst)
			if worst > 30 {
				t.Errorf("handed out again %d s after the kill, want 30 at most", worst)
			}
		})
	}
}
