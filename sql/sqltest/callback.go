package sqltest

import (
	"time"

	"github.com/galenahq/galena"
)

var callbackRules = map[string]func(*bench){
	"APendingClaimStaysOpenUntilItsCallAndCountsOnce":   callbackOnce,
	"ACallbackThatIsTooLateChangesNothing":              callbackLate,
	"ACallbackMayBeFasterThanTheWordThatItIsWaitedFor":  callbackEarly,
	"APolledClaimIsHandedOnWhenItsTimeIsOver":           callbackPolled,
	"TheWaitingLooksAreHandedOutOnceAnAnswerCanBeFound": callbackAwakens,
}

// theTicket is the token of the claim that is called back.
const theTicket = "one"

// pend claims a company, and keeps the claim open for a callback within a minute.
func (s *bench) pend(polled bool) galena.CallClaim {
	s.Helper()
	c := s.claimOf(theTicket, "acme.test")
	if !s.claimed(c, galena.CallClaim{}) {
		s.Fatal("no claim")
	}
	c.PendingAt, c.Until, c.Polled = s.clock.now(), s.clock.now().Add(time.Minute), polled
	s.ok(s.AwaitCall(s.ctx, c))
	return c
}

// calledBack ends a claim by a callback of that price.
func (s *bench) calledBack(micros int64) {
	s.Helper()
	c, err := s.Awaited(s.ctx, "alpha", theTicket)
	s.ok(err)
	now := s.clock.now()
	s.ok(s.SettleCall(s.ctx, galena.Settlement{Claim: c, Awaited: true,
		Call:   &galena.LedgerEntry{Provider: c.Provider, Domain: c.Domain, Outcome: "hit", CostMicros: micros, At: now},
		Answer: galena.Answer{Provider: c.Provider, Domain: c.Domain, CostMicros: micros, FetchedAt: now, ExpiresAt: now.Add(time.Hour)}}))
}

func callbackOnce(s *bench) {
	c := s.pend(false)
	s.clock.pass(50 * time.Second) // longer than a call may take
	s.ok(s.Tidy(s.ctx))
	seen := s.seen("acme.test")
	if !seen.Open || !seen.PendingAt.Equal(c.PendingAt) || !seen.Until.Equal(c.Until) || seen.Polled || s.claimed(s.claimOf("two", "acme.test"), seen) {
		s.Errorf("others see %+v, want a claim that stays open", seen)
	}
	s.spent(both(20_000))
	if got, err := s.Awaited(s.ctx, "alpha", "one"); err != nil || !got.Open || got.Domain != "acme.test" || got.Day != c.Day || len(got.Budgets) != 2 {
		s.Errorf("by its token it is %+v, %v", got, err)
	}
	for _, stranger := range [][2]string{{"alpha", "two"}, {"beta", "one"}} {
		if _, err := s.Awaited(s.ctx, stranger[0], stranger[1]); galena.KindOf(err) != galena.NotFound {
			s.Errorf("%v: %v, want nothing found", stranger, err)
		}
	}
	s.calledBack(15_000)
	s.spent(both(15_000))
	s.calledBack(14_000)
	s.spent(both(15_000))
	a, held, seen, err := s.Answer(s.ctx, "alpha", "acme.test")
	if err != nil || !held || a.CostMicros != 15_000 || seen.Open || seen.EndedAt.IsZero() {
		s.Errorf("answer %+v, claim %+v, %v; want the first call's", a, seen, err)
	}
}

func callbackLate(s *bench) {
	s.pend(false)
	s.clock.pass(time.Minute)
	s.ok(s.FreeCalls(s.ctx))
	if c := s.seen("acme.test"); c.Open || c.Cause != galena.CauseTimeout || c.Kind != galena.Unavailable || c.PendingAt.IsZero() {
		s.Errorf("the claim is %+v, want it timed out", c)
	}
	s.spent(both(0))
	s.calledBack(20_000)
	s.spent(both(0))
	if _, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); held || err != nil {
		s.Errorf("what came too late is held, %v", err)
	}
	if next := s.claimOf("two", "acme.test"); !s.claimed(next, s.seen("acme.test")) {
		s.Error("it may not be asked again")
	}
	if c := s.seen("acme.test"); !c.PendingAt.IsZero() {
		s.Errorf("the next claim is %+v, want a call under way", c)
	}
}

func callbackEarly(s *bench) {
	c := s.claimOf("one", "acme.test")
	s.claimed(c, galena.CallClaim{})
	s.calledBack(20_000)
	c.PendingAt, c.Until = s.clock.now(), s.clock.now().Add(time.Minute)
	s.ok(s.AwaitCall(s.ctx, c))
	if seen := s.seen("acme.test"); seen.Open {
		s.Errorf("the claim is %+v, want it ended", seen)
	}
	s.spent(both(20_000))
}

func callbackPolled(s *bench) {
	s.pend(true)
	s.clock.pass(time.Minute)
	if !s.claimed(s.claimOf("two", "acme.test"), s.seen("acme.test")) {
		s.Error("it was not handed on")
	}
	s.spent(both(20_000))
	if c := s.seen("acme.test"); !c.Open || c.Token != "two" || c.Polled {
		s.Errorf("the claim is %+v, want the second", c)
	}
}

func callbackAwakens(s *bench) {
	id := s.completed(time.Hour)
	s.relayed()
	s.pend(false)
	awoken := func(provider, domain string, want int) {
		s.Helper()
		if n, err := s.Awaken(s.ctx, provider, domain); err != nil || n != want {
			s.Errorf("%s %s: %d looks handed out, %v; want %d", provider, domain, n, err, want)
		}
	}
	awoken("alpha", "acme.test", 0)
	s.calledBack(20_000)
	awoken("beta", "acme.test", 0)
	awoken("alpha", "other.test", 0)
	awoken("alpha", "acme.test", 1)
	awoken("alpha", "acme.test", 0)
	out, err := s.ClaimOutbox(s.ctx, 100)
	s.ok(err)
	if len(out) != 1 || out[0].Kind != galena.StepComplete || out[0].ID != id || out[0].Run != 2 {
		s.Errorf("in the outbox are %+v, want the second look", out)
	}
}
