package twenty

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// Spec is a field that should be there.
type Spec struct {
	Object  crm.Object
	Field   crm.Field
	Options []string // of a tier or another choice, best first
}

// Wanted are the fields that a workspace has to have for everything we can tell,
// with the tiers of the rules in force.
func Wanted(tiers []string) []Spec {
	return []Spec{
		{crm.Company, crm.Score, nil},
		{crm.Company, crm.Tier, tiers},
		{crm.Company, crm.Reasons, nil},
		{crm.Company, crm.EnrichedAt, nil},
		{crm.Company, "company.employee_count", nil},
		{crm.Company, "company.industry", nil},
		{crm.Company, "company.technologies", nil},
	}
}

// State is how a field stands.
type State string

// The states.
const (
	There    State = "there"
	Missing  State = "missing"
	Created  State = "created"
	ReadOnly State = "read_only"  // shown, and not ours to write
	Unfit    State = "unfit"      // of a type that cannot hold it
	NoChoice State = "no_options" // there, and some of its options are not
)

// Column is one of our fields in the workspace.
type Column struct {
	Object crm.Object `json:"object"`
	Field  crm.Field  `json:"field"`
	Place  string     `json:"place"` // where it stands, or would be made
	Type   string     `json:"type"`
	State  State      `json:"state"`
}

// Schema says which of the wanted fields the workspace has, and with apply makes
// those that are missing: for that the key's role may change the data model, which
// that of a worker need not. What is there is never changed.
func (c *CRM) Schema(ctx context.Context, want []Spec, apply bool) ([]Column, error) {
	c.forget()
	l, err := c.metadata(ctx)
	if err != nil {
		return nil, err
	}
	var out []Column
	for _, w := range want {
		col := c.column(l, w)
		if col.State == Missing && apply && kinds[w.Field].kind != "" {
			_, err := c.exchange(ctx, "twenty.schema", http.MethodPost, "/rest/metadata/fields", nil, c.newField(l, w, col))
			if err != nil {
				return out, err
			}
			col.State = Created
		}
		out = append(out, col)
	}
	if apply {
		c.forget()
	}
	return out, nil
}

// Recorded says of a recorded answer that it tells of the layout and of nobody, and
// what of it a fixture needs.
func (*CRM) Recorded(path string, answer any) (any, bool) {
	name, ok := strings.CutPrefix(path, "/rest/metadata/")
	if !ok {
		return answer, false
	}
	found, ok := recordsOf(recordOf(answer), name)
	if !ok {
		return answer, false
	}
	kept := []any{}
	for _, r := range found {
		if _, ours := objectOf(textOf(r["nameSingular"])); name == "objects" && !ours {
			continue
		}
		fields, _ := r["fields"].([]any)
		for i, f := range fields {
			fields[i] = needed(recordOf(f))
		}
		kept = append(kept, needed(r))
	}
	return map[string]any{"data": map[string]any{name: kept}}, true
}

// needed are the keys of the metadata that the layout is made of.
func needed(r record) record {
	out := record{}
	for _, name := range []string{"id", "objectMetadataId", "nameSingular", "name", "type", "isActive", "isUIReadOnly", "options", "settings", "fields"} {
		if v, ok := r[name]; ok && v != nil {
			out[name] = v
		}
	}
	return out
}

// Discover says where every field that the connector knows stands.
func (c *CRM) Discover(ctx context.Context) ([]Column, error) {
	var all []Spec
	for _, o := range []crm.Object{crm.Company, crm.Person} {
		for _, f := range c.config.fields(o) {
			all = append(all, Spec{Object: o, Field: f})
		}
	}
	return c.Schema(ctx, all, false)
}

// column looks one field up.
func (c *CRM) column(l *layout, w Spec) Column {
	col := Column{Object: w.Object, Field: w.Field, State: Missing, Type: kinds[w.Field].kind}
	places := c.config.places(w.Object, w.Field)
	if len(places) > 0 {
		col.Place = places[0]
	}
	s, ok := l.slots[w.Object][w.Field]
	if !ok {
		if i := slices.IndexFunc(places, func(p string) bool { _, has := l.columns[w.Object][p]; return has }); i >= 0 {
			col.Place, col.Type, col.State = places[i], l.columns[w.Object][places[i]].kind, Unfit
		}
		return col
	}
	col.Place, col.Type, col.State = s.at(), s.kind, There
	if mainPart[s.kind] != "" {
		col.Place = s.name
	}
	switch {
	case s.readOnly:
		col.State = ReadOnly
	case s.kind == "SELECT" && slices.ContainsFunc(w.Options, func(o string) bool {
		_, fits := encodeOption(s, galena.EnumValue(o))
		return !fits
	}):
		col.State = NoChoice
	}
	return col
}

// kind is what a field is made as.
type kind struct{ kind, label, icon string }

// kinds are the fields that we make.
var kinds = map[crm.Field]kind{
	crm.Score:                {"NUMBER", "ICP score", "IconTarget"},
	crm.Tier:                 {"SELECT", "ICP tier", "IconTarget"},
	crm.Reasons:              {"TEXT", "ICP reasons", "IconTarget"},
	crm.EnrichedAt:           {"DATE_TIME", "Enriched at", "IconCalendarClock"},
	"company.employee_count": {"NUMBER", "Employees", "IconUsers"},
	"company.industry":       {"TEXT", "Industry", "IconBuildingFactory"},
	"company.technologies":   {"ARRAY", "Technologies", "IconStack"},
}

// colors are those of the tiers, best first; the last one is for all others.
var colors = []string{"green", "yellow", "orange", "red", "gray"}

// newField is the request that makes a field.
func (c *CRM) newField(l *layout, w Spec, col Column) map[string]any {
	k := kinds[w.Field]
	body := map[string]any{"objectMetadataId": l.ids[w.Object], "type": k.kind, "name": col.Place, "label": k.label,
		"icon": k.icon, "description": "Written by galena", "isNullable": true}
	if k.kind == "SELECT" {
		options := []map[string]any{}
		for i, o := range w.Options {
			options = append(options, map[string]any{"value": optionValue(o), "label": o, "position": i, "color": colors[min(i, len(colors)-1)]})
		}
		body["options"] = options
	}
	return body
}

// optionValue is what a tier is called inside: upper case, and no single letter.
func optionValue(tier string) string {
	out := []rune("TIER_")
	for _, r := range tier {
		switch {
		case 'a' <= r && r <= 'z':
			r += 'A' - 'a'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		default:
			r = '_'
		}
		out = append(out, r)
	}
	return string(out)
}
