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
// Read rules.go (which rule), then target.go (where it leads), eligible.go (who
// may) and rotation.go (whose turn it is). Every answer carries its reason.
package routing
