package rest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// maxHits is how many hits of a search are read to see which is meant.
const maxHits = 20

// total says that an error is not of one record: what follows would meet it too.
func total(err error) bool {
	return slices.Contains([]galena.Kind{galena.RateLimited, galena.Exhausted, galena.Unauthorized, galena.Unavailable}, galena.KindOf(err))
}

// Find implements crm.CRM.
func (c *Connector) Find(ctx context.Context, keys []crm.Key, want []crm.Field) ([]crm.Found, error) {
	out := make([]crm.Found, len(keys))
	for i, key := range keys {
		if i > 0 && total(out[i-1].Err) {
			out[i].Err = out[i-1].Err
			continue
		}
		out[i] = c.find(ctx, key, want)
	}
	return out, nil
}

func (c *Connector) find(ctx context.Context, key crm.Key, want []crm.Field) crm.Found {
	o, ok := c.objects[key.Object]
	if !ok {
		return crm.Found{Err: galena.Errorf(galena.NotFound, c.id+".find", "the configuration does not describe a %s", key.Object)}
	}
	var raws []any
	var err error
	if key.ID != "" {
		var raw any
		if raw, err = c.read(ctx, o, key.ID); err == nil {
			raws = []any{raw}
		} else if galena.KindOf(err) == galena.NotFound {
			err = nil
		}
	} else {
		raws, err = c.lookup(ctx, o, key)
	}
	if err != nil {
		return crm.Found{Err: bare(err)}
	}
	var found crm.Found
	for _, raw := range raws {
		found.Records = append(found.Records, o.record(raw, want))
	}
	return found
}

// lookup finds the records of a key. What a search calls a hit is held against
// the key once more: many search by parts of words.
func (c *Connector) lookup(ctx context.Context, o described, key crm.Key) ([]any, error) {
	given := key.Domain
	if key.Object == crm.Person {
		given = key.Email
	}
	if strings.TrimSpace(given) == "" {
		return nil, galena.Errorf(galena.Invalid, c.id+".find", "the key is empty")
	}
	hits, err := c.search(ctx, o, given)
	if err != nil {
		return nil, err
	}
	if !o.Lookup.Whole && len(hits) > maxHits {
		return nil, galena.Errorf(galena.Invalid, c.id+".find", "the search is too broad: %d hits", len(hits))
	}
	var out []any
	for _, id := range slices.Sorted(maps.Keys(hits)) {
		raw := hits[id]
		if !o.Lookup.Whole {
			if raw, err = c.read(ctx, o, id); galena.KindOf(err) == galena.NotFound {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		if o.matches(raw, given) {
			out = append(out, raw)
		}
	}
	if o.Lookup.Ambiguous == "oldest" && len(out) > 1 {
		made := lead(o.Lookup.Created)
		out = []any{slices.MinFunc(out, func(a, b any) int { return strings.Compare(word(made.get(a)), word(made.get(b))) })}
	}
	return out, nil
}

// search asks for each form of the key, or for all in one call.
func (c *Connector) search(ctx context.Context, o described, given string) (map[string]any, error) {
	forms := []string{given}
	if len(o.Lookup.Variants) > 0 {
		forms = nil
		for _, v := range o.Lookup.Variants {
			forms = append(forms, strings.ReplaceAll(v, "{key}", given))
		}
	}
	asked := forms
	if o.Lookup.says("{keys}") {
		asked = forms[:1]
	}
	hits := map[string]any{}
	for _, form := range asked {
		doc, err := c.do(ctx, request{Call: o.Lookup.Call, op: c.id + ".find", cost: c.config.Limits.Daily.Search,
			blanks: blanks{"key": form, "keys": forms, "fields": o.names}})
		if refused, ok := errors.AsType[*refusal](err); ok && o.Lookup.none(refused) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list, ok := lead(o.Lookup.List).get(doc).([]any)
		if !ok && doc != nil && lead(o.Lookup.List).get(doc) != nil {
			return nil, galena.Errorf(galena.Malformed, c.id+".find", "the answer holds no list at %s", o.Lookup.List)
		}
		for _, hit := range list {
			raw := lead(o.Lookup.Record).get(hit)
			if id := word(o.id.get(raw)); id != "" {
				hits[id] = raw
			}
		}
	}
	return hits, nil
}

// none says that a refusal means that there is no such record.
func (l Lookup) none(r *refusal) bool {
	if len(l.NotFound) > 0 && slices.Contains(l.NotFound, r.status) {
		return true
	}
	return galena.KindOf(r) == galena.NotFound
}

// says looks for a blank in the call.
func (c Call) says(text string) bool {
	if strings.Contains(c.Path, text) {
		return true
	}
	for _, v := range c.Query {
		if strings.Contains(v, text) {
			return true
		}
	}
	return slices.ContainsFunc(texts(c.Body), func(s string) bool { return strings.Contains(s, text) })
}

// matches says that a record has the key itself.
func (o described) matches(raw any, given string) bool {
	key := o.codecs[o.key]
	at := key.at
	if o.Lookup.Match != "" {
		at = lead(o.Lookup.Match)
	}
	return slices.ContainsFunc(at.all(raw), func(v any) bool { return key.norm(v) == key.norm(given) })
}

// read fetches one record by its id.
func (c *Connector) read(ctx context.Context, o described, id string) (any, error) {
	doc, err := c.do(ctx, request{Call: o.Read, op: c.id + ".read", cost: c.config.Limits.Daily.Read,
		blanks: blanks{"id": id, "fields": o.names}})
	if err != nil {
		return nil, err
	}
	raw, ok := lead(o.Read.Record).get(doc).(object)
	if !ok || word(o.id.get(raw)) != id {
		return nil, galena.Errorf(galena.Malformed, c.id+".read", "the answer does not hold the record that was asked for")
	}
	return raw, nil
}

// record puts a record into our words.
func (o described) record(raw any, want []crm.Field) crm.Record {
	r := crm.Record{Object: o.kind, ID: word(o.id.get(raw)), Fields: map[crm.Field]crm.Value{}}
	r.URL = o.page(r.ID)
	if o.Version != "" {
		r.Version = word(lead(o.Version).get(raw))
	}
	for _, why := range slices.Sorted(maps.Keys(o.Closed)) {
		if says(lead(o.Closed[why]).get(raw)) {
			r.Closed = why
			break
		}
	}
	for f, codec := range o.codecs {
		if len(want) > 0 && !slices.Contains(want, f) {
			continue
		}
		v := codec.read(raw)
		v.Last = o.last(raw)
		r.Fields[f] = v
	}
	return r
}

func (o described) page(id string) string {
	if o.URL == "" || id == "" {
		return ""
	}
	return blanks{"id": id}.text(o.URL, func(s string) string { return s })
}

// last is what the record tells of its last change. That it was ours says
// nothing of a single field, so only somebody else's is told.
func (o described) last(raw any) crm.Evidence {
	var e crm.Evidence
	if o.Edited.At != "" {
		e.At, _ = time.Parse(time.RFC3339, word(lead(o.Edited.At).get(raw)))
	}
	if o.Edited.By != "" {
		if by := word(lead(o.Edited.By).get(raw)); by != "" && !slices.Contains(o.Edited.Ours, by) {
			e.By = crm.ByPerson
		}
	}
	return e
}
