package galena

import "time"

// TimerKind is one of the clocks that run while a rep has a lead.
type TimerKind string

// The clocks of an assignment.
const (
	ClockAccept TimerKind = "accept"
	ClockTouch  TimerKind = "touch"
	ClockWait   TimerKind = "wait" // the rep is out: the lead waits for them only so long
)

// TimerState is how a clock stands.
type TimerState string

// The states of a timer.
const (
	TimerOpen     TimerState = "open"
	TimerNudged   TimerState = "nudged" // half of the time is over
	TimerMet      TimerState = "met"
	TimerBreached TimerState = "breached"
	TimerVoid     TimerState = "void" // the lead went elsewhere first
)

// Timer is one clock of one assignment. It keeps the thresholds it was made
// with, whatever is configured later.
type Timer struct {
	LeadID     string
	Epoch      int
	Kind       TimerKind
	Rep        string
	NudgeAt    time.Time
	DueAt      time.Time
	State      TimerState
	ConfigHash string // of the routing file that set it
	Clock      string // wall or rep_working_time
	CreatedAt  time.Time
	ChangedAt  time.Time
}

// Running says that the time is neither kept nor over.
func (t Timer) Running() bool { return t.State == TimerOpen || t.State == TimerNudged }

// Hold is one assignment of a lead and what became of it.
type Hold struct {
	Epoch      int
	Rule       string
	Pool       string
	Rep        string // "" for a sink or a queue
	To         string
	AssignedAt time.Time
	AcceptedAt time.Time // zero while nobody has
	TouchedAt  time.Time
	ClosedAt   time.Time // zero for the one in force
	Reason     string    // why it was closed: "sla", "hand_back:spam", "reassign"
	ClosedBy   string
	Note       string
}

// Standing is who has a lead, who had it before, and the clocks that run.
type Standing struct {
	LeadID string
	Epoch  int
	Holds  []Hold // by epoch
	Timers []Timer
}

// Current is the hold in force; false while the lead is undecided.
func (s Standing) Current() (Hold, bool) {
	if n := len(s.Holds); n > 0 && s.Holds[n-1].Epoch == s.Epoch {
		return s.Holds[n-1], true
	}
	return Hold{}, false
}

// Act is what a person, or a system for them, does with a lead they were given.
type Act struct {
	LeadID string
	Epoch  int    // the decision they saw; 0 = the one in force
	Rep    string // who acts; "" = whoever has the lead
	Actor  string // token, user or rep, for the record
	Touch  bool   // the first contact was made; it accepts as well
	Reason string // of a hand-back or a reassignment
	Note   string // in their words
	To     string // of a reassignment: a rep, or "pool:<id>"
}

// WhyNot says why a rep does not have a lead.
type WhyNot struct {
	LeadID   string `json:"lead_id"`
	Rep      string `json:"rep"`
	Epoch    int    `json:"epoch"`
	Has      bool   `json:"has"`      // they do have it
	Eligible bool   `json:"eligible"` // they could have had it
	Why      string `json:"why"`
	Rule     string `json:"rule"`
	Pool     string `json:"pool,omitempty"`
	To       string `json:"to"` // where it went instead
}

// The reasons of a hand-back.
const (
	HandBackSpam      = "spam"
	HandBackDuplicate = "duplicate"
	HandBackTerritory = "wrong_territory"
	HandBackCapacity  = "no_capacity"
)

// HandBackReasons lists them.
func HandBackReasons() []string {
	return []string{HandBackSpam, HandBackDuplicate, HandBackTerritory, HandBackCapacity}
}

// The reasons of a move.
const (
	MoveSLA      = "sla"
	MoveWait     = "wait" // the rep did not come back in time
	MoveReassign = "reassign"
	MoveSettled  = "settled"
	moveHandBack = "hand_back:"
)

// Held is what became of a lead in the hands it was in.
type Held struct {
	Reps     []string // who held it, each once, the first one first
	Breaches int      // how often a clock of theirs ran out and took it away
}

// MoveHandBack is the reason of a move that a hand-back asks for.
func MoveHandBack(reason string) string { return moveHandBack + reason }
