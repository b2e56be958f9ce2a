// Package providers asks enrichment vendors about a company, one at a time, and
// turns whatever they answer into observations or into a Kind of failure.
//
//	planner: "ask hunter about acme.com"
//	      │
//	┌─────▼──────────────── Waterfall.Ask ────────────────────────────────────┐
//	│ one flight per question: a provider, a domain, what else it Needs       │
//	│ cache ──► pause ──► limiter ──► breaker ──► vendor.Enrich ──► save      │
//	│   │held     │401 402   │our pace   │it is down    │                     │
//	│   │         │429       │           │              ▼                     │
//	│   │         │          │           │      GetJSON, PostForm, Send: dial │
//	│   │         │          │           │      guard, limits, status → Kind  │
//	└───┼─────────┼──────────┼───────────┼──────────────┬─────────────────────┘
//	    ▼         ▼          ▼           ▼              ▼
//	 cached     error:<cause>, never a call paid    hit │ miss │ error:<cause>
//
// provider.go says what a vendor is and config.go what an operator may set
// about it. A vendor's folder holds its Spec, one method and its recorded
// answers; registry lists them; providertest holds all to the same rules: Run
// those that speak HTTP and JSON, RunXML those that speak XML, RunPage who reads
// a company's own pages and RunDNS who asks the name servers. The last two have no address of a vendor
// (Spec.Direct); in tests their base URL says whom to ask instead.
// A vendor without a folder is described in the catalogue (wire.go, path.go and
// xml.go; wire_check.go refuses what makes no sense) and asked by custom.
// The other files make answers comparable: employee bands, revenue, countries,
// industries, technologies, names and domains.
package providers
