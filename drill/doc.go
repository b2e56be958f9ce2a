// Package drill is the faults, caused for real: processes are killed, stores
// vanish, vendors lie and hang, and afterwards every lead is counted. All of it
// is test code; nothing of it is in a release.
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
// choice of chance comes from one printed seed; what it chose is a mark on the
// fault's line, the same in every run of that seed.
//
//	make drill                         all of them
//	make drill FAULT=F52,F10 SEED=7    some of them again
//	make drill SCALE=1                 for as long as the promises are written
//
// A few short ones run in make test. Faults that no one can cause from outside
// ask for a program built under the tag drill: its clock can be moved, and some
// companies make its adapters panic or its process die. The full disk (F44) wants
// root, which may mount a small one.
package drill
