package wikidata

import (
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// item is one entity.
type item struct{ o providers.Object }

// statement is one claim of an item.
type statement struct{ o providers.Object }

// best are the statements of a property that hold today: a seat that was left, or a
// site that was given up, is often told beside the one of now, with its end.
func (it item) best(property string) []statement { return it.ranked(property, statement.holds) }

// holds says that a statement has no end time (P582).
func (s statement) holds() bool { return len(s.o.Object("qualifiers").Objects("P582")) == 0 }

// ranked are the statements of a property to be taken: the preferred ones where
// there are any, never a deprecated one, never "unknown" or "none".
func (it item) ranked(property string, take func(statement) bool) []statement {
	var preferred, normal []statement
	for _, c := range it.o.Object("claims").Objects(property) {
		if c.Object("mainsnak").Text("snaktype") != "value" || !take(statement{c}) {
			continue
		}
		switch c.Text("rank") {
		case "preferred":
			preferred = append(preferred, statement{c})
		case "normal":
			normal = append(normal, statement{c})
		}
	}
	if len(preferred) > 0 {
		return preferred
	}
	return normal
}

// newest is the statement of a series that is of the latest time; one without
// a time is older than all others. That its year has an end ends no figure.
func (it item) newest(property string) (s statement, at string, ok bool) {
	for _, candidate := range it.ranked(property, func(statement) bool { return true }) {
		if t := candidate.time(); !ok || t > at {
			s, at, ok = candidate, t, true
		}
	}
	return s, at, ok
}

// value is what a statement says, with a plain string under "text".
func (s statement) value() providers.Object { return valueOf(s.o.Object("mainsnak")) }

func valueOf(snak providers.Object) providers.Object {
	data := snak.Object("datavalue")
	if v := data.Object("value"); v != nil {
		return v
	}
	return providers.Object{"text": data.Text("value")}
}

// time is the point in time (P585) that a statement is of, as Wikidata writes it.
func (s statement) time() string {
	for _, q := range s.o.Object("qualifiers").Objects("P585") {
		return valueOf(q).Text("time")
	}
	return ""
}

// refs are the items that some properties name, each first one.
func (it item) refs(properties ...string) []string {
	var out []string
	for _, p := range properties {
		if id := it.ref(p); id != "" {
			out = append(out, id)
		}
	}
	return out
}

func (it item) ref(property string) string {
	for _, s := range it.best(property) {
		return s.value().Text("id")
	}
	return ""
}

func (it item) label() string {
	return it.o.Object("labels").Object("en").Text("value")
}

// moment reads "+2010-00-00T00:00:00Z": month and day are 00 where they are not
// known, and what is known of a year is its last day.
func moment(raw string, now time.Time) time.Time {
	day, _, _ := strings.Cut(strings.TrimPrefix(raw, "+"), "T")
	if t := providers.When(day, now); !t.IsZero() {
		return t
	}
	year, _, _ := strings.Cut(day, "-")
	t, err := time.Parse("2006", year)
	if err != nil {
		return time.Time{}
	}
	if t = t.AddDate(1, 0, -1); t.After(now) {
		return time.Time{}
	}
	return t
}

// dollar is the item of the US dollar, the unit that revenue may have.
const dollar = "Q4917"

// read makes observations of an item and what it refers to.
func read(it item, others map[string]item, now time.Time) providers.Record {
	var r providers.Record
	r.Add("company.name", galena.TextValue(it.label()), "label")
	for _, s := range it.best(pOfficial) {
		r.Add("company.legal_name", galena.TextValue(s.value().Text("text")), pOfficial)
		break
	}
	r.Add("company.description", galena.TextValue(it.o.Object("descriptions").Object("en").Text("value")), "description")
	if industry, ok := others[it.ref(pIndustry)]; ok {
		label := industry.label()
		r.AddIndustry(pIndustry, label, strings.TrimSuffix(label, " industry"))
	}
	if s, at, ok := it.newest(pEmployees); ok {
		dated(&r, "company.employee_count", providers.Employees(amount(s), ""), pEmployees, moment(at, now))
	}
	if s, at, ok := it.newest(pRevenue); ok && strings.HasSuffix(s.value().Text("unit"), "/"+dollar) {
		dated(&r, "company.annual_revenue_usd", providers.Revenue(amount(s), "", "USD"), pRevenue, moment(at, now))
	}
	for _, s := range it.best(pFounded) {
		r.Add("company.founded_year", providers.Year(year(s), now), pFounded)
		break
	}
	country := others[it.ref(pCountry)]
	code := ""
	for _, s := range country.best(pCode) {
		code = s.value().Text("text")
	}
	r.Add("company.hq_country", providers.CountryOf(code, country.label()), pCountry)
	r.Add("company.hq_city", galena.TextValue(others[it.ref(pSeat)].label()), pSeat)
	for _, s := range it.best(pLinkedIn) {
		r.Add("company.linkedin_url", providers.LinkedIn("company/"+s.value().Text("text")), pLinkedIn)
		break
	}
	if len(it.best(pDissolved)) > 0 {
		r.Add("company.status", galena.EnumValue("dead"), pDissolved)
	}
	return r
}

// amount is a number without its sign: a headcount has none.
func amount(s statement) string { return strings.TrimPrefix(s.value().Text("amount"), "+") }

// year is the year of a time, which Wikidata begins with a sign.
func year(s statement) string {
	y, _, _ := strings.Cut(strings.TrimPrefix(s.value().Text("time"), "+"), "-")
	return y
}

// dated adds a value that was true at a time. One of no known time may be of
// any: it counts little.
func dated(r *providers.Record, field string, v galena.Value, ref string, at time.Time) {
	before := len(r.Observations)
	r.Add(field, v, ref)
	for i := before; i < len(r.Observations); i++ {
		r.Observations[i].ObservedAt = at
		if at.IsZero() {
			r.Observations[i].Confidence = undated
		}
	}
}

// undated is the confidence in a number that may be of any year.
const undated = 0.4
