// Package drill is the faults, caused for real: processes are killed, stores
// vanish, vendors lie and hang, and afterwards every lead is counted. All of it
// is test code; nothing of it is in the program.
//
//	          ┌────────────── the bench, on private ports ──────────────┐
//	generator │ web ─► Postgres, Redis ─► worker, worker ─► p1, p2      │ sink
//	sent,     │          ▲   every line to a store passes a proxy  │    │ told
//	acked ────┼──────────┘   that can slow, cut or stop it         └────┼───┐
//	          └─────────────────────────────────────────────────────────┘   │
//	             checker: lost, duplicated, unexpected, late  ◄─────────────┘
//
// The vendors and the sink write each request to a file before they answer.
// A fault is one entry of a table: how it is caused and what must be true. Every
// choice of chance comes from one printed seed.
//
//	make drill                     all of them
//	make drill FAULT=F52 SEED=7    one of them again
//	make drill SCALE=1             for as long as the promises are written
//
// A few short ones run in make test.
package drill
