package routing

import "time"

// Config is the spec of a file of kind Routing.
type Config struct {
	Calendars        map[string]Calendar `yaml:"calendars,omitempty"`
	Reps             []Rep               `yaml:"reps,omitempty"`
	Territories      []Territory         `yaml:"territories,omitempty"` // first match wins
	Pools            []Pool              `yaml:"pools,omitempty"`
	NamedAccounts    []NamedAccount      `yaml:"named_accounts,omitempty"`
	AccountOwnership Ownership           `yaml:"account_ownership,omitempty"`
	Rules            []Rule              `yaml:"rules,omitempty"` // first TRUE wins
	Fallback         Fallback            `yaml:"fallback,omitempty"`
	OffHours         map[string]string   `yaml:"off_hours,omitempty"` // by tier, or "default"
	// SettleWindow is how long after a decision made on too little the lead may
	// still be moved, untouched, by what comes in late; none = 2m, 0s = never.
	SettleWindow *time.Duration `yaml:"settle_window,omitempty"`
}

// Calendar lists the days on which nobody who follows it works.
type Calendar struct {
	Holidays []string `yaml:"holidays,omitempty,flow"`
}

// Rep is one person who takes leads.
type Rep struct {
	ID        string              `yaml:"id"`
	TZ        string              `yaml:"tz,omitempty"` // IANA name; none = UTC
	Calendar  string              `yaml:"calendar,omitempty"`
	Hours     map[string][]string `yaml:"hours,omitempty"` // "mon-fri": ["09:00-18:00"]; none = always
	Languages []string            `yaml:"languages,omitempty,flow"`
	Skills    []string            `yaml:"skills,omitempty,flow"`
	MaxOpen   *int                `yaml:"max_open,omitempty"`    // none = no cap
	MaxPerDay *int                `yaml:"max_per_day,omitempty"` // by the rep's local day
	TimeOff   []TimeOff           `yaml:"time_off,omitempty"`
	Active    *bool               `yaml:"active,omitempty"` // none = true; false = has left
	Paused    bool                `yaml:"paused,omitempty"` // by the manager, for now
	Manager   string              `yaml:"manager,omitempty"`
}

// TimeOff is an absence in the rep's local time, to the minute; To is the first
// minute back.
type TimeOff struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Territory is a named list of countries.
type Territory struct {
	ID        string   `yaml:"id"`
	Countries []string `yaml:"countries,flow"`
}

// Pool shares its leads among members in proportion to their weights.
type Pool struct {
	ID      string         `yaml:"id"`
	Members map[string]int `yaml:"members"`
}

// NamedAccount reserves a company for a rep.
type NamedAccount struct {
	Domain string `yaml:"domain"`
	Rep    string `yaml:"rep"`
}

// Ownership says when a rep comes to own a company.
type Ownership struct {
	OnFirstAssignment bool `yaml:"on_first_assignment,omitempty"`
}

// Rule sends the leads for which When is TRUE to To. Without When it always is.
type Rule struct {
	ID               string     `yaml:"id"`
	When             *Condition `yaml:"when,omitempty"`
	To               Target     `yaml:"to"`
	CountForFairness *bool      `yaml:"count_for_fairness,omitempty"` // rep_from only; none = false
	SLA              *SLA       `yaml:"sla,omitempty"`
}

// Target is where a lead goes: exactly one of sink, queue, pool and rep_from.
// Whoever takes the lead there, also as its overflow, off hours or after a
// breach, has all of Skills; a rep who lists none has none.
type Target struct {
	Sink          string         `yaml:"sink,omitempty"`
	Queue         string         `yaml:"queue,omitempty"`
	Pool          string         `yaml:"pool,omitempty"`     // may hold {territory}
	Overflow      string         `yaml:"overflow,omitempty"` // when nobody in pool is eligible
	RepFrom       string         `yaml:"rep_from,omitempty"` // a match.* field
	IfUnavailable *IfUnavailable `yaml:"if_unavailable,omitempty"`
	Skills        []string       `yaml:"skills,omitempty,flow"` // pool and rep_from only
}

// IfUnavailable says what becomes of a lead whose rep is out. Without it the
// lead waits for the rep.
type IfUnavailable struct {
	Wait time.Duration `yaml:"wait,omitempty"` // held by the rep for so long, then moved
	Then string        `yaml:"then,omitempty"` // territory_pool (the default) or a pool
}

// SLA is how soon a rep must act, and what happens when they do not.
type SLA struct {
	Accept     time.Duration `yaml:"accept,omitempty"`
	FirstTouch time.Duration `yaml:"first_touch,omitempty"`
	Clock      string        `yaml:"clock,omitempty"` // wall (the default) or rep_working_time
	OnBreach   *Breach       `yaml:"on_breach,omitempty"`
}

// Breach moves a lead that nobody accepted in time, at most Max times.
type Breach struct {
	Action string     `yaml:"action"` // reassign
	To     string     `yaml:"to,omitempty"`
	Max    int        `yaml:"max,omitempty"`
	Then   BreachThen `yaml:"then,omitempty"`
}

// BreachThen is the end of the line: a queue, and who is called.
type BreachThen struct {
	Queue string `yaml:"queue,omitempty"`
	Page  string `yaml:"page,omitempty"`
}

// Fallback takes what no rule and no rep could.
type Fallback struct {
	Queue string `yaml:"queue"`
	Alert bool   `yaml:"alert,omitempty"`
}
