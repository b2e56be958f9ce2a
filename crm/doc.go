// Package crm brings what was decided into the CRM where the reps work, and
// never overwrites a person.
//
//	decided lead ─► wants (one per mapped field)
//	                  │ Encode: the CRM's own form, or why there is none
//	                  ▼
//	CRM ─ Find ─► theirs ──┐
//	                       ├─► Make ─► Plan ─► Changes ─ Apply, guarded ─► CRM
//	ledger ─────► base ────┘    │                                           │
//	                            ▼                                           ▼
//	               same, conflict, invalid, unsupported             ledger: before, after
//
// How a decided lead gets here:
//
//	decision ─► delivery "crm:<name>" ─► siding, few at a time ─► JobOf ─► Writer ─► Keeper ─► connector
//	                ▲                                             │         │          │
//	                └── waits by its age (Wait) ◄── error ◄───────┴─────────┴──────────┤ rests: pause, quota,
//	                                                                                   │ token, faults in a row
//	                other processes ◄── ProviderState "crm:<name>" ◄───────────────────┘
//
// Each kind of error has three readers: the Writer says what it means for what was
// sent, the Keeper what it means for the CRM as a whole, and Wait what becomes of
// the delivery. A company is one record however many people arrive: whoever holds
// its claim brings it what was decided last, and the others find that done.
//
// It is a three-way merge: base is what we last wrote, theirs is what the CRM
// holds now, ours is what we know. Only when theirs is blank, or still is what
// we wrote, or the field is our own, is anything sent. plan.go decides and does
// no I/O; a connector finds, reads, writes and says which kind of error it met.
// So the rule that protects a person stands in one place and is tested once,
// for CRMs that nobody has described too.
package crm
