// Package api is HTTP for machines: the routes of openapi.yaml, who may call
// them, and what an error looks like.
//
//	request ─► request id, log, no stack ─► no key in the URL ─► route
//	                                                               │
//	  401 ◄── token (auth.go) ◄────────────────────────────────────┘
//	  403 ◄── scope │
//	  413, 415, 400 ◄── body (body.go, strict.go) │
//	  422 ◄── fields (lead.go) │
//	                           └─► intake.Gate or the store ─► view.go ─► answer
//
// openapi.yaml is generated from the routes in api.go and committed; a test
// fails when the two differ.
package api

//go:generate env UPDATE_GOLDEN=1 go test -run TestOpenAPIIsCommitted .
