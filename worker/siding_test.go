package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// platform is the store and the CRM of a siding: it notes how each errand ended.
type platform struct {
	Steps
	mu     sync.Mutex
	begun  int
	most   int // under way at a time
	under  int
	open   chan struct{} // sends go on when it is closed
	err    error
	done   map[string]bool
	parked map[string]time.Duration
}

func newPlatform(err error) *platform {
	return &platform{open: make(chan struct{}), err: err, done: map[string]bool{}, parked: map[string]time.Duration{}}
}

func (*platform) Begin(context.Context, string, string, int, int) (bool, error) { return true, nil }

func (*platform) Delivery(_ context.Context, id string) (galena.Delivery, error) {
	return galena.Delivery{ID: id, Target: galena.CRMTarget("test")}, nil
}

func (p *platform) Send(ctx context.Context, _ galena.Delivery) error {
	p.mu.Lock()
	p.begun, p.under = p.begun+1, p.under+1
	p.most = max(p.most, p.under)
	p.mu.Unlock()
	select {
	case <-p.open:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under--
	return p.err
}

func (p *platform) Finish(_ context.Context, s galena.Step) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[s.ID] = true
	return nil
}

func (p *platform) Park(_ context.Context, s galena.Step, due time.Time, _ galena.Kind, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked[s.ID] = due.Sub(testNow)
	return nil
}

func (p *platform) counts() (done, parked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.done), len(p.parked)
}

// crowd lets so many deliveries come to one CRM and returns when all have been
// taken in or turned away.
func (p *platform) crowd(t *testing.T, n int) *Deliverer {
	t.Helper()
	d := &Deliverer{Steps: p, Deliveries: p, Sender: p, Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
		Wait: func(galena.Delivery, error, float64) time.Duration { return time.Hour },
		Log:  slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(2)}
	d.sidings = newSidings(d)
	d.sidings.open(t.Context())
	for i := range n {
		if err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (p *platform) until(t *testing.T, what string, ok func(done, parked int) bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if ok(p.counts()) {
			return
		}
	}
	done, parked := p.counts()
	t.Fatalf("%s: %d done, %d parked", what, done, parked)
}

// far is later than any lease was given.
var far = time.Now().Add(24 * time.Hour)

func TestWhatWaitsForACRMHoldsNoWorkerAndKeepsItsLease(t *testing.T) {
	t.Parallel()
	p := newPlatform(nil)
	d := p.crowd(t, 100) // returns although the CRM has answered nobody
	if held := len(d.leases.due(far)); held != 100 {
		t.Errorf("%d leases are renewed, want 100", held)
	}
	close(p.open)
	p.until(t, "everything is done", func(done, _ int) bool { return done == 100 })
	d.sidings.stop()
	if p.most > sidingPlaces || len(d.leases.due(far)) != 0 {
		t.Errorf("%d at a time, want %d at most; %d leases left", p.most, sidingPlaces, len(d.leases.due(far)))
	}
}

func TestWhatFindsNoRoomComesBackOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := newPlatform(nil)
	d := p.crowd(t, sidingRoom+sidingPlaces+20)
	_, parked := p.counts()
	if parked < 20 {
		t.Fatalf("%d wait in SQL, want at least 20", parked)
	}
	waits := map[time.Duration]bool{}
	for _, wait := range p.parked {
		if waits[wait] || wait < sidingRoom*paceAtFirst/2 || wait > sidingRoom*paceAtFirst+comeBack {
			t.Errorf("one waits %s, as another does or too short", wait)
		}
		waits[wait] = true
	}
	close(p.open)
	d.sidings.stop()
}

func TestACRMThatRestsForLongIsWaitedForInSQL(t *testing.T) {
	t.Parallel()
	p := newPlatform(&galena.Error{Kind: galena.Exhausted, RetryAfter: 6 * time.Hour})
	d := p.crowd(t, 100)
	close(p.open)
	p.until(t, "everything waits", func(_, parked int) bool { return parked == 100 })
	if p.begun > sidingPlaces {
		t.Errorf("%d tries at a CRM whose quota is gone", p.begun)
	}
	later := 0
	for _, wait := range p.parked {
		if wait >= 6*time.Hour {
			later++
		}
	}
	if later < 100-sidingPlaces {
		t.Errorf("%d of 100 wait for the quota to come back", later)
	}
	d.sidings.stop()
}

// A burst used up the CRM's window, so that our own pace had no turn for most of what was
// under way. When that is over it gets as many at a time as before.
func TestACRMGetsItsPlacesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(&galena.Error{Kind: galena.RateLimited, RetryAfter: time.Second, Cause: galena.CausePace})
		close(p.open)
		d := p.crowd(t, 20)
		synctest.Wait()
		s := d.sidings.of(galena.CRMTarget("test"))
		if s.places != 2 {
			t.Fatalf("%d places, want 2 when there are too many", s.places)
		}
		p.err = nil
		for i := range sidingPlaces * smooth {
			if err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: fmt.Sprint("later", i)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if done, _ := p.counts(); s.places != sidingPlaces || done != sidingPlaces*smooth {
			t.Errorf("%d places after %d that went well, want %d", s.places, done, sidingPlaces)
		}
		d.sidings.stop()
	})
}

// The CRM hangs: nothing that is under way ends until the stop cuts it.
func TestAStopGivesBackAtOnceWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(nil)
		d := p.crowd(t, 100)
		synctest.Wait()
		at := time.Now()
		stopped := make(chan struct{})
		go func() {
			d.sidings.stop()
			close(stopped)
		}()
		synctest.Wait()
		if done, parked := p.counts(); done != 0 || parked != 100-sidingPlaces || len(d.leases.due(far)) != sidingPlaces {
			t.Errorf("%d done, %d given back and %d leases left, want all back that waits", done, parked, len(d.leases.due(far)))
		}
		for id, wait := range p.parked {
			if wait != 0 {
				t.Errorf("%s waits %s, want it due at once", id, wait)
			}
		}
		<-stopped
		if took := time.Since(at); took != shutdownWait || p.begun != sidingPlaces {
			t.Errorf("it took %s and %d tries, want %s for the %d that were under way", took, p.begun, shutdownWait, sidingPlaces)
		}
		if err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: "late"}); err != nil {
			t.Fatal(err)
		}
		if wait, ok := p.parked["late"]; !ok || wait != 0 || len(d.leases.due(far)) != 0 {
			t.Errorf("one that comes late waits %s (%t), %d leases are left", wait, ok, len(d.leases.due(far)))
		}
	})
}

// What SQL does not take back in time is the sweep's: it keeps no lease.
func TestAStopDoesNotWaitLongForSQL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(nil)
		d := p.crowd(t, 100)
		synctest.Wait()
		d.Steps = stuck{p}
		go d.sidings.stop()
		time.Sleep(clearing)
		synctest.Wait()
		if n := len(d.leases.due(far)); n != sidingPlaces {
			t.Errorf("after %s %d leases are kept, want those of the %d that are under way", clearing, n, sidingPlaces)
		}
		d.Steps = p
		close(p.open)
	})
}

// stuck is a platform whose store does not answer.
type stuck struct{ *platform }

func (stuck) Park(ctx context.Context, _ galena.Step, _ time.Time, _ galena.Kind, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}
