// Package worker is the queue and the pipeline: the only package that knows
// asynq.
//
//	 committed, or outbox                     task = ids only
//	SQL ─────────────► Relay ───────────────────────────────► asynq
//	 ▲  steps, leases    ▲ Take after a commit                   │
//	 │                   │                                       ▼
//	 │              Sweeper: due, lease run out, lost        Server
//	 │                                Near: the first try of     │
//	 │                                a delivery just committed  │
//	 └────────── one transaction ◄── Pipeline.Process ◄──────────┤ lead:created
//	                plan → ask → merge → score → … → route       │
//	             Park | Finish | Fail ◄── Deliverer.Process ◄────┘ lead:deliver
//	                                 ◄── siding, one for each CRM ◄──┘
//
// A delivery to a CRM waits in a siding: it keeps its lease and holds no worker's
// place, however slow the CRM is.
//
// Beside them, on the queue bulk: Refresher (company:refresh, planned and handed
// out by Restocker) keeps data fresh, Auditor (lead:audit) checks early stops.
// What all decided leads say together, the portfolio means, joins a set of Rules
// when there are enough of them (means.go), and so does what the vendors were seen
// to know, counted once a day (hitrates.go).
//
// SQL is the truth and asynq the wake-up call. A step is a row: its run is
// raised each time it is handed out, and every write is fenced by epoch and
// run, so a task that comes twice, late or never does no harm. A failed step is
// parked in SQL with a due time; asynq's own retries are a backstop for the
// moment in which SQL itself cannot be reached.
package worker
