package twenty

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// usual says where each field stands in a workspace that nobody changed. Several
// names: the first that the workspace has.
var usual = map[crm.Object]map[crm.Field]string{
	crm.Company: {
		"company.name":               "name",
		crm.Domain:                   "domainName",
		"company.linkedin_url":       "linkedinLink",
		"company.employee_count":     "employees employeeCount headcount",
		"company.annual_revenue_usd": "annualRevenue annualRecurringRevenue",
		"company.funding_total_usd":  "fundingTotal totalFunding",
		"company.founded_year":       "foundedYear",
		"company.industry":           "industry",
		"company.type":               "companyType",
		"company.description":        "description",
		"company.legal_name":         "legalName",
		"company.registry_id":        "registryId",
		"company.hq_city":            "address.addressCity",
		"company.hq_country":         "address.addressCountry",
		"company.technologies":       "technologies techStack",
		"company.phone":              "phones phone",
		crm.Owner:                    "accountOwnerId",
		crm.Score:                    "icpScore",
		crm.Tier:                     "icpTier",
		crm.Reasons:                  "icpReasons",
		crm.EnrichedAt:               "enrichedAt",
	},
	crm.Person: {
		crm.Email:        "emails",
		crm.FirstName:    "name.firstName",
		crm.LastName:     "name.lastName",
		crm.Employer:     "companyId",
		"lead.job_title": "jobTitle",
		crm.Score:        "icpScore",
		crm.Tier:         "icpTier",
		crm.Reasons:      "icpReasons",
		crm.EnrichedAt:   "enrichedAt",
	},
}

// places are the names under which a field may stand, best first.
func (c Config) places(o crm.Object, f crm.Field) []string {
	if own := c.Mapping.Fields[string(o)][string(f)].Place; own != "" {
		return []string{own}
	}
	return strings.Fields(usual[o][f])
}

// fields lists what the connector knows of a kind of record, in order.
func (c Config) fields(o crm.Object) []crm.Field {
	var out []crm.Field
	for f := range usual[o] {
		out = append(out, f)
	}
	for f := range c.Mapping.Fields[string(o)] {
		out = append(out, crm.Field(f))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// slot is where a field stands in a workspace.
type slot struct {
	name     string // address
	part     string // addressCity, of a composite; "" = the whole
	kind     string // ADDRESS
	options  []option
	readOnly bool
}

// option is one choice of a SELECT.
type option struct{ value, label string }

// at is the slot's name in a filter.
func (s slot) at() string {
	if s.part == "" {
		return s.name
	}
	return s.name + "." + s.part
}

// layout is what a workspace has.
type layout struct {
	ids     map[crm.Object]string // of the kind of record itself, which a new field needs
	columns map[crm.Object]map[string]slot
	slots   map[crm.Object]map[crm.Field]slot
}

// metadata reads what the workspace has, at most once in a while.
func (c *CRM) metadata(ctx context.Context) (*layout, error) {
	c.mu.Lock()
	l, fresh := c.layout, c.deps.Now().Before(c.read.Add(memory))
	c.mu.Unlock()
	if l != nil && fresh {
		return l, nil
	}
	read, err := c.readMetadata(ctx)
	if err != nil {
		if l != nil && galena.KindOf(err) != galena.Unauthorized {
			return l, nil // what it had a while ago is a better guess than none
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layout, c.read = read, c.deps.Now()
	return read, nil
}

// forget makes the next call read the layout again: somebody changed it.
func (c *CRM) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layout = nil
}

// readMetadata reads both lists: some versions put the fields into their
// objects, others do not. The limit does not count these calls.
func (c *CRM) readMetadata(ctx context.Context) (*layout, error) {
	const op = "twenty.metadata"
	found, err := c.listMetadata(ctx, op, "objects")
	if err != nil {
		return nil, err
	}
	l := &layout{ids: map[crm.Object]string{}, columns: map[crm.Object]map[string]slot{}, slots: map[crm.Object]map[crm.Field]slot{}}
	complete := true
	for _, r := range found {
		o, ok := objectOf(textOf(r["nameSingular"]))
		if !ok {
			continue
		}
		l.ids[o], l.columns[o] = textOf(r["id"]), map[string]slot{}
		fields, ok := r["fields"].([]any)
		complete = complete && ok && len(fields) > 0
		for _, f := range fields {
			l.add(o, recordOf(f))
		}
	}
	if len(l.ids) < len(objects) {
		return nil, galena.Errorf(galena.Malformed, op, "the workspace shows no companies or no people: is the URL the API's, and may the key see them?")
	}
	if !complete {
		fields, err := c.listMetadata(ctx, op, "fields")
		if err != nil {
			return nil, err
		}
		for _, r := range fields {
			for o, id := range l.ids {
				if id == textOf(r["objectMetadataId"]) {
					l.add(o, r)
				}
			}
		}
	}
	for o := range objects {
		l.slots[o] = map[crm.Field]slot{}
		for _, f := range c.config.fields(o) {
			if s, ok := l.find(o, c.config.places(o, f)); ok {
				l.slots[o][f] = s
			}
		}
	}
	return l, nil
}

// listMetadata reads one list, page by page, out of either envelope.
func (c *CRM) listMetadata(ctx context.Context, op, name string) ([]record, error) {
	var out []record
	q := url.Values{"limit": {"1000"}}
	for range pages {
		answer, err := c.exchange(ctx, op, http.MethodGet, "/rest/metadata/"+name, q, nil)
		if err != nil {
			return nil, err
		}
		found, ok := recordsOf(answer, name)
		if !ok {
			return nil, galena.Errorf(galena.Malformed, op, "the answer lists no %s", name)
		}
		out = append(out, found...)
		info := recordOf(answer["pageInfo"])
		more, _ := info["hasNextPage"].(bool)
		next := textOf(info["endCursor"])
		if !more || next == "" || len(found) == 0 {
			break
		}
		q.Set("starting_after", next)
	}
	return out, nil
}

// add takes one field of the metadata in.
func (l *layout) add(o crm.Object, r record) {
	s := slot{name: textOf(r["name"]), kind: textOf(r["type"])}
	if active, ok := r["isActive"].(bool); s.name == "" || ok && !active {
		return
	}
	s.readOnly, _ = r["isUIReadOnly"].(bool)
	options, _ := r["options"].([]any)
	for _, it := range options {
		s.options = append(s.options, option{textOf(recordOf(it)["value"]), textOf(recordOf(it)["label"])})
	}
	if s.kind == "RELATION" {
		s.name += "Id" // a record names the other one by its id
		if settings := recordOf(r["settings"]); textOf(settings["joinColumnName"]) != "" {
			s.name = textOf(settings["joinColumnName"])
		}
	}
	l.columns[o][s.name] = s
}

// find finds the first of the names that the workspace has.
func (l *layout) find(o crm.Object, names []string) (slot, bool) {
	for _, n := range names {
		name, part, _ := strings.Cut(n, ".")
		s, ok := l.columns[o][name]
		if !ok {
			continue
		}
		if s.part = part; part == "" {
			s.part = mainPart[s.kind]
		}
		if forms[s.form()].norm != nil {
			return s, true
		}
	}
	return slot{}, false
}

// mainPart is the part of a composite that stands for the whole in a filter.
var mainPart = map[string]string{"LINKS": "primaryLinkUrl", "EMAILS": "primaryEmail", "PHONES": "primaryPhoneNumber", "CURRENCY": "amountMicros"}
