package crmfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/galenahq/galena/crm"
)

// composites are the parts of the types that have parts; the first one is what
// galena's field stands in.
var composites = map[string][]string{
	"LINKS":     {"primaryLinkUrl", "primaryLinkLabel", "secondaryLinks"},
	"CURRENCY":  {"amountMicros", "currencyCode"},
	"ADDRESS":   {"addressCity", "addressStreet1", "addressStreet2", "addressPostcode", "addressState", "addressCountry", "addressLat", "addressLng"},
	"EMAILS":    {"primaryEmail", "additionalEmails"},
	"PHONES":    {"primaryPhoneNumber", "primaryPhoneCountryCode", "primaryPhoneCallingCode", "additionalPhones"},
	"FULL_NAME": {"firstName", "lastName"},
}

// typed are the columns of one field of a type.
func typed(name, kind string, ours ...crm.Field) []column {
	parts := composites[kind]
	if parts == nil {
		c := column{path: name, kind: kind}
		if len(ours) > 0 {
			c.field = ours[0]
		}
		if kind == "NUMBER" {
			c.form = whole
		}
		return []column{c}
	}
	out := make([]column, len(parts))
	for i, part := range parts {
		out[i] = column{path: name + "." + part, kind: kind}
		if i < len(ours) {
			out[i].field = ours[i]
		}
		switch part {
		case "amountMicros":
			out[i].form = micros
		case "primaryLinkUrl", "primaryEmail":
			out[i].form = host
		}
	}
	return out
}

func unique(columns []column) []column {
	columns[0].unique = true
	return columns
}

func choice(name string, ours crm.Field, words ...any) []column {
	return []column{{path: name, kind: "SELECT", field: ours, form: options, words: words}}
}

// columns are those of a workspace to which an admin gave the fields that galena
// asks for, and one more.
func (twenty) columns() map[crm.Object][]column {
	return map[crm.Object][]column{
		crm.Company: slices.Concat(
			typed("name", "TEXT", "company.name"),
			unique(typed("domainName", "LINKS", crm.Domain)),
			typed("address", "ADDRESS", "company.hq_city"),
			typed("linkedinLink", "LINKS", "company.linkedin_url"),
			typed("annualRevenue", "CURRENCY", "company.annual_revenue_usd"),
			typed("accountOwnerId", "RELATION", crm.Owner),
			typed("employees", "NUMBER", "company.employee_count"),
			choice("industry", "company.industry", "SOFTWARE", "RETAIL", "MINING"),
			typed("technologies", "ARRAY", "company.technologies"),
			typed("icpScore", "NUMBER", crm.Score),
			choice("icpTier", crm.Tier, "TIER_A", "TIER_B", "TIER_C", "TIER_D", "TIER_X"),
			typed("icpReasons", "TEXT", crm.Reasons),
			typed("enrichedAt", "DATE_TIME", crm.EnrichedAt),
			typed("note", "TEXT", Note),
		),
		crm.Person: slices.Concat(
			typed("name", "FULL_NAME", crm.FirstName, crm.LastName),
			unique(typed("emails", "EMAILS", crm.Email)),
			typed("linkedinLink", "LINKS"),
			typed("phones", "PHONES"),
			typed("jobTitle", "TEXT", "lead.job_title"),
			typed("companyId", "RELATION", crm.Employer),
			typed("note", "TEXT", Note),
		),
		User: slices.Concat(unique(typed("userEmail", "TEXT", crm.Email)), typed("name", "FULL_NAME", crm.FirstName, crm.LastName)),
	}
}

// blank is what stands in a column in which nothing was said.
func (c column) blank() any {
	switch last(c.path) {
	case "secondaryLinks", "additionalEmails", "additionalPhones":
		return []any{}
	case "amountMicros", "currencyCode", "addressLat", "addressLng":
		return nil
	}
	switch c.kind {
	case "TEXT", "LINKS", "ADDRESS", "EMAILS", "PHONES", "FULL_NAME":
		return ""
	case "ARRAY", "MULTI_SELECT":
		return []any{}
	}
	return nil
}

// stored is a record as its database holds it: what must be unique is NULL where
// an answer shows an empty text.
func (t *table) stored(w *row) object {
	out := w.shown()
	for _, c := range t.columns {
		if c.unique && get(out, c.path) == "" {
			put(out, c.path, nil)
		}
	}
	return out
}

// take implements taker: a composite takes the parts that are sent, and a null in
// its place changes nothing.
func (twenty) take(s *Server, t *table, rec, set object) *refusal {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if name == "id" {
			continue
		}
		of := slices.IndexFunc(t.columns, func(c column) bool { return c.path == name || strings.HasPrefix(c.path, name+".") })
		if of < 0 {
			return &refusal{why: unknownField, path: name}
		}
		if t.columns[of].path == name {
			v, no := t.columns[of].judge(s, set[name])
			if no != nil {
				return no
			}
			put(rec, name, v)
			continue
		}
		if set[name] == nil {
			continue
		}
		parts, ok := set[name].(object)
		if !ok {
			return &refusal{why: badValue, text: fmt.Sprintf("Invalid object value for field %q", name)}
		}
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			i := slices.IndexFunc(t.columns, func(c column) bool { return c.path == name+"."+part })
			if i < 0 {
				return &refusal{why: unknownField, path: part}
			}
			v, no := t.columns[i].judge(s, parts[part])
			if no != nil {
				return no
			}
			put(rec, name+"."+part, v)
		}
	}
	return nil
}

// judge says what becomes of a value that is sent for a column.
func (c column) judge(s *Server, v any) (any, *refusal) {
	if v == nil {
		return c.blank(), nil
	}
	bad := func(format string, args ...any) (any, *refusal) {
		return nil, &refusal{why: badValue, path: c.path, text: fmt.Sprintf(format, args...)}
	}
	text, isText := v.(string)
	_, isNumber := v.(json.Number)
	_, isList := v.([]any)
	switch {
	case last(c.path) == "amountMicros":
		if !isNumber && number(text) == nil {
			return bad("Invalid number value NaN for field %q", c.path)
		}
		return json.Number(plain(v)), nil
	case c.kind == "NUMBER" && !isNumber, c.kind == "ADDRESS" && c.blank() == nil && !isNumber:
		return bad("Invalid number value '%s' for field %q", text, c.path)
	case c.kind == "NUMBER", c.kind == "ADDRESS" && isNumber && c.blank() == nil:
		return v, nil
	case c.blank() != nil && c.blank() != "" && !isList:
		return bad("Invalid value for multi select field %q", c.path)
	case isList && c.blank() != nil && c.blank() != "":
		return v, nil
	case !isText:
		return bad("Invalid string value %s for text field %q", plain(v), c.path)
	}
	return c.judgeText(s, text, bad)
}

func (c column) judgeText(s *Server, text string, bad func(string, ...any) (any, *refusal)) (any, *refusal) {
	switch {
	case c.kind == "SELECT" && !slices.Contains(c.words, any(text)):
		var words []string
		for _, w := range c.words {
			words = append(words, plain(w))
		}
		return bad("Invalid value %q for field %q. Valid values are: %s", text, c.path, strings.Join(words, ", "))
	case c.kind == "DATE_TIME":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return bad("Invalid value '%s' for date-time field %q. Expected format: 'YYYY-MM-DDTHH:mm:ssZ'", text, c.path)
		}
	case last(c.path) == "primaryLinkUrl" && text != "":
		link, ok := stayingLink(text)
		if !ok {
			return nil, &refusal{why: badLink}
		}
		return link, nil
	case last(c.path) == "primaryEmail" && text != "":
		if at, err := mail.ParseAddress(text); err != nil || at.Address != text {
			return bad("Invalid string value '%s' for email field %q", text, c.path)
		}
		return strings.ToLower(text), nil
	case c.kind == "RELATION":
		to := map[crm.Field]crm.Object{crm.Owner: User, crm.Employer: crm.Company}[c.field]
		if !uuidShape.MatchString(text) {
			return bad("Invalid UUID value '%s' for field %q", text, c.path)
		}
		if s.tables[to].rows[text] == nil {
			return bad("insert or update violates foreign key constraint \"FK_%s\"", c.path)
		}
	}
	return text, nil
}

// stayingLink is a link as it is kept: the host in lower case and ASCII, no slash
// at the end. Whether it has a scheme is left as it was sent.
func stayingLink(s string) (string, bool) {
	bare := !strings.Contains(s, "://")
	at := s
	if bare {
		at = "https://" + s
	}
	u, err := url.Parse(at)
	if err != nil || !strings.Contains(u.Hostname(), ".") || strings.ContainsAny(s, " \t") {
		return "", false
	}
	host, err := idna.Lookup.ToASCII(strings.ToLower(u.Hostname()))
	if err != nil {
		return "", false
	}
	if u.Port() != "" {
		host += ":" + u.Port()
	}
	u.Host = host
	out := strings.TrimSuffix(u.String(), "/")
	if bare {
		out = strings.TrimPrefix(out, "https://")
	}
	return out, true
}
