package twenty

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// longest is how long a filter may be: servers and what stands before them take
// eight thousand characters of a URL.
const longest = 6000

// Encode implements crm.CRM. It asks the server when the layout is not known yet.
func (c *CRM) Encode(o crm.Object, f crm.Field, v galena.Value) (crm.Encoded, error) {
	const op = "twenty.encode"
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	l, err := c.metadata(ctx)
	if err != nil {
		return crm.Encoded{}, err
	}
	s, ok := l.slots[o][f]
	if !ok || s.readOnly {
		return crm.Encoded{}, galena.Errorf(galena.NotFound, op, "the workspace has no field for %s that we may write", f)
	}
	if f == crm.Owner {
		return c.encodeOwner(ctx, v)
	}
	form := forms[s.form()]
	raw, ok := form.encode(s, v)
	if !ok || v.Empty() {
		return crm.Encoded{}, galena.Errorf(galena.Invalid, op, "%s takes no such value: it is a %s", s.at(), s.kind)
	}
	return crm.Encoded{Raw: raw, Norm: form.norm(s, wire(raw))}, nil
}

// wire is a value as it looks once it went over the wire, so that both sides are
// compared alike.
func wire(raw any) any {
	b, err := json.Marshal(raw)
	if err != nil {
		return nil
	}
	v, err := decode(b)
	if err != nil {
		return nil
	}
	return v
}

// Find implements crm.CRM: one call for what is there, and one more if a key led
// nowhere, for what a person deleted.
func (c *CRM) Find(ctx context.Context, keys []crm.Key, want []crm.Field) ([]crm.Found, error) {
	l, err := c.metadata(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]crm.Found, len(keys))
	for o := range objects {
		for _, deleted := range []bool{false, true} {
			var open []int
			for i, k := range keys {
				if k.Object == o && len(out[i].Records) == 0 && out[i].Err == nil {
					open = append(open, i)
				}
			}
			if err := c.find(ctx, l, o, keys, open, look{deleted, want}, out); err != nil {
				return nil, err
			}
		}
	}
	for i, k := range keys {
		if _, ok := objects[k.Object]; !ok {
			out[i].Err = galena.Errorf(galena.Invalid, "twenty.find", "Twenty has no %s", k.Object)
		}
	}
	return out, nil
}

// find looks up the open keys of one kind of record.
func (c *CRM) find(ctx context.Context, l *layout, o crm.Object, keys []crm.Key, open []int, look look, out []crm.Found) error {
	for these := range slices.Chunk(open, batch) {
		var tests []test
		var asked []int
		for _, i := range these {
			if t := l.tests(o, keys[i]); len(t) > 0 {
				tests, asked = append(tests, t...), append(asked, i)
			} else if !look.deleted {
				out[i].Err = galena.Errorf(galena.Invalid, "twenty.find", "the key names nothing that can be looked up")
			}
		}
		if len(tests) == 0 {
			continue
		}
		found, err := c.search(ctx, l, o, tests, look)
		if err != nil {
			return err
		}
		for _, i := range asked {
			for _, r := range found {
				if l.answers(o, keys[i], r) {
					out[i].Records = append(out[i].Records, c.record(l, o, r, look.want))
				}
			}
		}
	}
	return nil
}

// look is what is wanted of the records that are found.
type look struct {
	deleted bool
	want    []crm.Field
}

// search asks by a URL, and where that would be too long by GraphQL, which takes
// the filter in its body: sixty domains are one call and not four.
func (c *CRM) search(ctx context.Context, l *layout, o crm.Object, tests []test, look look) ([]record, error) {
	const op = "twenty.find"
	filter := restFilter(tests, look.deleted)
	if len(url.QueryEscape(filter)) <= longest {
		return c.list(ctx, op, objects[o].many, filter)
	}
	return c.graph(ctx, op, o, l.selection(o, look.want), graphFilter(tests, look.deleted))
}

// test is one condition of a filter.
type test struct{ at, is, value string }

// tests are the conditions of which one holds for the record of a key, and
// perhaps for others. A domain may stand as h, https://h, http://www.h/ or
// https://h:8443/x: all are found.
func (l *layout) tests(o crm.Object, k crm.Key) (out []test) {
	like := func(f crm.Field, patterns ...string) {
		s, ok := l.slots[o][f]
		for _, p := range patterns {
			if _, fine := quote(p); ok && fine {
				out = append(out, test{s.at(), "ilike", p})
			}
		}
	}
	switch {
	case k.ID != "":
		if _, ok := quote(k.ID); ok {
			out = append(out, test{"id", "eq", k.ID})
		}
	case o == crm.Company && hostOf(k.Domain) != "":
		h := hostOf(k.Domain)
		like(crm.Domain, h+"%", "%/"+h+"%", "%www."+h+"%")
	case o == crm.Person && strings.Contains(k.Email, "@"):
		like(crm.Email, strings.ToLower(strings.TrimSpace(k.Email)))
	}
	return out
}

// restFilter puts the tests into the grammar of a URL.
func restFilter(tests []test, deleted bool) string {
	parts := make([]string, len(tests))
	for i, t := range tests {
		parts[i] = t.at + "[" + t.is + `]:"` + t.value + `"`
	}
	filter := parts[0]
	if len(parts) > 1 {
		filter = "or(" + strings.Join(parts, ",") + ")"
	}
	if deleted {
		return "and(" + filter + ",deletedAt[is]:NOT_NULL)"
	}
	return filter
}

// answers says whether a record is really the one that the key means.
func (l *layout) answers(o crm.Object, k crm.Key, r record) bool {
	is := func(f crm.Field, want string) bool {
		s := l.slots[o][f]
		return forms[s.form()].norm(s, rawOf(r, s)) == want
	}
	switch {
	case k.ID != "":
		return textOf(r["id"]) == k.ID
	case o == crm.Company:
		return is(crm.Domain, hostOf(k.Domain))
	default:
		return is(crm.Email, strings.ToLower(strings.TrimSpace(k.Email)))
	}
}

// record puts a record into our terms.
func (c *CRM) record(l *layout, o crm.Object, r record, want []crm.Field) crm.Record {
	id := textOf(r["id"])
	out := crm.Record{Object: o, ID: id, URL: c.page(o, id), Version: textOf(r["updatedAt"]), Fields: map[crm.Field]crm.Value{}}
	if textOf(r["deletedAt"]) != "" {
		out.Closed = "deleted"
	}
	evidence := c.evidence(r)
	for _, f := range want {
		s, ok := l.slots[o][f]
		if !ok {
			continue
		}
		out.Fields[f] = valueOf(s, rawOf(r, s), evidence)
	}
	return out
}

func valueOf(s slot, raw any, last crm.Evidence) crm.Value {
	n := forms[s.form()].norm(s, raw)
	return crm.Value{Encoded: crm.Encoded{Raw: raw, Norm: n}, Blank: n == "", Text: s.form() == "TEXT", Last: last}
}

// page is where a person opens a record.
func (c *CRM) page(o crm.Object, id string) string {
	if c.config.App == "" {
		return ""
	}
	return strings.TrimRight(c.config.App, "/") + "/object/" + objects[o].one + "/" + id
}

// evidence is who wrote the fields of a record. Twenty only tells who touched the
// record last, which says nothing of one field; but whoever made a record that
// nobody touched since wrote all of it.
func (c *CRM) evidence(r record) crm.Evidence {
	made, touched := textOf(r["createdAt"]), textOf(r["updatedAt"])
	if made == "" || made != touched {
		return crm.Evidence{}
	}
	at, err := time.Parse(time.RFC3339, made)
	if err != nil {
		return crm.Evidence{}
	}
	return crm.Evidence{By: c.actor(recordOf(r["updatedBy"])), At: at}
}

// actor says who stands behind an updatedBy.
func (c *CRM) actor(by record) crm.Actor {
	c.mu.Lock()
	ours := c.keyName
	c.mu.Unlock()
	switch source := textOf(by["source"]); {
	case source == "":
		return ""
	case source == "MANUAL" && textOf(by["workspaceMemberId"]) != "":
		return crm.ByPerson
	case source == "API" && ours != "" && textOf(by["name"]) == ours:
		return crm.ByUs
	}
	return crm.ByOther
}

// learn remembers what our key is called, from a record that we just wrote.
func (c *CRM) learn(r record) {
	by := recordOf(r["updatedBy"])
	if name := textOf(by["name"]); name != "" && textOf(by["source"]) == "API" {
		c.mu.Lock()
		c.keyName = name
		c.mu.Unlock()
	}
}
