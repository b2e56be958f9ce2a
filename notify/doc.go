// Package notify tells neighbouring systems what was decided, by signed
// webhooks (Standard Webhooks 1.0).
//
//	Decision ─► Routed ──► body ─► Delivery (a row) ─► Send ─► endpoint
//	Lead ─────► Quarantined                            │
//	Dispute ──► Disputed                               │
//	                       webhook-id: the same on every try
//	                       webhook-timestamp, webhook-signature: of this try
//
// A body is made when the decision is written and never changes after: a retry
// an hour later tells the same story under the same id. Send does one try; when
// the next one is due is Backoff, and who waits is the worker.
package notify
