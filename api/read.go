package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// Store is what reading needs of the database.
type Store interface {
	Record(ctx context.Context, leadID string) (galena.Record, error)
	Records(ctx context.Context, f galena.LeadFilter) ([]galena.Record, error)
	Company(ctx context.Context, domain string) (galena.Company, error)
	Disputes
	Upkeep
}

type leadInput struct {
	ID          string   `path:"id" doc:"Our id of the lead"`
	Fields      []string `query:"fields" doc:"Only these properties, such as status,decision"`
	IfNoneMatch string   `header:"If-None-Match"`
}

type idInput struct {
	ID string `path:"id" doc:"Our id of the lead"`
}

type listInput struct {
	Status string   `query:"status" enum:"accepted,decided,quarantined,internal"`
	Tier   string   `query:"tier" maxLength:"32"`
	Back   string   `query:"hand_back" enum:"spam,duplicate,wrong_territory,no_capacity" doc:"Only leads that a rep gave back for this reason"`
	Owner  string   `query:"owner" maxLength:"128" doc:"Id of a rep"`
	Limit  int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string   `query:"cursor" maxLength:"128" doc:"next_cursor of the page before"`
	Fields []string `query:"fields" doc:"Only these properties of each lead"`
}

type domainInput struct {
	Domain string `path:"domain" maxLength:"253"`
}

// raw is an answer whose bytes are made here: with fields= it has no fixed shape.
type raw struct {
	Status      int
	ETag        string `header:"ETag"` //nolint:tagliatelle // so RFC 9110 spells it
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// LeadPage is one page of leads, newest first.
type LeadPage struct {
	Leads      []Lead  `json:"leads" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"null on the last page"`
}

func (h *handlers) getLead(ctx context.Context, in *leadInput) (*raw, error) {
	if err := checkFields(ctx, in.Fields); err != nil {
		return nil, err
	}
	r, err := h.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	shown, err := pick(viewLead(r), in.Fields)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	out, err := answer(shown)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	sum := sha256.Sum256(out.Body)
	out.ETag = `"` + hex.EncodeToString(sum[:16]) + `"`
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

func (h *handlers) getWhy(ctx context.Context, in *idInput) (*struct{ Body Why }, error) {
	r, err := h.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body Why }{viewWhy(r)}, nil
}

// record reads a lead by our id. What is no id of ours is not asked for.
func (h *handlers) record(ctx context.Context, id string) (galena.Record, error) {
	if !isID(id) {
		return galena.Record{}, refuse(ctx, galena.Errorf(galena.NotFound, "api", "not an id"))
	}
	note(ctx, "lead", id)
	r, err := h.deps.Store.Record(ctx, id)
	if err != nil {
		return r, refuse(ctx, err)
	}
	return r, nil
}

func isID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

func (h *handlers) listLeads(ctx context.Context, in *listInput) (*raw, error) {
	if err := checkFields(ctx, in.Fields); err != nil {
		return nil, err
	}
	f := galena.LeadFilter{Status: galena.LeadStatus(in.Status), Tier: in.Tier, Owner: in.Owner, Back: in.Back, Limit: in.Limit + 1}
	if in.Cursor != "" {
		b, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err != nil || !isID(string(b)) {
			return nil, badParameter(ctx, "cursor", "must be the next_cursor of another page")
		}
		f.Before = string(b)
	}
	records, err := h.deps.Store.Records(ctx, f)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	page := struct {
		Leads      []any   `json:"leads"`
		NextCursor *string `json:"next_cursor"`
	}{Leads: []any{}}
	if len(records) > in.Limit { // one more was asked for, to know whether there is one
		records = records[:in.Limit]
		page.NextCursor = orNull(base64.RawURLEncoding.EncodeToString([]byte(records[in.Limit-1].Lead.ID)))
	}
	for _, r := range records {
		shown, err := pick(viewLead(r), in.Fields)
		if err != nil {
			return nil, refuse(ctx, err)
		}
		page.Leads = append(page.Leads, shown)
	}
	out, err := answer(page)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return out, nil
}

// leadFields are the properties that fields= may name.
var leadFields = []string{"id", "external_id", "status", "verdict", "codes", "email", "domain", "created_at", "decided_at",
	"company", "decision"}

func checkFields(ctx context.Context, fields []string) error {
	for _, f := range fields {
		if !slices.Contains(leadFields, f) {
			return badParameter(ctx, "fields", "must be some of "+strings.Join(leadFields, ", "))
		}
	}
	return nil
}

func badParameter(ctx context.Context, name, detail string) *Problem {
	return problem(ctx, http.StatusUnprocessableEntity, "invalid", "a parameter cannot be used",
		FieldError{Parameter: name, Detail: detail, Code: "invalid"})
}

// pick keeps some properties of a lead; none named means all.
func pick(l Lead, fields []string) (any, error) {
	if len(fields) == 0 {
		return l, nil
	}
	b, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	out := make(map[string]json.RawMessage, len(fields))
	for _, f := range fields {
		out[f] = all[f]
	}
	return out, nil
}

func answer(v any) (*raw, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &raw{Status: http.StatusOK, ContentType: "application/json", Body: append(b, '\n')}, nil
}

// matches reads If-None-Match: a list of tags, weak or not, or a star.
func matches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}
