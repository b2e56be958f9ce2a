package routing

import "github.com/galenahq/galena"

// Condition is what a rule asks; it is the one that every configuration shares.
type Condition = galena.Condition

// The words that a file may use besides its own names.
const (
	fromDisqualifier = "from_disqualifier"
	territoryPool    = "territory_pool"
	territoryMark    = "{territory}"
	territoryAll     = "{territory}-all"
	followTheSun     = "follow_the_sun"
	nextOpening      = "next_opening"
	clockWall        = "wall"
	clockWorking     = "rep_working_time"
	actionReassign   = "reassign"
	fallbackRule     = "fallback" // the rule's name when none was TRUE
)

// Defaults is a routing that works before anybody has named a rep: queues and
// sinks by tier.
func Defaults() Config {
	tier := func(name string) *Condition {
		return &Condition{Field: "decision.tier", Operators: galena.Operators{Eq: name}}
	}
	disqualified := &Condition{Field: "decision.disqualified", Operators: galena.Operators{Eq: true}}
	return Config{
		Rules: []Rule{
			{ID: "disqualified", When: disqualified, To: Target{Sink: fromDisqualifier}},
			{ID: "tier-a", When: tier("A"), To: Target{Queue: "hot-leads"}},
			{ID: "tier-b", When: tier("B"), To: Target{Queue: "sales"}},
			{ID: "tier-c", When: tier("C"), To: Target{Sink: "nurture"}},
			{ID: "tier-d", When: tier("D"), To: Target{Sink: "archive"}},
		},
		Fallback: Fallback{Queue: "unrouted", Alert: true},
	}
}

// sinks are the places where a lead ends without a person.
func sinks() []string {
	return []string{"nurture", "archive", "reject", "compliance_review", fromDisqualifier}
}

// matches are the fields that name a rep.
func matches() []string {
	return []string{"match.open_lead_owner", "match.account_owner", "match.named_account_rep"}
}
