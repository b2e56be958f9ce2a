package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
)

// Failures is the part of the store that keeps the work that was put aside.
type Failures interface {
	FailedSteps(ctx context.Context, f galena.FailedFilter) ([]galena.FailedStep, error)
	Replay(ctx context.Context, again []galena.FailedStep, trail galena.AuditEntry) (int, error)
}

// Upkeep is the part of the store that people mend.
type Upkeep interface {
	Links
	Failures
}

// FailedQuery selects steps that were put aside.
type FailedQuery struct {
	Kind   string    `query:"kind" maxLength:"64" doc:"Such as lead:created or lead:deliver"`
	ID     string    `query:"id" maxLength:"128" doc:"Of the lead, or of the delivery"`
	Reason string    `query:"reason" maxLength:"32" doc:"A kind of error, or killed: workers died on it"`
	Lead   string    `query:"lead" maxLength:"64" doc:"Our id of a lead: its steps and its deliveries"`
	Since  time.Time `query:"since" doc:"Put aside at this time or later"`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (q FailedQuery) filter() galena.FailedFilter {
	return galena.FailedFilter{Kind: q.Kind, ID: q.ID, Reason: q.Reason, LeadID: q.Lead, Since: q.Since, Limit: q.Limit}
}

type failedInput struct {
	FailedQuery
	Cursor string `query:"cursor" maxLength:"256" doc:"next_cursor of the page before"`
}

// FailedStep is a piece of work that was put aside for a person.
type FailedStep struct {
	Kind     string    `json:"kind"`
	ID       string    `json:"id" doc:"Of the lead, or of the delivery"`
	Epoch    int       `json:"epoch"`
	LeadID   string    `json:"lead_id"`
	Reason   string    `json:"reason" doc:"A kind of error, or killed: workers died on it"`
	Note     string    `json:"note"`
	Attempts int       `json:"attempts"`
	Kills    int       `json:"kills" doc:"Workers that died while they ran it"`
	FailedAt time.Time `json:"failed_at"`
}

// FailedPage is one page of failed steps, newest first.
type FailedPage struct {
	Steps      []FailedStep `json:"steps" nullable:"false"`
	NextCursor *string      `json:"next_cursor" doc:"null on the last page"`
}

// Replayed says how many steps run again.
type Replayed struct {
	Replayed int  `json:"replayed"`
	More     bool `json:"more" doc:"There may be further ones: ask again"`
}

// registerSteps adds the operations. A replay sends leads through the pipeline
// again, so it asks for the scope that hands them in too.
func (h *handlers) registerSteps(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "list-failed-steps", Method: http.MethodGet, Path: "/v1/steps",
		Summary:  "Work that was put aside, newest first: failed for good, or workers died on it",
		Security: needs(galena.ScopeOpsRead), Errors: []int{401, 403, 422, 429, 500, 503},
	}, h.listFailed)
	huma.Register(a, huma.Operation{
		OperationID: "replay-steps", Method: http.MethodPost, Path: "/v1/steps:replay", Summary: "Run work again that was put aside",
		Description: "What the query selects, newest first, at most limit at a time, as if it had never been tried. " +
			"Each replay is in the audit trail.",
		Security: needs(galena.ScopeOpsRead, galena.ScopeLeadsWrite), MaxBodyBytes: maxLead, Metadata: map[string]any{bodyOptional: true},
		Errors: []int{400, 401, 403, 413, 415, 422, 429, 500, 503},
	}, h.replaySteps)
}

func (h *handlers) listFailed(ctx context.Context, in *failedInput) (*struct{ Body FailedPage }, error) {
	f := in.filter()
	f.After = in.Cursor
	found, err := h.deps.Store.FailedSteps(ctx, f)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	page := FailedPage{Steps: make([]FailedStep, len(found))}
	for i, s := range found {
		page.Steps[i] = FailedStep{Kind: s.Kind, ID: s.ID, Epoch: s.Epoch, LeadID: s.LeadID, Reason: s.Reason, Note: s.Note,
			Attempts: s.Attempts, Kills: s.Kills, FailedAt: s.At.UTC()}
	}
	if len(found) == f.Limit {
		page.NextCursor = &found[len(found)-1].Cursor
	}
	return &struct{ Body FailedPage }{page}, nil
}

func (h *handlers) replaySteps(ctx context.Context, in *FailedQuery) (*struct{ Body Replayed }, error) {
	found, err := h.deps.Store.FailedSteps(ctx, in.filter())
	if err != nil {
		return nil, refuse(ctx, err)
	}
	n, err := h.deps.Store.Replay(ctx, found, galena.AuditEntry{At: h.deps.Now(), Actor: caller(ctx).ID, Action: "steps.replay",
		Target: in.ID, Detail: in.Kind + " " + in.Reason})
	if err != nil {
		return nil, refuse(ctx, err)
	}
	if n > 0 && h.deps.Wake != nil {
		h.deps.Wake()
	}
	return &struct{ Body Replayed }{Replayed{Replayed: n, More: len(found) == in.Limit}}, nil
}
