package rest

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// maxTries is how often a write is tried whose guard fails.
const maxTries = 3

// Apply implements crm.CRM.
func (c *Connector) Apply(ctx context.Context, changes []crm.Change) ([]crm.Result, error) {
	out := make([]crm.Result, len(changes))
	done := c.batches(ctx, changes, out)
	var stopped error
	for i, ch := range changes {
		switch {
		case done[i]:
		case stopped != nil:
			out[i] = crm.Result{Ref: ch.Ref, ID: ch.ID, Err: stopped}
		default:
			out[i] = c.apply(ctx, ch)
			if total(out[i].Err) {
				stopped = out[i].Err
			}
		}
	}
	return out, nil
}

func (c *Connector) apply(ctx context.Context, ch crm.Change) crm.Result {
	res := crm.Result{Ref: ch.Ref, ID: ch.ID}
	o, ok := c.objects[ch.Object]
	if !ok {
		res.Err = galena.Errorf(galena.NotFound, c.id+".apply", "the configuration does not describe a %s", ch.Object)
		return res
	}
	set := map[crm.Field]any{}
	for f, e := range ch.Set {
		if _, ok := o.codecs[f]; !ok {
			res.Refused = append(res.Refused, f)
			continue
		}
		set[f] = e.Raw
	}
	owner, assigned := set[crm.Owner]
	if assigned = assigned && o.Assign != nil; assigned {
		delete(set, crm.Owner)
	}
	if ch.ID == "" {
		c.create(ctx, o, set, &res)
	} else {
		c.update(ctx, o, ch, set, &res, assigned)
	}
	if assigned && res.Err == nil && !slices.Contains(res.Lost, crm.Owner) {
		_, err := c.do(ctx, request{Call: *o.Assign, op: c.id + ".assign", cost: c.config.Limits.Daily.Update,
			blanks: blanks{"id": res.ID, "owner": owner}})
		switch {
		case len(set) == 0: // there was nothing else to write
			res.Err = err
		case galena.KindOf(err) == galena.Invalid:
			res.Refused = append(res.Refused, crm.Owner)
		case err != nil: // the rest is written all the same
			res.Lost = append(res.Lost, crm.Owner)
		}
	}
	res.URL, res.Err = o.page(res.ID), bare(res.Err)
	slices.Sort(res.Lost)
	slices.Sort(res.Refused)
	return res
}

// create makes a record. Fields that the CRM names as wrong are left out, but
// not the key: a record without it would never be found again.
func (c *Connector) create(ctx context.Context, o described, set map[crm.Field]any, res *crm.Result) {
	send := func() (any, error) {
		return c.do(ctx, request{Call: o.Create.Call, op: c.id + ".create", cost: c.config.Limits.Daily.Create,
			body: o.body(o.Create, nil, set, nil)})
	}
	doc, err := send()
	if wrong := o.named(err, set); len(wrong) > 0 && len(wrong) < len(set) && !slices.Contains(wrong, o.key) {
		drop(set, wrong, res)
		doc, err = send()
	}
	if err != nil {
		res.Err = err
		return
	}
	res.Created, res.ID = true, word(o.id.get(lead(o.Create.Record).get(doc)))
	if res.ID == "" {
		res.Err = galena.Errorf(galena.Malformed, c.id+".create", "the answer does not tell the new record's id")
	}
}

// update changes a record: what stands there is looked at right before, and a
// guard that fails has it looked at again.
func (c *Connector) update(ctx context.Context, o described, ch crm.Change, set map[crm.Field]any, res *crm.Result, assigned bool) {
	replace := o.Update.Semantics == "replace"
	for try := 1; len(set) > 0 || assigned && try == 1; try++ {
		var raw any
		version := ch.Version
		if replace || len(ch.Seen) > 0 || len(o.Guard) > 0 && (version == "" || try > 1) {
			if raw, res.Err = c.read(ctx, o, ch.ID); res.Err != nil {
				return
			}
			now := o.record(raw, nil)
			if now.Closed != "" {
				res.Err = galena.Errorf(galena.NotFound, c.id+".update", "the record is %s", now.Closed)
				return
			}
			version = now.Version
			o.lose(now, ch, set, res)
		}
		if len(set) == 0 {
			return
		}
		if !replace {
			raw = nil
		}
		err := c.put(ctx, o, ch.ID, version, raw, set)
		if wrong := o.named(err, set); len(wrong) > 0 && len(wrong) < len(set) {
			drop(set, wrong, res)
			continue
		}
		res.Err = err
		if galena.KindOf(err) != galena.Conflict || len(o.Guard) == 0 || try == maxTries {
			return
		}
	}
}

func (c *Connector) put(ctx context.Context, o described, id, version string, raw any, set map[crm.Field]any) error {
	headers := o.Guard
	if version == "" {
		headers = nil
	}
	b := blanks{"id": id, "version": version}
	_, err := c.do(ctx, request{Call: o.Update.Call, op: c.id + ".update", cost: c.config.Limits.Daily.Update, headers: headers, blanks: b,
		body: o.body(o.Update.Write, raw, set, b)})
	return err
}

// lose takes out the fields in which somebody was faster.
func (o described) lose(now crm.Record, ch crm.Change, set map[crm.Field]any, res *crm.Result) {
	for f, seen := range ch.Seen {
		stands := now.Fields[f]
		if stands.Blank == seen.Blank && (stands.Blank || stands.Norm == seen.Norm) {
			continue
		}
		if !slices.Contains(res.Lost, f) {
			res.Lost = append(res.Lost, f)
		}
		delete(set, f)
	}
}

// body builds what is sent: the record as it stands where an update replaces it,
// the file's own words, and the fields.
func (o described) body(w Write, raw any, set map[crm.Field]any, b blanks) any {
	under := lead(w.SetUnder)
	var body any = object{}
	if w.Body != nil {
		body = b.json(w.Body)
	}
	if raw != nil {
		kept := clone(raw)
		for _, p := range o.Update.Omit {
			lead(p).drop(kept)
		}
		body = under.set(body, kept)
	}
	for _, f := range sorted(set) {
		body = o.codecs[f].write(body, under, set[f])
	}
	return body
}

func sorted(set map[crm.Field]any) []crm.Field {
	out := make([]crm.Field, 0, len(set))
	for f := range set {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

// drop leaves fields out that the CRM does not take.
func drop(set map[crm.Field]any, wrong []crm.Field, res *crm.Result) {
	for _, f := range wrong {
		delete(set, f)
		res.Refused = append(res.Refused, f)
	}
}

// named lists the fields that a refusal speaks of: by the key that their path
// ends with, else by the one before it, as of an amount with its currency.
func (o described) named(err error, set map[crm.Field]any) []crm.Field {
	r, ok := errors.AsType[*refusal](err)
	if !ok || galena.KindOf(r) != galena.Invalid {
		return nil
	}
	for short := range 2 {
		var out []crm.Field
		for _, f := range sorted(set) {
			to := o.codecs[f].to
			if short < len(to) && whole(r.mention, to[:len(to)-short].name()) {
				out = append(out, f)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// whole says that a name stands in a text as a word of its own.
func whole(text, name string) bool {
	if name == "" {
		return false
	}
	ok, err := regexp.MatchString(`(^|[^\pL\pN_-])`+regexp.QuoteMeta(name)+`($|[^\pL\pN_-])`, text)
	return err == nil && ok
}

// batches writes what can be written together: fields that nobody else writes.
// What is not reported as done is left for a write of its own.
func (c *Connector) batches(ctx context.Context, changes []crm.Change, out []crm.Result) []bool {
	done := make([]bool, len(changes))
	for kind, o := range c.objects {
		if o.Batch == nil {
			continue
		}
		var fit []int
		for i, ch := range changes {
			_, owner := ch.Set[crm.Owner]
			if ch.Object == kind && ch.ID != "" && len(ch.Seen) == 0 && (!owner || o.Assign == nil) {
				fit = append(fit, i)
			}
		}
		if len(fit) < 2 {
			continue
		}
		for some := range slices.Chunk(fit, o.Batch.Size) {
			for _, i := range c.batch(ctx, o, changes, some) {
				done[i] = true
				out[i] = crm.Result{Ref: changes[i].Ref, ID: changes[i].ID, URL: o.page(changes[i].ID)}
			}
		}
	}
	return done
}

// batch sends one call and returns the changes that it did.
func (c *Connector) batch(ctx context.Context, o described, changes []crm.Change, some []int) []int {
	b := o.Batch
	items := make([]any, len(some))
	for n, i := range some {
		set := map[crm.Field]any{}
		for f, e := range changes[i].Set {
			if _, ok := o.codecs[f]; ok {
				set[f] = e.Raw
			}
		}
		items[n] = lead(b.ItemID).set(o.body(Write{SetUnder: b.SetUnder}, nil, set, nil), changes[i].ID)
	}
	call := b.Call
	if call.Method == "" {
		call.Method = http.MethodPost
	}
	doc, err := c.do(ctx, request{Call: call, op: c.id + ".batch", cost: c.config.Limits.Daily.Update * len(some),
		body: lead(b.Items).set(clone(call.Body), items)})
	if err != nil {
		return nil
	}
	if b.Atomic {
		return some
	}
	results, _ := lead(b.Results).get(doc).([]any)
	var done []int
	for n, i := range some {
		at := n
		if b.ResultID != "" {
			at = slices.IndexFunc(results, func(r any) bool { return word(lead(b.ResultID).get(r)) == changes[i].ID })
		}
		if at < 0 || at >= len(results) {
			continue
		}
		if b.Status != "" && !slices.ContainsFunc(b.OK, func(s string) bool { return strings.EqualFold(s, word(lead(b.Status).get(results[at]))) }) {
			continue
		}
		done = append(done, i)
	}
	return done
}
