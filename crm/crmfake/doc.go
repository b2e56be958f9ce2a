// Package crmfake is a CRM of several habits, over HTTP: for tests, and for a
// demo that must show a record before and after. It is strict where real ones
// are: it refuses fields that it does not have, values of the wrong type and a
// second record of a unique key, and it never forgets what a person deleted.
//
//	request ─► ledger ─► latency, outage ─► token ─► rate ─► language.parse ─► call
//	                                                                            │
//	                               a person edits (OnWrite) ─► store ◄──────────┘
//	                                                             │
//	response ◄─ language.reply, language.refuse ◄────────────────┘   or a dropped connection
//
// There is one store and one list of faults; a language is a table of columns
// and the forms of its requests and answers.
package crmfake
