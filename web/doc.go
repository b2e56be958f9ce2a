// Package web is the pages for people: the list of leads, one lead with its
// reasons, how the providers fare, and the queues (asynqmon) behind the same
// login.
//
//	 request
//	    │  headers (CSP, nosniff, no-store) → cross-origin check
//	    ▼
//	/static/  /login ──── open to all, tries limited per address, for all processes
//	    │
//	    ▼  cookie → SHA-256 → Store.Session         none: 302 /login, 401 for scripts
//	    ▼  role → access                            not listed: 403
//	/  /leads/{id}  /providers  /rules  /logout     galena.Record → view → template
//	/conflicts                                      what sources disagree on
//	/monitor/                                       asynqmon, read-only, its own CSP
//
// Who may ask for a page is one table, access. What somebody may not do is not
// offered to them, and refused when they ask for it all the same.
//
// A handler turns what the store holds into a view, a plain struct of strings
// that is ready to print; a template only places it. What a page says is made
// from the decision's own rows and steps, never written by hand. No page
// carries inline script or style: bars are SVG drawn with attributes, and htmx
// is served from here.
package web
