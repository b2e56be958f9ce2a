package galena

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// FieldType is how the values of a field are compared.
type FieldType string

// The types of SEMANTICS 1.2.
const (
	TypeNumber  FieldType = "number"  // int64, or an interval of them
	TypeText    FieldType = "text"    // free text, as written
	TypeEnum    FieldType = "enum"    // a slug: lower case, words joined by "-"
	TypeCountry FieldType = "country" // ISO 3166-1 alpha-2
	TypeSet     FieldType = "set"     // slugs
	TypeBool    FieldType = "bool"
	TypeDate    FieldType = "date"  // days since 1970-01-01
	TypeScore   FieldType = "score" // points, kept in tenths
)

// Field is one named fact that rules may read and vendors may supply.
type Field struct {
	Name string
	Type FieldType
}

// customPrefix opens the namespace of whatever else a form said.
const customPrefix = "lead.fields."

// fields is the closed vocabulary; rules that name anything else are refused.
var fields = []Field{
	{"company.domain", TypeText},
	{"company.name", TypeText},
	{"company.legal_name", TypeText},
	{"company.description", TypeText},
	{"company.registry_id", TypeText},
	{"company.industry", TypeEnum},
	{"company.type", TypeEnum},
	{"company.employee_count", TypeNumber},
	{"company.annual_revenue_usd", TypeNumber},
	{"company.funding_total_usd", TypeNumber},
	{"company.founded_year", TypeNumber},
	{"company.hq_country", TypeCountry},
	{"company.hq_city", TypeText},
	{"company.technologies", TypeSet},
	{"company.tags", TypeSet},
	{"company.linkedin_url", TypeText},
	{"company.phone", TypeText},
	{"company.parent_domain", TypeText},
	{"company.status", TypeEnum},
	{"company.is_email_provider", TypeBool},
	{"company.competitor", TypeBool},
	{"lead.job_title", TypeText},
	{"lead.email_class", TypeEnum},
	{"lead.form", TypeEnum},
	{"lead.source", TypeEnum},
	{"lead.country", TypeCountry},
	{"lead.language", TypeEnum},
	{"lead.company", TypeText},
	{"lead.website", TypeText},
	{"lead.utm_source", TypeEnum},
	{"lead.utm_medium", TypeEnum},
	{"lead.utm_campaign", TypeEnum},
	{"lead.consent_marketing", TypeBool},
	{"decision.tier", TypeEnum},
	{"decision.score", TypeScore},
	{"decision.disqualified", TypeBool},
	{"decision.undecided", TypeBool},
	{"decision.territory", TypeEnum},
	{"match.open_lead_owner", TypeText},
	{"match.account_owner", TypeText},
	{"match.named_account_rep", TypeText},
}

// Fields lists the vocabulary in its own order.
func Fields() []Field { return slices.Clone(fields) }

// FieldNames lists the names of the vocabulary in its own order, for a hint.
func FieldNames() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// LookupField finds a field by name; every name under "lead.fields." is text.
func LookupField(name string) (Field, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f, true
		}
	}
	if rest, ok := strings.CutPrefix(name, customPrefix); ok && rest != "" {
		return Field{name, TypeText}, true
	}
	return Field{}, false
}

// Slug folds text to the form in which enums and set elements are compared:
// lower case, runs of blanks, "_" and "/" as one "-". What is a slug already, as
// every stored value is, is returned as it came: conditions fold at every look.
func Slug(s string) string {
	if isSlug(s) {
		return s
	}
	var short [64]byte // most words are
	b := short[:0]
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return slugOf(s)
		case c == ' ', c == '_', c == '-', c == '/', c == '\t':
			if len(b) > 0 && b[len(b)-1] != '-' {
				b = append(b, '-')
			}
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		default:
			b = append(b, c)
		}
	}
	return string(bytes.TrimSuffix(b, []byte("-")))
}

// slugOf is Slug for whatever there is beside ASCII.
func slugOf(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r == ' ' || r == '_' || r == '-' || r == '/' || r == '\t' || r == '\u00a0'
	}), "-")
}

// isSlug says that folding would change nothing, for plain ASCII.
func isSlug(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.':
		case c == '-' && 0 < i && i < len(s)-1 && s[i-1] != '-':
		default:
			return false
		}
	}
	return true
}

// Country folds a country to its alpha-2 code: upper case, the two codes in
// daily use that ISO 3166-1 spells otherwise replaced. Names are not resolved
// here but by the adapters that receive them.
func Country(s string) string {
	switch c := strings.ToUpper(strings.TrimSpace(s)); c {
	case "UK":
		return "GB"
	case "EL":
		return "GR"
	default:
		return c
	}
}
