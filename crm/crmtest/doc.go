// Package crmtest is what every connector must do, whatever its CRM: a suite
// that is run with one line against one of the fakes.
//
//	connector ─ HTTP ─► crmfake.Server ◄─ a person edits, deletes, regenerates the token
//	    ▲                                  faults: too fast, quota, down, an answer that never comes
//	    └── desk: Find ─► crm.Make ─► Apply ─► what was written ─► the next delivery
package crmtest
