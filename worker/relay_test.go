package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// box is an outbox in memory.
type box struct {
	mu      sync.Mutex
	rows    map[int64]galena.Step
	claimed map[int64]bool
}

func newBox(n int) *box {
	b := &box{rows: map[int64]galena.Step{}, claimed: map[int64]bool{}}
	for i := int64(1); i <= int64(n); i++ {
		b.rows[i] = galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: int(i), Outbox: i}
	}
	return b
}

func (b *box) ClaimOutbox(_ context.Context, limit int) ([]galena.Step, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []galena.Step
	for id, s := range b.rows {
		if !b.claimed[id] && len(out) < limit {
			b.claimed[id] = true
			out = append(out, s)
		}
	}
	return out, nil
}

func (b *box) DropOutbox(_ context.Context, ids []int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.rows, id)
	}
	return nil
}

func (b *box) PutOutbox(_ context.Context, left []galena.Step) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range left {
		s.Outbox = int64(len(b.claimed) + len(b.rows) + 1)
		b.rows[s.Outbox] = s
	}
	return nil
}

func (*box) Vouch(context.Context, []galena.Step) error { return nil }

func (b *box) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rows)
}

type enqueueFunc func([]galena.Step) ([]galena.Step, error)

func (f enqueueFunc) Enqueue(_ context.Context, s []galena.Step) ([]galena.Step, error) { return f(s) }

func TestTheRelaySendsWhatItIsNudgedAbout(t *testing.T) {
	t.Parallel()
	b := newBox(0)
	r := NewRelay(b, enqueueFunc(func(s []galena.Step) ([]galena.Step, error) { return s, nil }), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	b.mu.Lock()
	b.rows = newBox(1200).rows
	b.mu.Unlock()
	r.Nudge()
	for deadline := time.Now().Add(5 * time.Second); b.left() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if n := b.left(); n != 0 {
		t.Errorf("%d rows left, want none", n)
	}
}

func TestARowIsDroppedOnlyWhenItsTaskIsOnTheQueue(t *testing.T) {
	t.Parallel()
	b := newBox(3)
	refuseLast := enqueueFunc(func(s []galena.Step) ([]galena.Step, error) {
		return s[:len(s)-1], errors.New("the queue is full")
	})
	n, err := NewRelay(b, refuseLast, slog.New(slog.DiscardHandler)).empty(context.Background())
	if n != 3 || err == nil {
		t.Errorf("claimed %d with error %v, want 3 and the queue's error", n, err)
	}
	if left := b.left(); left != 1 {
		t.Errorf("%d rows left, want the one that was refused", left)
	}
}

// road is a queue that can be closed.
type road struct {
	mu     sync.Mutex
	closed bool
	sent   []galena.Step
}

func (r *road) Enqueue(_ context.Context, s []galena.Step) ([]galena.Step, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed && len(s) > 0 {
		return nil, errors.New("the queue is away")
	}
	r.sent = append(r.sent, s...)
	return s, nil
}

func (r *road) close(closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = closed
}

func (r *road) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 5 s: " + what)
		}
	}
}

func TestWhatIsCommittedGoesToTheQueueWithoutAnOutbox(t *testing.T) {
	t.Parallel()
	b, q := newBox(0), &road{}
	r := NewRelay(b, q, slog.New(slog.DiscardHandler))
	one := []galena.Step{{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1}}
	if r.Ready() {
		t.Error("a relay that does not run is ready")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	soon(t, "the relay is ready", r.Ready)
	r.Take(one)
	soon(t, "the step is sent", func() bool { return q.count() == 1 })

	q.close(true)
	r.Take(one)
	soon(t, "what the queue refused stands in the outbox", func() bool { return b.left() == 1 })
	q.close(false)
	r.Nudge()
	soon(t, "the outbox is empty", func() bool { return b.left() == 0 && q.count() == 2 })
	soon(t, "the relay is ready again", r.Ready)

	cancel()
	<-done
	r.Take(one)
	if b.left() != 1 || r.Ready() {
		t.Errorf("a relay that has stopped left %d rows, want the one it was given; ready: %v", b.left(), r.Ready())
	}
}

// lostSteps is a store whose suspects are handed out at most once per run.
type lostSteps struct {
	steps    []galena.Step
	rehanded []galena.Step
	vouched  []galena.Step
	aside    []galena.Step
}

func (l *lostSteps) Suspects(context.Context, int) ([]galena.Step, error) { return l.steps, nil }
func (l *lostSteps) Rehand(_ context.Context, s []galena.Step) (int, error) {
	l.rehanded = append(l.rehanded, s...)
	return len(s), nil
}

func (l *lostSteps) Vouch(_ context.Context, s []galena.Step) error {
	l.vouched = append(l.vouched, s...)
	return nil
}

func (l *lostSteps) SetAside(_ context.Context, s galena.Step, _ string, told func(galena.Lead) ([]galena.Delivery, error)) (bool, error) {
	l.aside = append(l.aside, s)
	_, err := told(galena.Lead{ID: s.ID})
	return true, err
}

func TestTheSweepSetsAsideWhatKillsItsWorkersAndSparesTheirCompany(t *testing.T) {
	t.Parallel()
	killed := func(id string, kills int) galena.Step {
		return galena.Step{ID: id, Run: kills, Lost: true, Kills: kills}
	}
	cases := []struct {
		name         string
		lost         []galena.Step
		again, aside string
	}{
		{"one death is no sign", []galena.Step{killed("a", 1), killed("b", 1)}, "a b", ""},
		{"nor is a second", []galena.Step{killed("a", 2)}, "a", ""},
		{"the third is enough, and its company goes on", []galena.Step{killed("a", 3), killed("b", 1)}, "b", "a"},
		{"where as many die without it, the third is no sign either", []galena.Step{{ID: "a", Lost: true, Kills: 3, Others: 3}}, "a", ""},
		{"where fewer do, it is", []galena.Step{{ID: "a", Lost: true, Kills: 4, Others: 3}}, "", "a"},
		{"the sixth is, whatever else dies", []galena.Step{{ID: "a", Lost: true, Kills: 6, Others: 99}}, "", "a"},
		{"waiting is not dying", []galena.Step{{ID: "a", Lost: true}, {ID: "b"}}, "a b", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := &lostSteps{steps: c.lost}
			lost := func(galena.Step) (waits, sure bool) { return false, true }
			var told, woken string
			sweeper := NewSweeper(l, lost, func() { woken = told }, slog.New(slog.DiscardHandler))
			sweeper.Quarantined = func(of galena.Lead) ([]galena.Delivery, error) { told = of.ID; return nil, nil }
			if _, err := sweeper.Sweep(context.Background()); err != nil {
				t.Fatal(err)
			}
			if told != c.aside || woken != c.aside {
				t.Errorf("told of %q, relay woken after that of %q, want %q", told, woken, c.aside)
			}
			for what, pair := range map[string][2]string{"again": {ids(l.rehanded), c.again}, "aside": {ids(l.aside), c.aside}} {
				if pair[0] != pair[1] {
					t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func ids(steps []galena.Step) string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.ID
	}
	return strings.Join(out, " ")
}

func TestTheSweepLeavesWhatTheQueueStillHolds(t *testing.T) {
	t.Parallel()
	l := &lostSteps{steps: []galena.Step{
		{ID: "waiting in a long queue", Run: 1},
		{ID: "flushed", Run: 1},
		{ID: "its worker was killed", Run: 1, Lost: true},
	}}
	alive := func(s galena.Step) (waits, sure bool) { return s.ID != "flushed", true }
	woken := 0
	n, err := NewSweeper(l, alive, func() { woken++ }, slog.New(slog.DiscardHandler)).Sweep(context.Background())
	if err != nil || n != 2 || len(l.rehanded) != 2 || woken == 0 {
		t.Errorf("handed out %d (%v), relay woken %d times, error %v; want the flushed and the killed one", n, l.rehanded, woken, err)
	}
	if len(l.vouched) != 1 || l.vouched[0].ID != "waiting in a long queue" {
		t.Errorf("vouched for %v, want the one that the queue holds", l.vouched)
	}
}
