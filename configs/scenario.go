package configs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

// maxScenarioNodes bounds a scenario, which may list many more leads than a
// rule file has rules.
const maxScenarioNodes = 200_000

// arrivalStep is how long after each other the leads of a scenario arrive.
const arrivalStep = 20 * time.Second

// Scenario is a story to be played through the pipeline: the clock, what the
// gate and the CRM know, the leads in their order, and what each vendor would
// answer. A vendor that is not named for a domain has no such company.
type Scenario struct {
	Name         string
	Now          time.Time
	Hygiene      intake.Config
	Accounts     []ScenarioAccount
	OpenLeads    []ScenarioOpenLead
	Observations []galena.Observation // what the CRM held before the first lead came
	Leads        []ScenarioLead
	Answers      map[string]map[string]ScenarioAnswer // domain, provider
}

// ScenarioAccount is a company that a rep owns in the CRM.
type ScenarioAccount struct {
	Domain string `yaml:"domain"`
	Owner  string `yaml:"owner"`
}

// ScenarioOpenLead is a person whose earlier lead a rep still works on.
type ScenarioOpenLead struct {
	Email string `yaml:"email"`
	Owner string `yaml:"owner"`
}

// ScenarioLead is one submission and its number in the file.
type ScenarioLead struct {
	N int
	galena.Submission
}

// ScenarioAnswer is what a vendor says of a domain: values by field, as loosely
// typed as vendors send them, or the word of an error ("timeout", "429").
type ScenarioAnswer struct {
	Fields map[string]any
	Error  string
}

// At is when the n-th lead arrives; the clock stands still inside a lead.
func (s Scenario) At(n int) time.Time { return s.Now.Add(time.Duration(n) * arrivalStep) }

// scenarioFile is the file as it is written.
type scenarioFile struct {
	Now     time.Time                            `yaml:"now"`
	Hygiene intake.Config                        `yaml:"hygiene"`
	CRM     scenarioCRM                          `yaml:"crm"`
	Leads   []map[string]any                     `yaml:"leads"`
	Answers map[string]map[string]map[string]any `yaml:"answers"`
}

type scenarioCRM struct {
	Accounts     []ScenarioAccount     `yaml:"accounts"`
	OpenLeads    []ScenarioOpenLead    `yaml:"open_leads"`
	Observations []scenarioObservation `yaml:"observations"`
}

type scenarioObservation struct {
	Domain     string    `yaml:"domain"`
	Field      string    `yaml:"field"`
	Value      any       `yaml:"value"`
	Source     string    `yaml:"source"`
	Class      string    `yaml:"class"`
	Confidence *float64  `yaml:"confidence"`
	ObservedAt time.Time `yaml:"observed_at"`
}

// LoadScenario reads a scenario. The error is a Report with every fault.
func LoadScenario(name string, b []byte) (Scenario, error) {
	d := openLimited(Source{Path: name, Bytes: b}, maxScenarioNodes)
	if d.tree.root == nil {
		return Scenario{}, d.report
	}
	var f scenarioFile
	told := decode(d, &f)
	if told == nil {
		return Scenario{}, d.report
	}
	r := &scenarioReader{out: Scenario{Name: name, Now: f.Now, Hygiene: f.Hygiene, Accounts: f.CRM.Accounts, OpenLeads: f.CRM.OpenLeads}}
	r.all(f)
	d.tell(errors.Join(r.faults...), told)
	if report := d.report.sorted(); report.Failed() {
		return Scenario{}, report
	}
	return r.out, nil
}

// scenarioReader turns the file into a Scenario and collects what is wrong.
type scenarioReader struct {
	out    Scenario
	faults []error
}

func (r *scenarioReader) fail(path, code, format string, args ...any) *galena.Fault {
	f := galena.Faultf(path, code, format, args...)
	r.faults = append(r.faults, f)
	return f
}

func (r *scenarioReader) all(f scenarioFile) {
	if f.Now.IsZero() {
		r.fail("now", "E02", "must be a time such as 2026-11-23T14:30:00Z")
	}
	for _, fault := range faultsOf(f.Hygiene.Validate()) {
		fault.Path = "hygiene" + fault.Path[len("spec"):]
		r.faults = append(r.faults, fault)
	}
	for i, a := range f.CRM.Accounts {
		r.filled(fmt.Sprintf("crm.accounts[%d]", i), map[string]string{"domain": a.Domain, "owner": a.Owner})
	}
	for i, o := range f.CRM.OpenLeads {
		r.filled(fmt.Sprintf("crm.open_leads[%d]", i), map[string]string{"email": o.Email, "owner": o.Owner})
	}
	for i, o := range f.CRM.Observations {
		r.observation(fmt.Sprintf("crm.observations[%d]", i), o)
	}
	if len(f.Leads) == 0 {
		r.fail("leads", "E02", "must list at least one lead")
	}
	seen := map[int]bool{}
	for i, l := range f.Leads {
		r.lead(fmt.Sprintf("leads[%d]", i), l, seen)
	}
	r.answers(f.Answers)
}

func (r *scenarioReader) filled(path string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if values[key] == "" {
			r.fail(path+"."+key, "E02", "must not be empty")
		}
	}
}

// field finds a field of the vocabulary, or tells the nearest.
func (r *scenarioReader) field(path, name string) (galena.Field, bool) {
	field, ok := galena.LookupField(name)
	if !ok {
		r.fail(path, "E04", "unknown field %q", name).Hint = galena.Nearest(name, galena.FieldNames())
	}
	return field, ok
}

func (r *scenarioReader) observation(path string, o scenarioObservation) {
	r.filled(path, map[string]string{"domain": o.Domain, "field": o.Field})
	obs := galena.Observation{Entity: o.Domain, Field: o.Field, Source: "crm", Class: galena.ClassCRM, Method: "import",
		Confidence: 1, ObservedAt: o.ObservedAt, FetchedAt: o.ObservedAt}
	if o.Source != "" {
		obs.Source = o.Source
	}
	if o.Class != "" {
		if obs.Class = galena.SourceClass(o.Class); !slices.Contains(galena.SourceClasses(), obs.Class) {
			r.fail(path+".class", "E02", "unknown class %q", o.Class)
		}
	}
	if o.Confidence != nil {
		if obs.Confidence = *o.Confidence; !(obs.Confidence >= 0 && obs.Confidence <= 1) {
			r.fail(path+".confidence", "E02", "must be from 0 to 1")
		}
	}
	if o.ObservedAt.IsZero() {
		obs.ObservedAt, obs.FetchedAt = r.out.Now, r.out.Now
	}
	if o.Field == "" {
		return
	}
	if field, ok := r.field(path+".field", o.Field); ok {
		var err error
		if obs.Value, err = galena.ParseValue(field, o.Value); err != nil {
			r.fail(path+".value", "E02", "%v", err)
		}
	}
	r.out.Observations = append(r.out.Observations, obs)
}

// lead takes the properties that a form has; whatever else is there is kept
// under Fields, as the gate keeps it.
func (r *scenarioReader) lead(path string, raw map[string]any, seen map[int]bool) {
	l := ScenarioLead{Submission: galena.Submission{Fields: map[string]any{}}}
	text := map[string]*string{"id": &l.ExternalID, "email": &l.Email, "name": &l.Name, "first_name": &l.FirstName,
		"last_name": &l.LastName, "company": &l.Company, "website": &l.Website, "job_title": &l.JobTitle, "phone": &l.Phone,
		"country": &l.Country, "form": &l.Form, "source": &l.Source, "honeypot": &l.Honeypot}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		value, at := raw[key], path+"."+key
		into, isText := text[key]
		switch {
		case isText:
			r.text(at, value, into)
		case key == "n":
			l.N = r.whole(at, value)
		case key == "elapsed_ms":
			l.ElapsedMS = r.whole(at, value)
		case key == "utm", key == "consent", key == "fields":
			r.group(at, key, value, &l.Submission)
		default:
			l.Fields[key] = value
		}
	}
	if len(l.Form) > intake.MaxForm {
		r.fail(path+".form", "E02", "must have at most %d octets", intake.MaxForm)
	}
	if _, ok := raw["email"]; !ok {
		r.fail(path+".email", "E02", "must not be empty")
	}
	switch _, ok := raw["n"]; {
	case !ok:
		r.fail(path+".n", "E02", "must be the lead's number")
	case seen[l.N]:
		r.fail(path+".n", "E03", "number %d is already used", l.N)
	}
	seen[l.N] = true
	r.out.Leads = append(r.out.Leads, l)
}

func (r *scenarioReader) text(path string, value any, into *string) {
	switch x := value.(type) {
	case nil:
	case string:
		*into = x
	case uint64, int64, float64:
		*into = fmt.Sprint(x)
	default:
		r.fail(path, "E02", "must be text")
	}
}

func (r *scenarioReader) whole(path string, value any) int {
	n, ok := value.(uint64)
	if !ok || n > 1<<31 {
		r.fail(path, "E02", "must be a whole number from 0")
	}
	return int(n) //nolint:gosec // one that does not fit was refused above
}

// group reads the three properties that hold properties themselves.
func (r *scenarioReader) group(path, key string, value any, s *galena.Submission) {
	inner, ok := value.(map[string]any)
	switch {
	case !ok && value != nil:
		r.fail(path, "E02", "must be keys with values")
	case key == "consent":
		s.Consent = inner
	case key == "fields":
		maps.Copy(s.Fields, inner)
	default:
		s.UTM = map[string]string{}
		for k, v := range inner {
			var word string
			r.text(path+"."+k, v, &word)
			s.UTM[k] = word
		}
	}
}

// errorWord is how an error is named: a cause, a kind or a status.
var errorWord = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

func (r *scenarioReader) answers(raw map[string]map[string]map[string]any) {
	r.out.Answers = map[string]map[string]ScenarioAnswer{}
	for _, domain := range slices.Sorted(maps.Keys(raw)) {
		byProvider := map[string]ScenarioAnswer{}
		for _, provider := range slices.Sorted(maps.Keys(raw[domain])) {
			path := "answers." + domain + "." + provider
			byProvider[provider] = r.answer(path, raw[domain][provider])
		}
		r.out.Answers[domain] = byProvider
	}
}

func (r *scenarioReader) answer(path string, raw map[string]any) ScenarioAnswer {
	word, failed := raw["error"]
	if !failed {
		for _, name := range slices.Sorted(maps.Keys(raw)) {
			r.field(path+"."+name, name)
		}
		return ScenarioAnswer{Fields: raw}
	}
	a := ScenarioAnswer{Error: fmt.Sprint(word)}
	if len(raw) > 1 {
		r.fail(path, "E02", "an answer is either an error or values, not both")
	}
	if !errorWord.MatchString(a.Error) {
		r.fail(path+".error", "E02", "must be a word such as timeout, or a status such as 429")
	}
	return a
}
