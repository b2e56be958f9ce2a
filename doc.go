// Package galena is the vocabulary: the nouns that every other package speaks,
// and nothing that does I/O. It imports the standard library, and jsontext for the
// JSON of strangers.
//
//	form / webhook / CSV                                    rep · webhook · CRM
//	      │                                                        ▲
//	 ┌────▼─────┐  row + outbox  ┌───────┐  lead:created  ┌───────┐│ lead:deliver
//	 │  intake  ├───────────────►│  sql  ├───────────────►│ asynq ├┘
//	 │ hygiene  │   one tx, 202  │(truth)│◄──────┐        └───┬───┘
//	 └──────────┘                └───────┘ one tx│            │
//	                                             │ ┌──────────▼────────────────┐
//	                                  decision,  └─┤ worker:                   │
//	                                  assignment,  │ plan → ask → merge →      │
//	                                  deliveries   │ score → (settled?) → route│
//	                                               └──────────┬────────────────┘
//	                                                          ▼
//	                             providers: cache → limiter → breaker → vendor
//
// Start reading at lead.go (who asked), then value.go and fact.go (what is
// known about a company, how surely), decision.go (what was decided and why)
// and errors.go (what a failure means). docs/README.md follows one lead through
// the tree in eight steps.
package galena
