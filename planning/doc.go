// Package planning decides which vendor to ask next, and when to stop asking.
//
//	                     ┌── (a) criteria with room, while two tiers can be reached
//	what is still open ──┼── (b) disqualifiers that are unknown
//	(needs)              ├── (c) routing rules before the first TRUE one, and its target
//	                     └── (d) unknown requires and applies_when
//	        │
//	        ▼
//	every vendor not asked yet:   gain  = sum of hit rate x weight of the need
//	                              price = expected cents + 0.25 + 0.001 x p95 in ms
//	        │
//	        ├── the largest gain / price ──► ask it, merge, score, plan again
//	        └── nothing open: settled. Nobody left: exhausted. Before a stop, who
//	            could decide between sources that disagree
//
// Who is asked anyway, because a field is always collected that nobody else has, is
// asked beside the first choice and not after it (ask.go); and so is the second
// choice when there is no time left for one after the other.
//
// A hit rate is learnt (hitrate.go). Early stops starve vendors that come late of
// calls, and the companies they do get are those that nobody else could settle. So
// there are two rates, and a vendor's is their mean by how many companies each is for:
//
//	decided companies ┬─ asked it ────────────── Beta(prior, found of asked) ──────┐
//	                  │                            │ is the prior of               ├─► hit rate
//	                  └─ settled without it ─ 2 % audited ─ Beta(., found of audited) ┘
//
//	prior: the catalogue ─► all companies ─► TLD group ─► country ─► size, as if 20 calls
//	                        each segment starts from the one that it is a part of
//
// As long as no audit has asked it, what it showed when asked is all there is to
// go by. A vendor's part of the settled companies is what audits found it could be
// asked for: only_if, its needs and the lead's budget still hold there.
//
// The stop is sound, not lucky: a need is listed as long as some completion of
// the unknown fields would change tier, sink or route. Plan is a function of
// its State; it keeps nothing between two calls.
//
// A company that no lead came from (State.NoLead) is planned for with the fields
// of the person unknown, which keeps open whatever hangs on them; of the needs
// only those of the company count, because nobody sells the others. It is
// settled when no fact of the company can change any lead's decision any more.
package planning
