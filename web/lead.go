package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// factRow is one thing known of a person or company, and from whom.
type factRow struct {
	Label, Value, Link, Source, Age, At, Confidence string
	Unknown                                         bool
}

// criterionRow is one line of the score.
type criterionRow struct {
	Name, Field, State, Value, Label, Source, Age, Confidence string
	Points                                                    string
	Bar                                                       bar
	Open                                                      bool // something could still change it
	Bare                                                      bool // nothing to draw: neither points to earn nor to lose
	Range                                                     string
}

// noticeRow is a remark beside the decision.
type noticeRow struct{ Words, At, AtWords string }

// flag is a short remark beside the headline.
type flag struct{ Words, Class, Title string }

// leadView is one lead with its reasons.
type leadView struct {
	Row             leadRow
	Pending         bool // not decided yet: the page looks again by itself
	Refresh         string
	Head, Note      string // of a lead that was held back
	Verdict         string
	Hands           *handsView
	Release         bool // it is held, and whoever looks may let it go on
	Codes           []codeView
	Headline        string
	Range, Certain  string
	Flags           []flag
	Disqualified    *galena.Disqualification
	Reasons         []string
	Hint            string
	Notices         []noticeRow // what came after the decision
	Criteria        []criterionRow
	Clamped         string // what the rows add up to when that is not the score
	Person, Company []factRow
	Conflicts       []conflictRow
	Why             *whyView
	Steps           *stepsView
	Configs         []galena.ConfigRef
	Details         []factRow
}

func (s *server) lead(w http.ResponseWriter, r *http.Request) {
	rec, err := s.Store.Record(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	view := leadOf(rec, s.Now())
	if view.Hands, err = s.hands(r, rec.Lead.ID); err != nil {
		s.fail(w, r, err)
		return
	}
	view.Release = rec.Lead.Status == galena.StatusQuarantined && s.Releaser != nil && offered(r, toRelease)
	if view.Conflicts, err = s.contested(r, rec); err != nil {
		s.fail(w, r, err)
		return
	}
	heading := view.Row.Name
	if heading == "" {
		heading = view.Row.Email
	}
	s.render(w, r, http.StatusOK, "lead", page{Title: heading, Nav: "leads", Body: view})
}

func leadOf(rec galena.Record, now time.Time) leadView {
	l, d := rec.Lead, rec.Decision
	v := leadView{Row: rowOf(rec, now), Codes: codesOf(l.Codes), Person: personOf(rec, now), Company: companyFacts(rec, now),
		Details: []factRow{{Label: "Lead", Value: l.ID}}}
	if l.ExternalID != "" {
		v.Details = append(v.Details, factRow{Label: "Your reference", Value: l.ExternalID})
	}
	words, held := verdictWords[l.Verdict]
	if held && d == nil {
		v.Head, v.Note, v.Verdict = words[0], words[1], string(l.Verdict)
	}
	if d == nil {
		v.Pending = l.Status == galena.StatusAccepted
		if v.Pending {
			v.Refresh = "/leads/" + l.ID
		}
		return v
	}
	v.decided(d)
	for _, n := range rec.Notices {
		v.Notices = append(v.Notices, noticeRow{upperFirst(n.Text) + ".", stamp(n.At), moment(n.At)})
	}
	return v
}

// decided fills in what a decision says.
func (v *leadView) decided(d *galena.Decision) {
	v.Headline, v.Range = "Tier "+d.Tier, "between "+points(d.Lo)+" and "+points(d.Hi)
	v.Certain = percent(d.Coverage) + " certain"
	v.Disqualified = d.Disqualified
	v.Flags = flagsOf(d)
	v.Reasons = d.TopReasons
	if h := d.WouldChange; h != nil {
		v.Hint = fieldLabel(h.Field) + " could still move the score by " + short(h.Points) + " points."
	}
	in, sum := scaleOf(d.Rows), galena.Tenths(0)
	for _, r := range d.Rows {
		v.Criteria = append(v.Criteria, criterionOf(r, in))
		sum += r.Points
	}
	if diff := sum - d.Score.Score; diff > 5 || diff < -5 { // more than rounding
		v.Clamped = "The lines add up to " + points(sum) + "; a score stays between 0 and 100."
	}
	v.Why, v.Steps, v.Configs = whyOf(d), stepsOf(d), d.Configs
	v.Details = append(v.Details, factRow{Label: "Decision", Value: strconv.Itoa(d.Epoch)},
		factRow{Label: "Decided", Value: moment(d.DecidedAt), At: stamp(d.DecidedAt)},
		factRow{Label: "Confidence in the data", Value: percent(d.Confidence)})
	if d.Took > 0 {
		v.Details = append(v.Details, factRow{Label: "Took", Value: count(d.Took.Milliseconds(), "ms")})
	}
	if n := len(d.Observations); n > 0 {
		v.Details = append(v.Details, factRow{Label: "Observations used", Value: strconv.Itoa(n)})
	}
}

func flagsOf(d *galena.Decision) []flag {
	var out []flag
	if d.Disqualified != nil {
		out = append(out, flag{"disqualified", "bad", "A hard rule ended the evaluation."})
	}
	if d.Settled && d.Disqualified == nil {
		out = append(out, flag{"settled", "good", "Whatever is still unknown, the tier stays."})
	}
	if d.Provisional {
		out = append(out, flag{"provisional", "warn", "What is still unknown could change the tier."})
	}
	if d.Undecided {
		out = append(out, flag{"undecided", "warn", "The lead may deserve a rep: the best case reaches a tier that is routed to one."})
	}
	for _, q := range d.Disqualifiers {
		if q.Result == galena.UnknownTruth {
			out = append(out, flag{"not ruled out: " + q.ID, "warn", "This disqualifier could not be checked."})
		}
	}
	return out
}

func criterionOf(r galena.Row, in scale) criterionRow {
	c := criterionRow{Name: title(r.Criterion), Field: r.Field, State: string(r.State), Value: shownText(r.Field, r.Value), Label: r.Label,
		Source: r.Source, Points: signed(r.Points), Bar: in.rowBar(r), Open: r.Lo != r.Hi, Bare: r.Max == 0 && r.Lo == 0 && r.Hi == 0, Range: short(r.Lo) + " to " + short(r.Hi)}
	if c.Label == r.Value {
		c.Label = "" // the label of an interval is the value as received: once is enough
	}
	if r.AgeDays != nil {
		c.Age = days(*r.AgeDays)
	}
	if r.EffectiveConfidence != nil {
		c.Confidence = percent(*r.EffectiveConfidence)
	}
	return c
}

// personOf lists what the person said; what rules read comes with its source.
func personOf(rec galena.Record, now time.Time) []factRow {
	l := rec.Lead
	facts := factsOf(rec)
	var out []factRow
	say := func(label, value, field string) {
		row := factRow{Label: label, Value: value, Link: link(value), Source: "form", Age: age(l.CreatedAt, now), At: stamp(l.CreatedAt)}
		if f := facts.Get(field); f.State != galena.Unknown {
			row = factOf(f, now)
			row.Label = label
		}
		if row.Value != "" {
			out = append(out, row)
		}
	}
	say("E-mail", l.Email, "")
	say("Name", nameOf(l), "")
	say("Title", l.JobTitle, "lead.job_title")
	say("Company", l.Company, "lead.company")
	say("Website", l.Website, "lead.website")
	say("Phone", l.Phone, "")
	say("Country", l.Country, "lead.country")
	say("Form", l.Form, "lead.form")
	say("Came from", l.Source, "lead.source")
	say("Kind of mailbox", string(l.Class), "lead.email_class")
	if l.Class != "" {
		out[len(out)-1].Source = "hygiene"
	}
	for _, k := range sortedKeys(l.UTM) {
		say("utm "+k, l.UTM[k], "")
	}
	for _, k := range sortedKeys(l.Consent) {
		say("Consent: "+k, whatever(l.Consent[k]), "")
	}
	for _, k := range sortedKeys(l.Fields) {
		say(k, whatever(l.Fields[k]), "")
	}
	return out
}

// factsOf is what the decision knew, or what is known now where none was made.
func factsOf(rec galena.Record) galena.Facts {
	if rec.Decision != nil && len(rec.Decision.Facts) > 0 {
		return rec.Decision.Facts
	}
	return rec.Company.Facts
}

// companyFacts lists the company's fields in the vocabulary's order, and those
// that the score asked for in vain.
func companyFacts(rec galena.Record, now time.Time) []factRow {
	facts := factsOf(rec)
	var out []factRow
	if rec.Lead.Domain != "" {
		source := "e-mail"
		if slices.ContainsFunc(rec.Lead.Codes, func(c string) bool { return strings.HasPrefix(c, "company_from_website:") }) {
			source = "website"
		}
		out = append(out, factRow{Label: "Domain", Value: rec.Lead.Domain, Source: source})
	}
	for _, f := range galena.Fields() {
		if !strings.HasPrefix(f.Name, "company.") || f.Name == "company.domain" {
			continue
		}
		if fact := facts.Get(f.Name); fact.State != galena.Unknown {
			out = append(out, factOf(fact, now))
		} else if rec.Decision != nil && scored(rec.Decision, f.Name) {
			out = append(out, factRow{Label: fieldLabel(f.Name), Value: "unknown", Unknown: true})
		}
	}
	return out
}

func scored(d *galena.Decision, field string) bool {
	return slices.ContainsFunc(d.Rows, func(r galena.Row) bool { return r.Field == field })
}

func factOf(f galena.Fact, now time.Time) factRow {
	row := factRow{Label: fieldLabel(f.Field), Value: shownValue(f.Field, f.Value), Link: link(f.Value.Text), Source: f.Source,
		Age: age(f.ObservedAt, now), At: stamp(f.ObservedAt), Confidence: percent(f.Confidence)}
	if f.State == galena.Absent {
		row.Value = "none"
	}
	return row
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
