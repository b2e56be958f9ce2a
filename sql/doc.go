// Package sql is the truth: what was accepted, what is to be done, what was
// decided. One text of SQL serves Postgres and SQLite; Go holds none.
//
//	intake ──Accept──► leads  idempotency  repeats
//	                     │ same transaction
//	                     ▼
//	                   steps ──Courier, else outbox──► queue ──► worker
//	                     ▲                                           │ Begin, Renew
//	          Rehand run+1│                                          │ Park, Fail, Finish
//	                     └──────────── Suspects ◄── lease ran out ◄──┤
//	                                                                 │ Rule
//	   observations  companies  decisions  assignments               ▼
//	   pools  reps  owners  deliveries + their steps ◄── one transaction, fenced
//
// A step names one piece of work. Its run is raised each time it is handed out,
// and only the newest run may write: that is the fence. Everything that the
// queue knows can be lost, for Suspects finds it here again.
//
// Statements live in queries/*.sql under a name, with their contract above
// them; queries/sqlite holds those that differ. What every lead needs carries the
// rows of many: callers ask for one lead, and who comes while a transaction is
// under way goes with the next one (group.go), and what a transaction only writes
// travels with what it reads next (pipe.go). All are prepared when the
// store opens, so that a misspelt column stops the start and not a lead.
// Exported methods open and commit; unexported ones work inside a transaction.
// Times are stored as microseconds since 1970 UTC, 0 for never.
package sql
