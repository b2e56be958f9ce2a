package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

// LeadBody is the contract of a posted lead. It only describes: the body is read
// by hand, so that unknown properties are kept and nothing is assigned that the
// caller does not own.
type LeadBody struct {
	_         struct{}          `additionalProperties:"true"`
	Email     string            `json:"email" doc:"The only property that must be there"`
	ID        string            `json:"id,omitempty" maxLength:"255" doc:"Your own reference, echoed everywhere as external_id"`
	Name      string            `json:"name,omitempty" doc:"Full name, or first_name and last_name"`
	FirstName string            `json:"first_name,omitempty"`
	LastName  string            `json:"last_name,omitempty"`
	Company   string            `json:"company,omitempty"`
	Website   string            `json:"website,omitempty"`
	JobTitle  string            `json:"job_title,omitempty"`
	Phone     string            `json:"phone,omitempty"`
	Country   string            `json:"country,omitempty"`
	Form      string            `json:"form,omitempty" maxLength:"255" doc:"Name of the form; the same person on the same form within 24 h is the same lead"`
	Source    string            `json:"source,omitempty"`
	UTM       map[string]string `json:"utm,omitempty"`
	Consent   map[string]any    `json:"consent,omitempty"`
	Fields    map[string]any    `json:"fields,omitempty" doc:"Whatever else the form asked. Unknown properties are kept here too and named in warnings"`
}

// Accepted is the answer to a posted lead, the same for every replay of a key.
type Accepted struct {
	ID         string            `json:"id" doc:"Our id"`
	ExternalID *string           `json:"external_id" doc:"Your reference, null when you gave none"`
	Status     galena.LeadStatus `json:"status" enum:"accepted,decided,quarantined,internal"`
	Duplicate  bool              `json:"duplicate" doc:"The same person and form within 24 h: id is the first one's"`
	Warnings   []string          `json:"warnings" nullable:"false"`
}

// Gate takes a lead in, checks an address and lets a held lead go on;
// intake.Gate does. A lead that is not held is a Conflict error with Op "held".
type Gate interface {
	CompanyDomain(domain string) (string, error)
	Check(ctx context.Context, email string) (galena.Judgement, error)
	Release(ctx context.Context, id, actor, note string) (galena.Lead, error)
	Submit(ctx context.Context, s galena.Submission, key *galena.Idempotency, warnings []string) (galena.Receipt, galena.Judgement, error)
}

type postLeadInput struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"1 to 255 printable characters. The same key and body get the same answer; kept 24 h"`
}

type postLeadOutput struct{ Body Accepted }

func (h *handlers) postLead(ctx context.Context, in *postLeadInput) (*postLeadOutput, error) {
	raw := bodyOf(ctx)
	key, err := idempotency(ctx, in.IdempotencyKey, raw)
	if err != nil {
		return nil, err
	}
	s, warnings, err := readLead(ctx, raw)
	if err != nil {
		return nil, err
	}
	receipt, judgement, err := h.deps.Gate.Submit(ctx, s, key, warnings)
	if err != nil {
		return nil, refuse(ctx, submitProblem(ctx, judgement, err))
	}
	note(ctx, "lead", receipt.ID)
	out := &postLeadOutput{Body: Accepted{ID: receipt.ID, ExternalID: orNull(receipt.ExternalID), Status: receipt.Status,
		Duplicate: receipt.Duplicate, Warnings: orEmpty(receipt.Warnings)}}
	return out, nil
}

// submitProblem words what only the gate can refuse.
func submitProblem(ctx context.Context, j galena.Judgement, err error) error {
	if galena.KindOf(err) != galena.Invalid {
		return err
	}
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Op == "idempotency" {
		return problem(ctx, http.StatusUnprocessableEntity, "idempotency_key_reused",
			"this Idempotency-Key was used with another body",
			FieldError{Parameter: "Idempotency-Key", Detail: "use a new key for a new body", Code: "idempotency_key_reused"})
	}
	if j.Verdict != galena.Reject {
		return err
	}
	var errs []FieldError
	for _, c := range j.Codes {
		if text, ok := rejections[c]; ok {
			errs = append(errs, FieldError{Pointer: "/email", Detail: text, Code: c})
		}
	}
	return problem(ctx, http.StatusUnprocessableEntity, "invalid", "the lead was not taken: its e-mail address cannot be used", errs...)
}

// rejections words the codes of hygiene that refuse an address.
var rejections = map[string]string{
	"syntax":           "is not an e-mail address",
	"local_too_long":   "has more than 64 octets before the @",
	"address_too_long": "is longer than 254 octets",
	"single_label":     "has no full domain after the @",
	"public_suffix":    "has no company or mailbox host after the @, only a public suffix",
}

// idempotency reads the header; nil when there is none.
func idempotency(ctx context.Context, key string, raw []byte) (*galena.Idempotency, error) {
	if key == "" {
		return nil, nil //nolint:nilnil // no key is no error
	}
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, problem(ctx, http.StatusBadRequest, "malformed", "the Idempotency-Key cannot be used",
			FieldError{Parameter: "Idempotency-Key", Detail: "must be 1 to 255 printable ASCII characters", Code: "malformed"})
	}
	sum := sha256.Sum256(raw)
	return &galena.Idempotency{Token: caller(ctx).ID, Key: key, BodyHash: sum[:]}, nil
}

// readLead reads a body into a submission and names what it did not know.
func readLead(ctx context.Context, raw []byte) (galena.Submission, []string, error) {
	b, err := readObject(ctx, raw)
	if err != nil {
		return galena.Submission{}, nil, err
	}
	s := galena.Submission{Email: b.email(), ExternalID: b.text("id"), Name: b.text("name"),
		FirstName: b.text("first_name"), LastName: b.text("last_name"), Company: b.text("company"),
		Website: b.text("website"), JobTitle: b.text("job_title"), Phone: b.text("phone"),
		Country: b.text("country"), Form: b.text("form"), Source: b.text("source"),
		UTM: b.words("utm"), Consent: b.object("consent"), Fields: b.object("fields")}
	if len(s.ExternalID) > 255 {
		b.wrong("id", "must have at most 255 octets", "too_long")
	}
	if len(s.Form) > intake.MaxForm {
		b.wrong("form", fmt.Sprintf("must have at most %d octets", intake.MaxForm), "too_long")
	}
	if len(b.errs) > 0 {
		return s, nil, problem(ctx, http.StatusUnprocessableEntity, "invalid", "some properties cannot be taken", b.errs...)
	}
	return s, keepUnknown(&s, b.values, b.keys), nil
}

// keepUnknown moves what the contract does not name under fields.
func keepUnknown(s *galena.Submission, m map[string]any, keys []string) []string {
	var warnings []string
	for _, k := range keys {
		if slices.Contains(known, k) {
			continue
		}
		if _, taken := s.Fields[k]; taken {
			warnings = append(warnings, fmt.Sprintf("unknown property %q was left out: fields has one of that name", shorten(k)))
			continue
		}
		if s.Fields == nil {
			s.Fields = map[string]any{}
		}
		s.Fields[k] = m[k]
		warnings = append(warnings, fmt.Sprintf("unknown property %q was kept under fields", shorten(k)))
	}
	return warnings
}

func shorten(k string) string {
	if len(k) > 64 {
		return strings.ToValidUTF8(k[:64], "") + "…"
	}
	return k
}

// known are the properties of LeadBody.
var known = []string{"email", "id", "name", "first_name", "last_name", "company", "website", "job_title", "phone",
	"country", "form", "source", "utm", "consent", "fields"}

// binder reads properties by type and collects what is wrong with them.
type binder struct {
	values map[string]any
	keys   []string // in the order of the body
	errs   []FieldError
}

func (b *binder) wrong(name, detail, code string) {
	b.errs = append(b.errs, FieldError{Pointer: "/" + name, Detail: detail, Code: code})
}

func (b *binder) email() string {
	switch v := b.values["email"].(type) {
	case string:
		return v
	case nil:
		b.wrong("email", "is required", "missing")
	default:
		b.wrong("email", "must be a string", "wrong_type")
	}
	return ""
}

// text reads a string; a bare number is taken as it is written, for senders
// have ids and telephone numbers of that type.
func (b *binder) text(name string) string {
	switch v := b.values[name].(type) {
	case nil:
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		b.wrong(name, "must be a string", "wrong_type")
	}
	return ""
}

// number reads a whole number from 0; 0 when there is none.
func (b *binder) number(name string) int {
	switch v := b.values[name].(type) {
	case nil:
		return 0
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil && n >= 0 {
			return n
		}
	}
	b.wrong(name, "must be a whole number", "wrong_type")
	return 0
}

func (b *binder) object(name string) map[string]any {
	switch v := b.values[name].(type) {
	case nil:
	case map[string]any:
		return v
	default:
		b.wrong(name, "must be an object", "wrong_type")
	}
	return nil
}

func (b *binder) words(name string) map[string]string {
	m := b.object(name)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		switch v := v.(type) {
		case nil:
		case string:
			out[k] = v
		case json.Number:
			out[k] = v.String()
		default:
			b.wrong(name+galena.JSONPointer(k), "must be a string", "wrong_type")
		}
	}
	return out
}
