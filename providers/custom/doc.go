// Package custom asks vendors that have no adapter: the entry of the catalogue
// describes the exchange, and this package obeys it. Everything around the call
// is as for any vendor: breaker, pause, budget, what is held, what it costs.
//
//	spec.providers:
//	  - id: firmendaten                  # key: GALENA_PROVIDER_FIRMENDATEN_KEY
//	    kind: http
//	    url: https://api.firmendaten.example
//	    cost_cents: 2                    # and billing, timeout, rate, trust, fields ... as everywhere
//	    http:
//	      path: /v1/companies/{domain}   ─┐ what is sent; {domain} and {key} are filled in,
//	      query: {lang: en}               │ escaped for the place where they stand
//	      headers: {X-Api-Key: "{key}"}   │
//	      basic: {user: "{key}", password: ""}
//	      form: {…} | json: {…} | xml: …  ─┘ a body makes it a POST
//	      outcomes:                      ── what the answer means; the first that fits counts
//	        - {status: 400, is: exhausted}
//	        - {at: error.code, contains: quota, is: exhausted}
//	        - {at: data, absent: true, is: not_found}
//	      subject: {at: data.domain}     ── whose answer it is: another's is refused
//	      values:                        ── what it says, field by field
//	        company.employee_count: {at: data.staff, band: data.size}
//	      confidence: {at: data.score, scale: 100}
//	      as_of: data.updated
//	      credits: {header: X-Credits}   ── what it cost, when it will be heard again
//	      retry_after: {at: error.wait}
//
// A path leads through JSON and XML alike; providers.Path tells how. What no
// outcome fits means what its status means everywhere, and a SOAP fault is our
// mistake or their trouble, as it says itself.
package custom
