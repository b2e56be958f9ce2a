// Package rest is the connector for a CRM that nobody has described: an
// operator's file does. It knows HTTP and JSON, and no CRM.
//
//	Config ─ Validate ─► Connector
//	                        │
//	Find    variants ─► lookup ─► list ─► id ─► read ─► exact match ─► Record
//	Apply   read once more ─► lost? ─► paths set in a body ─► update ─► 412? again
//	                        │
//	every call: semaphore ─► pace ─► day's budget ─► token ─► send ─► errors table ─► galena.Kind
//	                                                   ▲                  │
//	                                                   └─ read anew, once ┘ 401
//
// Texts of the file may hold blanks in braces: {key}, what is looked for; {keys},
// all its variants; {id} and {version} of a record; {fields}, the names of the
// fields to read; {owner}. Each is escaped for the place where it stands, and a
// body is never text: it is built by setting paths. Keys come from
// GALENA_CRM_<ID>_TOKEN, _USER, _PASSWORD, _CLIENT_ID, _CLIENT_SECRET and
// _REFRESH_TOKEN or their …_FILE, which are read again when a token is refused.
// A refresh token that the CRM replaces is kept until the process ends. An
// authority of one's own goes into SSL_CERT_FILE.
package rest
