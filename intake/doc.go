// Package intake is the gate: it judges what was handed in, builds the lead and
// writes it. It knows what a lead must be, and neither HTTP, SQL nor the queue.
//
//	Submission ─► Judge ──────────────► Judgement ─► Gate.Submit
//	              │ address.go  syntax               │ form.go   lead and what its form states
//	              │ domain.go   host, company        │ mask.go   card numbers
//	              │ lists.go    free mail, …         ▼
//	              │ typo.go     did you mean      Store.Accept (one transaction) ─► Queue.Nudge
//
//	a person ─► Gate.Release ─► Store.Release    release.go   a held lead goes on
//	galena lists update ─► Judge.Edition         update.go    a newer list, and what speaks against it
//	worker ───► DNS.Screen ───► Store.Hold       dns.go       an accepted one is held after all
//
// A judgement is pure: the same submission, lists and memory give the same
// verdict, without DNS and within a millisecond. A rejected submission is
// answered and counted; a suppressed one is counted and forgotten; every other
// one becomes a row.
package intake
