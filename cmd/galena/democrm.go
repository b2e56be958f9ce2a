package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
	"github.com/galenahq/galena/providers/registry"
)

// demoCRMToken is what the simulated CRM accepts. Whoever reaches it on this
// machine is let in, so that one can look at the records with a browser.
const demoCRMToken = "demo"

// patienceWithCRM is how long the demo waits to show what became of a record.
const patienceWithCRM = 5 * time.Second

// crm puts the demo's own CRM in the place of whatever the files name: a demo
// writes to nobody's. In a scenario, whose clock stands still, there is none.
func (d *demo) crm(ctx context.Context, s *settings) error {
	s.rules.CRM = configs.CRM{}
	if d.clock.frozen {
		return nil
	}
	own, err := configs.Load(configs.Demo(), configs.Options{Path: "(demo)", Specs: registry.All()})
	if err != nil {
		return err
	}
	fake := crmfake.New(crmfake.Twenty, demoCRMToken, time.Now)
	d.reps = map[string]string{}
	ids := map[string]string{}
	for rep, email := range own.CRM.REST.Owners.Reps {
		ids[rep] = fake.Add(crmfake.User, map[crm.Field]string{crm.Email: email})
		d.reps[ids[rep]] = rep
	}
	d.stock(fake, ids)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("simulated CRM: %w", err)
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+demoCRMToken)
		fake.ServeHTTP(w, r)
	})}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	go func() { _ = srv.Serve(l) }() // ends with the context
	described := *own.CRM.REST
	described.BaseURL = "http://" + l.Addr().String()
	own.CRM.REST = &described
	s.rules.CRM = own.CRM
	d.written = make(chan writtenTo, 64)
	s.written = func(lead string, plans []crm.Plan) {
		select {
		case d.written <- writtenTo{lead, plans}:
		default: // nobody looks
		}
	}
	return nil
}

// stock puts into the CRM what the scenario says that it held before, and a name
// that a rep gave.
func (d *demo) stock(fake *crmfake.Server, members map[string]string) {
	held := map[string]map[crm.Field]string{}
	of := func(domain string) map[crm.Field]string {
		if held[domain] == nil {
			held[domain] = map[crm.Field]string{crm.Domain: "https://" + domain, "company.name": "Key account " + domain}
		}
		return held[domain]
	}
	var order []string
	for _, a := range d.scenario.Accounts {
		of(a.Domain)[crm.Owner] = members[a.Owner]
		order = append(order, a.Domain)
	}
	for _, o := range d.scenario.Observations {
		if held[o.Entity] == nil {
			order = append(order, o.Entity)
		}
		of(o.Entity)[crm.Field(o.Field)] = o.Value.String()
	}
	for _, domain := range order {
		fake.Add(crm.Company, held[domain])
	}
}

// writtenTo is what became of a lead's records.
type writtenTo struct {
	lead  string
	plans []crm.Plan
}

// inCRM waits for a lead's records.
func (d *demo) inCRM(ctx context.Context, lead string) []crm.Plan {
	if d.written == nil {
		return nil
	}
	late := time.NewTimer(patienceWithCRM)
	defer late.Stop()
	for {
		select {
		case w := <-d.written:
			if w.lead == lead {
				return w.plans
			}
		case <-late.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// recordLine is what became of one record, as programs read it.
type recordLine struct {
	Object crm.Object   `json:"object"`
	Made   bool         `json:"made"`
	Fields []recordCell `json:"fields"` // that were written, or are another's
}

type recordCell struct {
	Field   crm.Field   `json:"field"`
	Outcome crm.Outcome `json:"outcome"`
	Before  any         `json:"before"`
	After   any         `json:"after"` // what stands there now
	Ours    any         `json:"ours,omitempty"`
}

// shownFields is the order in which the fields of a record are told; what it is found
// by stands in the lead's own line.
var shownFields = []crm.Field{"company.name", crm.FirstName, crm.LastName, "lead.job_title", "company.employee_count", "company.annual_revenue_usd",
	"company.industry", crm.Score, crm.Tier, crm.Owner, crm.Employer, crm.Reasons}

// recordLines shows each record before and after. reps names the owners.
func recordLines(plans []crm.Plan, reps map[string]string) []recordLine {
	var out []recordLine
	for _, p := range plans {
		line := recordLine{Object: p.Object, Made: p.Record == nil && len(p.Decisions) > 0, Fields: []recordCell{}}
		for _, f := range shownFields {
			i := slices.IndexFunc(p.Decisions, func(d crm.Decision) bool { return d.Field == f })
			if i < 0 {
				continue
			}
			d := p.Decisions[i]
			before, ours := plain(d.Theirs.Raw, d.Theirs.Norm), plain(d.Ours.Raw, d.Ours.Norm)
			if f == crm.Owner {
				before, ours = named(reps, before), named(reps, ours)
			}
			switch d.Outcome {
			case crm.Write:
				line.Fields = append(line.Fields, recordCell{f, d.Outcome, before, ours, nil})
			case crm.Conflict:
				line.Fields = append(line.Fields, recordCell{f, d.Outcome, before, before, ours})
			case crm.Same, crm.Invalid, crm.Unsupported, crm.Ambiguous:
			}
		}
		out = append(out, line)
	}
	return out
}

// plain is a value as people read it. The one in several parts is money, an amount
// in millionths with its currency.
func plain(raw any, norm string) any {
	if _, parts := raw.(map[string]any); parts {
		return strings.Replace(norm, "000000 ", " ", 1)
	}
	return raw
}

// named is a rep by the CRM's id.
func named(reps map[string]string, id any) any {
	if rep, ok := reps[fmt.Sprint(id)]; ok {
		return rep
	}
	return id
}

// recordWidth is how much of a record's line is shown.
const recordWidth = 160

// String is the line for people: "new: name Acme, employee count 420", or
// "keeps name ACME (ours Acme); tier B → A".
func (l recordLine) String() string {
	var written, kept []string
	for _, c := range l.Fields {
		name := strings.ReplaceAll(string(c.Field[strings.LastIndexByte(string(c.Field), '.')+1:]), "_", " ")
		switch {
		case c.Field == crm.Employer && c.Outcome == crm.Write:
			written = append(written, "linked to its company")
		case c.Outcome == crm.Conflict:
			kept = append(kept, fmt.Sprintf("%s %q (ours %q)", name, cell(c.Before), cell(c.Ours)))
		case c.Before == nil || c.Before == "":
			written = append(written, name+" "+cell(c.After))
		default:
			written = append(written, fmt.Sprintf("%s %s → %s", name, cell(c.Before), cell(c.After)))
		}
	}
	head := fmt.Sprintf("  └ CRM %-7s  ", l.Object)
	switch {
	case len(written)+len(kept) == 0 && !l.Made:
		return head + "as it was"
	case l.Made:
		head += "new: "
	}
	if len(kept) > 0 {
		head += "keeps " + strings.Join(kept, ", ") + "; "
	}
	return cut(strings.TrimSuffix(head+strings.Join(written, ", "), "; "), recordWidth)
}

// cell is a value in a few letters.
func cell(v any) string {
	return cut(strings.ReplaceAll(fmt.Sprint(v), "\n", "; "), 34)
}
