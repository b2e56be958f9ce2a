package providers

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// slowpoke answers later: its callback is "<ticket> <what it says>", signed by the header Sign.
type slowpoke struct{ vendorFunc }

func (slowpoke) Ticket(h http.Header, body []byte) (string, error) {
	ticket, _, _ := strings.Cut(string(body), " ")
	if h.Get("Sign") != "one" {
		return "", galena.Errorf(galena.Unauthorized, "one.callback", "the signature does not fit the body")
	}
	return ticket, nil
}

func (slowpoke) Hear(_ Query, body []byte) (Record, error) {
	_, said, _ := strings.Cut(string(body), " ")
	if kind, ok := map[string]galena.Kind{"nothing": galena.NotFound, "another": galena.WrongSubject, "garbage": galena.Malformed}[said]; ok {
		return Record{}, failure(kind)
	}
	return hit(context.Background(), Query{})
}

// line is two processes, asked by vendors that say "later", and all tickets they were told.
type line struct {
	a, b    *bundle
	tickets []string
}

func newLine(t *testing.T, change func(*Entry, *Deps)) *line {
	t.Helper()
	l := &line{}
	laterSays := func(_ context.Context, q Query) (Record, error) {
		l.tickets = append(l.tickets, q.Ticket)
		return Record{}, &galena.Error{Kind: galena.Pending, Op: "one.enrich", RetryAfter: 30 * time.Second, Err: errors.New("status 202")}
	}
	async := func(e *Entry, d *Deps) {
		d.Reachable = true
		e.PerDayCents = 3 // room for one call
		made := d.Specs[0].New
		d.Specs[0].New = func(s Settings) (Provider, error) {
			p, err := made(s)
			f, _ := p.(vendorFunc)
			return slowpoke{f}, err
		}
		if change != nil {
			change(e, d)
		}
	}
	l.a = newBundle(t, laterSays, async)
	l.b = newBundle(t, laterSays, func(e *Entry, d *Deps) { async(e, d); d.Cache = l.a.memory })
	return l
}

func (l *line) calls() int32 { return l.a.calls.Load() + l.b.calls.Load() }

var signed = http.Header{"Sign": {"one"}}

// ask wants to hear that the answer comes later, and when to ask again.
func ask(t *testing.T, b *bundle, wait time.Duration) {
	t.Helper()
	_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
	if galena.KindOf(err) != galena.Pending || call.Outcome != "error:pending" || galena.RetryAfterOf(err) != wait {
		t.Errorf("%+v, %v, again in %s; want pending in %s", call, err, galena.RetryAfterOf(err), wait)
	}
}

func TestACallThatIsAnsweredLaterIsOneCall(t *testing.T) {
	t.Parallel()
	for said, outcome := range map[string]string{"acme": "hit", "nothing": "not_found"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, nil)
			ask(t, l.a, defaultWait)
			time.Sleep(time.Minute)
			ask(t, l.b, defaultWait-time.Minute)
			if l.calls() != 1 || l.a.memory.spent["provider:one"] != 20_000 || len(l.a.memory.ledger) != 0 {
				t.Fatalf("%d calls, spent %v, ledger %+v; want one that is reserved for", l.calls(), l.a.memory.spent, l.a.memory.ledger)
			}
			body := []byte(l.tickets[0] + " " + said)
			if _, err := l.b.Callback(t.Context(), "one", http.Header{"Sign": {"mallory"}}, body); galena.KindOf(err) != galena.Unauthorized {
				t.Errorf("a forged call: %v", err)
			}
			if d, err := l.b.Callback(t.Context(), "one", signed, []byte("never-given acme")); d != "" || err != nil {
				t.Errorf("an unknown ticket: %q, %v", d, err)
			}
			for range 2 {
				if d, err := l.b.Callback(t.Context(), "one", signed, body); d != "acme.example" || err != nil {
					t.Errorf("%q, %v", d, err)
				}
			}
			_, call, err := l.a.Ask(t.Context(), "one", "acme.example", nil)
			if err != nil || call.Outcome != "cached" || l.calls() != 1 {
				t.Errorf("asked again: %+v, %v, %d calls", call, err, l.calls())
			}
			led := l.a.memory.ledger
			if len(led) != 1 || led[0].Outcome != outcome || led[0].CostMicros != 20_000 || led[0].Took != time.Minute || l.a.memory.spent["provider:one"] != 20_000 {
				t.Errorf("ledger %+v, spent %v; want the call once", led, l.a.memory.spent)
			}
			for series, want := range map[string]float64{"galena_provider_callbacks_total one " + outcome: 1,
				"galena_provider_callbacks_total one unauthorized": 1, "galena_provider_callbacks_total one unknown": 1,
				"galena_provider_callbacks_total one repeated": 1, "galena_provider_cents_total one " + outcome: 2} {
				if got := number(t, l.b.reg, series); got != want {
					t.Errorf("%s is %v, want %v", series, got, want)
				}
			}
		})
	}
}

func TestACallThatNeverComesEndsTheClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := 90 * time.Second
		l := newLine(t, func(e *Entry, _ *Deps) { e.CallbackWait = &wait })
		ask(t, l.a, wait)
		time.Sleep(wait)
		_, call, err := l.b.Ask(t.Context(), "one", "acme.example", nil)
		if galena.KindOf(err) != galena.Unavailable || call.Outcome != "error:timeout" || l.calls() != 1 {
			t.Errorf("%+v, %v, %d calls", call, err, l.calls())
		}
		led := l.a.memory.ledger
		if len(led) != 1 || led[0].Outcome != "unavailable" || led[0].CostMicros != 0 || l.a.memory.spent["provider:one"] != 0 {
			t.Errorf("ledger %+v, spent %v; want a failure that costs nothing", led, l.a.memory.spent)
		}
		if d, err := l.a.Callback(t.Context(), "one", signed, []byte(l.tickets[0]+" acme")); d != "acme.example" || err != nil || len(l.a.memory.held) != 0 {
			t.Errorf("a call that is too late: %q, %v, held %v", d, err, l.a.memory.held)
		}
		time.Sleep(askAgain - time.Second)
		if _, _, err := l.b.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Unavailable || l.calls() != 1 {
			t.Errorf("%v, %d calls, want the vendor left alone", err, l.calls())
		}
		time.Sleep(time.Second)
		ask(t, l.b, wait)
		if l.calls() != 2 || l.tickets[0] == l.tickets[1] {
			t.Errorf("%d calls with %v, want it asked anew", l.calls(), l.tickets)
		}
	})
}

func TestAVendorThatCannotCallUsIsAskedAgainAfterItsHint(t *testing.T) {
	t.Parallel()
	never := time.Duration(0)
	for name, change := range map[string]func(*Entry, *Deps){
		"no public address":  func(_ *Entry, d *Deps) { d.Reachable = false },
		"no callback wanted": func(e *Entry, _ *Deps) { e.CallbackWait = &never },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, change)
			ask(t, l.a, 30*time.Second)
			time.Sleep(10 * time.Second)
			ask(t, l.b, 20*time.Second)
			if l.calls() != 1 || l.tickets[0] != "" || l.a.memory.spent["provider:one"] != 20_000 {
				t.Errorf("%s: %d calls, tickets %q, spent %v", name, l.calls(), l.tickets, l.a.memory.spent)
			}
			if _, err := l.a.Callback(t.Context(), "one", signed, []byte("x acme")); galena.KindOf(err) != galena.NotFound {
				t.Errorf("%s: a call: %v", name, err)
			}
			time.Sleep(20 * time.Second)
			ask(t, l.b, 30*time.Second)
			if l.calls() != 2 || l.a.memory.spent["provider:one"] != 20_000 || len(l.a.memory.ledger) != 0 {
				t.Errorf("%s: %d calls, spent %v, ledger %+v; want the money of one call", name, l.calls(), l.a.memory.spent, l.a.memory.ledger)
			}
		})
	}
}

// Whoever calls to say what nobody can use wakes the leads that wait for it. Were the
// vendor asked by them at once it would call again, and so on, and want to be paid each time.
func TestACallThatIsNoUseIsNotAskedForAtOnce(t *testing.T) {
	t.Parallel()
	for said, kind := range map[string]galena.Kind{"another": galena.WrongSubject, "garbage": galena.Malformed} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, nil)
			ask(t, l.a, defaultWait)
			time.Sleep(time.Minute)
			if _, err := l.b.Callback(t.Context(), "one", signed, []byte(l.tickets[0]+" "+said)); err != nil {
				t.Fatal(err)
			}
			_, call, err := l.a.Ask(t.Context(), "one", "acme.example", nil)
			if galena.KindOf(err) != kind || call.Outcome != "error:"+string(kind) || galena.RetryAfterOf(err) != askAgain || l.calls() != 1 {
				t.Errorf("%s: %+v, %v, %d calls; want what it said", said, call, err, l.calls())
			}
			time.Sleep(askAgain)
			ask(t, l.b, defaultWait)
		})
	}
}
