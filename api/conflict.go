package api

import (
	"context"
	"math"
	"net/http"
	"regexp"
	"time"

	"github.com/galenahq/galena"
)

// Disputes is the part of the store that knows what sources disagree on.
type Disputes interface {
	Conflicts(ctx context.Context, f galena.ConflictFilter) ([]galena.Dispute, error)
	Conflict(ctx context.Context, id string) (galena.Dispute, error)
	ResolveConflict(ctx context.Context, r galena.Resolution) (galena.Dispute, error)
}

// Conflict is a field on which sources contradict each other.
type Conflict struct {
	ID         string                `json:"id"`
	Entity     string                `json:"entity" doc:"The company's domain"`
	Field      string                `json:"field"`
	Candidates []Claim               `json:"candidates" nullable:"false" doc:"The chosen one first"`
	Chosen     Claim                 `json:"chosen"`
	Margin     float64               `json:"margin" doc:"How much lighter the runner-up is"`
	Severity   galena.Severity       `json:"severity" enum:"decision,info"`
	Status     galena.ConflictStatus `json:"status" enum:"open,resolved,superseded"`
	ResolvedBy *string               `json:"resolved_by"`
	LeadID     string                `json:"lead_id" doc:"Whose decision showed it last"`
	OpenedAt   time.Time             `json:"opened_at"`
	UpdatedAt  time.Time             `json:"updated_at"`
}

// Claim is one side of a conflict.
type Claim struct {
	Value      any        `json:"value" doc:"null: the source says that there is none"`
	Source     string     `json:"source"`
	Confidence float64    `json:"confidence"`
	ObservedAt *time.Time `json:"observed_at"`
	Tier       string     `json:"tier" doc:"What the lead's tier would be"`
}

// ResolutionBody is the contract of a posted resolution. Like a lead it is read by hand.
type ResolutionBody struct {
	Value any    `json:"value" doc:"The right value, as the field has them; null: there is none"`
	By    string `json:"by" pattern:"^[A-Za-z0-9._-]{1,64}$" doc:"Who says so"`
}

func viewConflict(d galena.Dispute) Conflict {
	out := Conflict{ID: d.ID, Entity: d.Entity, Field: d.Field, Candidates: make([]Claim, len(d.Candidates)), Chosen: viewClaim(d.Chosen),
		Margin: d.Margin, Severity: d.Severity, Status: d.Status, ResolvedBy: orNull(d.ResolvedBy), LeadID: d.LeadID,
		OpenedAt: d.OpenedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC()}
	for i, c := range d.Candidates {
		out.Candidates[i] = viewClaim(c)
	}
	return out
}

func viewClaim(c galena.Claim) Claim {
	out := Claim{Source: c.Source, Confidence: math.Round(c.Confidence*100) / 100, ObservedAt: timeOrNull(c.ObservedAt), Tier: c.Tier}
	if !c.Absent {
		out.Value = c.Value.Plain()
	}
	return out
}

type conflictOutput struct{ Body Conflict }

// byForm is who may have resolved a conflict: a short name, not an address.
var byForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// resolveConflict takes a person's word. It wins over every other source from
// then on; the store sees to the leads that were decided before.
func (h *handlers) resolveConflict(ctx context.Context, in *idInput) (*conflictOutput, error) {
	if !isID(in.ID) {
		return nil, refuse(ctx, galena.Errorf(galena.NotFound, "api", "not an id"))
	}
	body, err := readMembers(ctx, bodyOf(ctx))
	if err != nil {
		return nil, err
	}
	by, _ := body["by"].(string)
	if !byForm.MatchString(by) {
		return nil, badProperty(ctx, "/by", "must be who says so: letters, digits, dot, hyphen, underscore")
	}
	raw, given := body["value"]
	if !given {
		return nil, badProperty(ctx, "/value", "must be there; null says that there is none")
	}
	d, err := h.deps.Store.Conflict(ctx, in.ID)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	field, _ := galena.LookupField(d.Field)
	v, err := galena.ParseValue(field, raw)
	if err != nil || raw != nil && v.Empty() {
		return nil, badProperty(ctx, "/value", "is no value of "+d.Field)
	}
	out, err := h.deps.Store.ResolveConflict(ctx, galena.Resolution{ID: d.ID, Value: v, Absent: raw == nil, By: by})
	if galena.KindOf(err) == galena.Conflict {
		return nil, problem(ctx, http.StatusConflict, "resolved", "the conflict is not open any more")
	}
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &conflictOutput{viewConflict(out)}, nil
}

func badProperty(ctx context.Context, pointer, detail string) *Problem {
	return problem(ctx, http.StatusUnprocessableEntity, "invalid", "a property cannot be used",
		FieldError{Pointer: pointer, Detail: detail, Code: "invalid"})
}
