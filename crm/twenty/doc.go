// Package twenty writes into Twenty (https://twenty.com), the cloud's or a
// server of one's own.
//
//	metadata ─► layout: which field of ours stands where, of which type
//	               │
//	keys ─ Find ───┤ one call for 60 of them, in every spelling, deleted ones too
//	               │
//	changes ─ Apply┘ POST, or PATCH of what changed; where a person may be
//	                 typing, PATCH by a filter that still must match
//
// No field is taken for granted: a workspace made in 2024 has employees and
// annualRecurringRevenue, one made in 2026 neither. Upsert is not used: it
// overwrites, brings deleted records back and is not safe against itself. Nor is
// GraphQL for writes: the limit counts each root field, so one document of twenty
// mutations costs what twenty calls do, and every failure is a 200.
package twenty
