package planning

import (
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

// State is everything the plan depends on.
type State struct {
	Result        scoring.Result
	RouteOpen     []string // unknown fields that routing rules, or the target found, wait for
	RouteSettled  bool     // no unknown can change the route
	Facts         galena.Facts
	Offers        []galena.Offer // in the order of the catalogue
	Asked         map[string]bool
	Paid          map[string]bool // vendors whose answer the lead has paid for already: the limit is no question for them
	Refused       map[string]bool // vendors for whom a budget of the day has no room
	Failed        bool            // some vendor that was asked erred
	SpentMicros   int64
	LimitMicros   int64         // what one lead may cost
	TimeLeft      time.Duration // below zero: no deadline
	HasDomain     bool
	Spendable     bool
	AlwaysCollect []string // fields bought even when the decision is settled; "all" = whatever is offered
	Contested     []string // fields on which the sources disagree so that the decision hangs on it
	MinConfidence float64  // a fact of less is unknown: on a guess nobody is asked, and none is told to a vendor
	// NoLead: a company is looked at that nobody came from. What only a person can
	// say of themselves is unknown and no reason to go on, so the plan buys what
	// any lead of the company may need.
	NoLead bool
	Now    time.Time
}

// Next is the vendor to ask, or why to stop when Provider is "".
type Next struct {
	Provider string
	Gain     float64 // points in play, times the chance of an answer
	Price    float64 // cent-equivalents: expected cents, a handling fee and the wait
	Why      string
	Stop     galena.Stop
	// Unavailable names the vendors that would help and are paused or behind an
	// open breaker. With any of them a stop is degraded: it is not for ever.
	Unavailable []string
}

// collectAll asks for every field that some vendor supplies.
const collectAll = "all"

// Plan says what to buy next (SEMANTICS 4.1) or why to stop (4.2). Where it would
// stop with sources that contradict each other, one that could decide between
// them goes first (3.5): it changes when the buying stops, never why.
func Plan(s State) Next {
	next := plan(s)
	if next.Provider == "" && s.HasDomain && s.Spendable {
		if more := forFields(s, s.Contested, "sources disagree on "); more.Provider != "" {
			return more
		}
	}
	return next
}

func plan(s State) Next {
	if s.Result.Stops {
		return Next{Stop: galena.StopDisqualified}
	}
	open := needs(s)
	settled := len(open) == 0 && (s.NoLead || s.RouteSettled && s.Result.TierLo == s.Result.TierHi)
	if !settled && (!s.HasDomain || !s.Spendable) {
		return Next{Stop: galena.StopNoCompanyDomain}
	}
	next := Next{Stop: galena.StopSettled}
	if !settled {
		next = choose(s, open)
	}
	done := next.Stop == galena.StopSettled || next.Stop == galena.StopExhausted
	if !done || !s.HasDomain || !s.Spendable {
		return next
	}
	if more := collect(s); more.Provider != "" {
		return more
	}
	return next
}

// choose takes the offer with the largest gain for its price; of equals the
// first in the catalogue.
func choose(s State, open []need) Next {
	list, blocked := candidates(s, open)
	if len(list) == 0 {
		return Next{Stop: blocked.stop(s.Failed), Unavailable: blocked.unavailable}
	}
	best := list[0]
	for _, c := range list[1:] {
		if c.ratio() > best.ratio() {
			best = c
		}
	}
	n := best.next()
	n.Unavailable = blocked.unavailable
	return n
}

// collect plans for the fields that are wanted whatever the decision is.
func collect(s State) Next {
	var wanted []string
	for _, field := range alwaysCollected(s) {
		if s.Facts.Get(field).State == galena.Unknown {
			wanted = append(wanted, field)
		}
	}
	return forFields(s, wanted, "always collected: ")
}

// forFields plans for fields that are wanted for another reason than points.
func forFields(s State, fields []string, why string) Next {
	wanted := make([]need, len(fields))
	for i, field := range fields {
		wanted[i] = need{field, ruleWeight}
	}
	n := choose(s, wanted)
	if n.Provider == "" {
		return n
	}
	var supplied []string
	for _, o := range s.Offers {
		for _, field := range fields {
			if o.Provider == n.Provider && o.Hits[field] > 0 {
				supplied = append(supplied, field)
			}
		}
	}
	n.Why = why + strings.Join(supplied, ", ")
	return n
}

// candidate is an offer that may be taken now.
type candidate struct {
	offer       *galena.Offer
	gain, price float64
}

func (c candidate) ratio() float64 { return c.gain / c.price }

func (c candidate) next() Next {
	return Next{Provider: c.offer.Provider, Gain: c.gain, Price: c.price,
		Why: strconv.FormatFloat(c.ratio(), 'f', 1, 64) + " points in play per cent-equivalent"}
}

// obstacles is why offers that would help cannot be taken.
type obstacles struct {
	slow, dear  bool
	unavailable []string
}

// stop names what kept us from asking on. A vendor that erred or is away goes
// first: it is worth another try, and neither more time nor more money replaces it.
func (o obstacles) stop(failed bool) galena.Stop {
	switch {
	case failed, len(o.unavailable) > 0:
		return galena.StopDegraded
	case o.slow:
		return galena.StopDeadline
	case o.dear:
		return galena.StopBudget
	default:
		return galena.StopExhausted
	}
}

// candidates lists the offers that gain something and may be taken. A vendor is
// asked at most once a lead, and never for nothing.
func candidates(s State, open []need) ([]candidate, obstacles) {
	list := make([]candidate, 0, len(s.Offers))
	known := s.Facts.Believing(s.MinConfidence)
	var blocked obstacles
	for i := range s.Offers {
		o := &s.Offers[i]
		if s.Asked[o.Provider] {
			continue
		}
		gain := gainOf(o, open)
		if gain <= 0 || !o.Informed(known) || o.OnlyIf.Eval(known, s.Now) != galena.True {
			continue
		}
		slow := s.TimeLeft >= 0 && o.P95 > s.TimeLeft
		dear := s.Refused[o.Provider] || o.Dearest() > 0 && !s.Paid[o.Provider] && s.SpentMicros+o.Dearest() > s.LimitMicros
		switch {
		case o.Away:
			blocked.unavailable = append(blocked.unavailable, o.Provider)
		case !o.Available: // switched off: nothing to wait for
		case slow || dear:
			blocked.slow, blocked.dear = blocked.slow || slow, blocked.dear || dear
		default:
			list = append(list, candidate{offer: o, gain: gain, price: priceOf(o)})
		}
	}
	return list, blocked
}

// What asking costs besides the bill, in cents.
const (
	handling       = 0.25  // one call, whatever it brings
	perMillisecond = 0.001 // of the vendor's 95th percentile
)

// priceOf is what asking is expected to cost. Who bills matches only is expected
// to bill as often as its best field is found.
func priceOf(o *galena.Offer) float64 {
	cents := galena.CentsOf(o.CostMicros)
	if o.PerMatch {
		hit := 0.0
		for _, h := range o.Hits {
			hit = max(hit, h)
		}
		cents *= hit
	}
	return cents + handling + perMillisecond*float64(o.P95)/float64(time.Millisecond)
}

func gainOf(o *galena.Offer, open []need) float64 {
	gain := 0.0
	for _, n := range open {
		gain += o.Hits[n.field] * n.weight
	}
	return gain
}
