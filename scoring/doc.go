// Package scoring says how well a lead fits the ideal-customer profile, how sure
// that is, and why. It is a function of facts and a clock: no I/O, no state.
//
//	        ┌─ criteria ──────► [a, b] and an estimate e for each ─┐
//	facts ──┤                                                      ├─► score, lo, hi,
//	        ├─ applies_when ──► does the criterion count? ─────────┘   coverage, rows
//	        │                                                              │
//	        ├─ disqualifiers ─► TRUE: tier X and its sink                  ▼
//	        └─ requires ──────► may this tier be given? ───────────────► tier
//
// A value nobody knows yet is an interval, never a zero: lo and hi bound what
// every completion of the unknown fields could give. When both lie in one tier
// and no rule is open, buying more data cannot change the answer.
//
// The estimate of an unknown is a share of what the criterion can earn (prior)
// until enough leads are decided to count what it does earn: then it is the
// portfolio mean, which replaces the profile's prior and the built-in one, but not
// a prior that the file gives to the criterion itself (criteria[].unknown.prior):
// that one is somebody's word about this criterion. Means move estimates and
// reasons, never lo, hi or what is settled.
//
// All arithmetic is in integers of 1/10,000 of a weight and divides once, so
// that a lead which sits exactly on a threshold lands on the same side on every
// machine. config.go is what an operator writes, validate.go what is refused,
// reading.go one criterion, means.go what it mostly earns, score.go the sums, tier.go the verdict, explain.go
// the words.
package scoring
