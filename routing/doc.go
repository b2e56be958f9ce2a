// Package routing decides who gets a lead: rules, eligibility and rotation as
// functions of values. It reads no clock and no store; the caller hands in the
// time, the facts and, under its locks, the roster.
//
//	facts, score ─► Match ──► rule ──► Locks ──► (caller locks those rows)
//	                  │                              │
//	                  ▼                              ▼
//	          Tries, Open fields         Assign: owner ─► pool ─► overflow
//	          (what to buy next)                   ─► off hours ─► fallback
//	                                                 │
//	                                  assignment, candidates, new roster
//
// An SLA longer than the holiday gap (W12) is a clock of a rule to a pool that
// the holidays listed in the calendars of the pool's active reps defeat:
//
//   - on rep_working_time, one that is longer than the work of every one of these
//     reps between any two neighbouring holidays, the last of which is followed
//     by the first a year later: it always runs over a holiday;
//   - on the wall clock, one that is longer than any shift, so that it is meant
//     to run past closing time, and shorter than the longest stretch around a
//     holiday in which nobody of the pool works: it may begin and run out while
//     the office is shut.
//
// It is a matter of the file alone, not of the day on which it is read; a pool
// whose calendars list no holiday has no such clock.
//
// Read rules.go (which rule), then target.go (where it leads), eligible.go (who
// may) and rotation.go (whose turn it is). Every answer carries its reason.
package routing
