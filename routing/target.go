package routing

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// ways are the reps and pools that a rule leads to, in the order in which they
// are tried.
type ways struct {
	owner   string   // rep_from: the rep that the match names
	pools   []string // the first with an eligible rep takes the lead
	opening string   // else the rep of this pool who works next
	queue   string   // else this queue
}

// ways lists them. Once a clock ran out the rule's breach decides where the lead
// goes, and after its last move, or when nobody is left, its queue takes it. Who did
// not come back in time, or gave the lead back, has broken no promise.
func (r *Router) ways(o Outcome, in Input, breaches int) ways {
	w := ways{queue: r.cfg.Fallback.Queue}
	t := o.rule.To
	pool := func(name string) string {
		if o.Territory == "" && strings.Contains(name, territoryMark) {
			return ""
		}
		return strings.ReplaceAll(name, territoryMark, o.Territory)
	}
	add := func(name string) {
		if name = pool(name); name != "" && r.pools[name].ID != "" && !slices.Contains(w.pools, name) {
			w.pools = append(w.pools, name)
		}
	}
	breach := o.rule.breach()
	switch {
	case breach != nil && breaches > 0:
		if w.queue = r.last(breach); breaches > breach.Max {
			return w
		}
		add(breach.To)
	case t.RepFrom != "":
		w.owner = in.Facts.Get(t.RepFrom).Value.Text
		then := territoryAll
		if iu := t.IfUnavailable; iu != nil && iu.Then != "" && iu.Then != territoryPool {
			then = iu.Then
		}
		add(then)
	default:
		add(t.Pool)
		add(t.Overflow)
	}
	switch r.policy(in.Score.Tier) {
	case followTheSun:
		for _, other := range r.cfg.Territories {
			add(strings.ReplaceAll(territoryAll, territoryMark, other.ID))
		}
	case nextOpening:
		if len(w.pools) > 0 {
			w.opening = w.pools[0]
		}
	}
	return w
}

// policy is what happens to a lead of this tier when nobody works.
func (r *Router) policy(tier string) string {
	if p, ok := r.cfg.OffHours[tier]; ok {
		return p
	}
	return r.cfg.OffHours["default"]
}

// last is the queue at the end of a breach's line.
func (r *Router) last(b *Breach) string { return cmp.Or(b.Then.Queue, r.cfg.Fallback.Queue) }

func (ru *rule) breach() *Breach {
	if ru.SLA == nil {
		return nil
	}
	return ru.SLA.OnBreach
}

// Locks lists the pools and the reps, sorted, whose rotation rows Assign may
// read or change for this outcome, whether it is the first assignment or a move.
func (r *Router) Locks(o Outcome, in Input) (pools, reps []string) {
	if o.rule == nil || o.rule.To.Sink != "" || o.rule.To.Queue != "" {
		return nil, nil
	}
	needed, people := map[string]bool{}, map[string]bool{}
	for _, breaches := range []int{0, 1} {
		w := r.ways(o, in, breaches)
		if known, ok := r.reps[w.owner]; ok {
			people[w.owner] = true
			if known.Manager != "" {
				people[known.Manager] = true
			}
		}
		for _, p := range w.pools {
			needed[p] = true
			for id := range r.pools[p].Members {
				people[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(people))
}

// Destination says where an outcome leads before anybody's turn is drawn: two
// outcomes of one rule with one destination differ in the rotation alone.
func (r *Router) Destination(o Outcome, in Input) string {
	if o.rule == nil || o.rule.To.Sink != "" || o.rule.To.Queue != "" {
		return o.Rule
	}
	w := r.ways(o, in, 0)
	return strings.Join(slices.Concat([]string{o.Rule, w.owner}, w.pools), " ")
}

// Alarm says whether a person must be told of where a lead landed, and who: the
// one whom the rule's breach names, or "" for whoever watches the fallback.
func (r *Router) Alarm(a galena.Assignment) (page string, ok bool) {
	for _, ru := range r.cfg.Rules {
		if ru.ID == a.Rule && ru.SLA != nil && ru.SLA.OnBreach != nil {
			then := ru.SLA.OnBreach.Then
			if then.Page != "" && a.To == "queue:"+r.last(ru.SLA.OnBreach) {
				return then.Page, true
			}
		}
	}
	return "", r.cfg.Fallback.Alert && a.To == "queue:"+r.cfg.Fallback.Queue
}

// due sets the clocks of the assignment, which run from start.
func (s *SLA) due(a *galena.Assignment, r rep, start time.Time) {
	if s == nil {
		return
	}
	at := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		if s.Clock == clockWorking {
			if t, ok := r.after(start, d); ok {
				return t
			}
		}
		return start.Add(d)
	}
	a.AcceptBy, a.TouchBy = at(s.Accept), at(s.FirstTouch)
	a.AcceptHalf, a.TouchHalf = at(s.Accept/2), at(s.FirstTouch/2)
	if s.Accept > 0 || s.FirstTouch > 0 {
		a.Clock = cmp.Or(s.Clock, clockWall)
	}
}
