package twenty

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// Apply implements crm.CRM. New records of one kind go in one call; a batch is
// all or nothing, so one that holds a duplicate is sent again one by one.
func (c *CRM) Apply(ctx context.Context, changes []crm.Change) ([]crm.Result, error) {
	l, err := c.metadata(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]crm.Result, len(changes))
	fresh := map[crm.Object][]int{}
	for i, ch := range changes {
		out[i] = crm.Result{Ref: ch.Ref, ID: ch.ID}
		if ch.ID == "" {
			fresh[ch.Object] = append(fresh[ch.Object], i)
		}
	}
	w := &writing{c: c, l: l, changes: slices.Clone(changes), out: out}
	for o, these := range fresh {
		for part := range slices.Chunk(these, batch) {
			if len(part) > 1 && w.createMany(ctx, o, part) {
				continue
			}
			for _, i := range part {
				w.each(ctx, i, w.create)
			}
		}
	}
	for i, ch := range changes {
		if ch.ID != "" {
			w.each(ctx, i, w.update)
		}
	}
	return out, nil
}

// writing is one Apply.
type writing struct {
	c       *CRM
	l       *layout
	changes []crm.Change
	out     []crm.Result
	stop    error // why nothing more is sent
}

// stopping are the failures that the next change would meet as well.
var stopping = []galena.Kind{galena.RateLimited, galena.Exhausted, galena.Unauthorized, galena.Unavailable}

// each makes one change and notes what became of it. A field that the server
// does not take is left out, unless it is what the record is found by.
func (w *writing) each(ctx context.Context, i int, do func(context.Context, int) error) {
	if w.stop != nil {
		w.out[i].Err = w.stop
		return
	}
	var err error
	for range len(w.changes[i].Set) + 1 {
		err = do(ctx, i)
		f, named := w.unfit(i, err)
		if !named {
			break
		}
		w.c.forget() // somebody may have changed the fields
		w.out[i].Refused = append(w.out[i].Refused, f)
		w.changes[i].Set = maps.Clone(w.changes[i].Set)
		if delete(w.changes[i].Set, f); len(w.changes[i].Set) == 0 {
			break
		}
	}
	w.out[i].Err = err
	if slices.Contains(stopping, galena.KindOf(err)) {
		w.stop = err
	}
}

// unfit finds the field that a failure is about, if it may be left out.
func (w *writing) unfit(i int, err error) (crm.Field, bool) {
	named, ok := errors.AsType[unfitError](err)
	if !ok {
		return "", false
	}
	for f := range w.changes[i].Set {
		s := w.l.slots[w.changes[i].Object][f]
		if (named.field == s.at() || named.field == s.name) && f != crm.Domain && f != crm.Email {
			return f, true
		}
	}
	return "", false
}

// body is the record that sets the given fields.
func (w *writing) body(ch crm.Change, fields []crm.Field) (map[string]any, error) {
	out := map[string]any{}
	for _, f := range fields {
		s, ok := w.l.slots[ch.Object][f]
		if !ok || s.readOnly {
			return nil, galena.Errorf(galena.Invalid, "twenty.apply", "the workspace has no field for %s that we may write", f)
		}
		composite(out, s, ch.Set[f].Raw)
	}
	return out, nil
}

// all are the fields of a change, in order.
func all(ch crm.Change) []crm.Field { return slices.Sorted(maps.Keys(ch.Set)) }

// createMany makes several records by one call, and says whether that settled
// them. An answer that did not come settles them too: what was done is not known.
func (w *writing) createMany(ctx context.Context, o crm.Object, these []int) bool {
	const op = "twenty.create"
	if w.stop != nil || objects[o].many == "" {
		return false
	}
	var bodies []map[string]any
	for _, i := range these {
		b, err := w.body(w.changes[i], all(w.changes[i]))
		if err != nil {
			return false
		}
		bodies = append(bodies, b)
	}
	many := objects[o].many
	answer, err := w.c.call(ctx, op, http.MethodPost, "/rest/batch/"+many, nil, bodies)
	if err != nil {
		for _, i := range these {
			w.out[i].Err = err
		}
		if slices.Contains(stopping, galena.KindOf(err)) {
			w.stop = err
			return true
		}
		return false
	}
	made, _ := recordsOf(answer, "create"+title(many))
	for _, i := range these {
		if !w.made(i, made) {
			w.out[i].Err = galena.Errorf(galena.Conflict, op, "the answer does not name the new record")
		}
	}
	return true
}

// made finds the record of a change among those that were made: the order of an
// answer is nobody's promise.
func (w *writing) made(i int, made []record) bool {
	ch := w.changes[i]
	for _, r := range made {
		mine := len(made) == 1
		for _, f := range []crm.Field{crm.Domain, crm.Email} {
			if e, ok := ch.Set[f]; ok {
				s := w.l.slots[ch.Object][f]
				mine = forms[s.form()].norm(s, rawOf(r, s)) == e.Norm
			}
		}
		if mine && textOf(r["id"]) != "" {
			w.c.learn(r)
			w.out[i].ID, w.out[i].Created = textOf(r["id"]), true
			w.out[i].URL = w.c.page(ch.Object, w.out[i].ID)
			return true
		}
	}
	return false
}

// create makes one record. A duplicate is looked up, so that the caller learns
// which record was faster, or was deleted by a person.
func (w *writing) create(ctx context.Context, i int) error {
	const op = "twenty.create"
	ch := w.changes[i]
	o, ok := objects[ch.Object]
	if !ok {
		return galena.Errorf(galena.Invalid, op, "Twenty has no %s", ch.Object)
	}
	b, err := w.body(ch, all(ch))
	if err != nil {
		return err
	}
	answer, err := w.c.call(ctx, op, http.MethodPost, "/rest/"+o.many, nil, b)
	if galena.KindOf(err) == galena.Conflict {
		w.out[i].ID = w.holder(ctx, ch)
		return err
	}
	if err != nil {
		return err
	}
	if !w.made(i, []record{recordOf(recordOf(answer["data"])["create"+title(o.one)])}) {
		return galena.Errorf(galena.Malformed, op, "the answer does not name the new record")
	}
	return nil
}

// holder finds the record that has the key of a new one already.
func (w *writing) holder(ctx context.Context, ch crm.Change) string {
	key := crm.Key{Object: ch.Object}
	if s, ok := w.l.slots[ch.Object][crm.Domain]; ok {
		key.Domain = forms[s.form()].norm(s, wire(ch.Set[crm.Domain].Raw))
	}
	if s, ok := w.l.slots[ch.Object][crm.Email]; ok {
		key.Email = forms[s.form()].norm(s, wire(ch.Set[crm.Email].Raw))
	}
	found, err := w.c.Find(ctx, []crm.Key{key}, nil)
	if err != nil || len(found[0].Records) != 1 {
		return ""
	}
	return found[0].Records[0].ID
}

// update changes one record, on the condition that nobody deleted it and, for the
// fields that may be a person's, that they still hold what was seen: in the same
// step as the write. Where the filter has no words for that the record is read
// once more right before. A server that reads the condition otherwise, and changes
// nothing though nothing differs, is asked without it.
func (w *writing) update(ctx context.Context, i int) error {
	ch := w.changes[i]
	if _, ok := objects[ch.Object]; !ok {
		return galena.Errorf(galena.Invalid, "twenty.update", "Twenty has no %s", ch.Object)
	}
	w.out[i].URL = w.c.page(ch.Object, ch.ID)
	fields := all(ch)
	guards, unguarded := w.guards(ch, fields)
	if unguarded {
		now, err := w.now(ctx, ch)
		if err != nil {
			return err
		}
		if fields = w.standing(i, now, fields); len(fields) == 0 {
			return nil
		}
		guards, _ = w.guards(ch, fields)
	}
	write := w.patchWhere
	for range 2 {
		done, err := write(ctx, ch, fields, guards)
		if err != nil || done {
			return err
		}
		now, err := w.now(ctx, ch)
		if err != nil {
			return err
		}
		before := len(fields)
		if fields = w.standing(i, now, fields); len(fields) == 0 {
			return nil
		}
		if guards, _ = w.guards(ch, fields); len(fields) == before {
			write = w.patch
		}
	}
	return galena.Errorf(galena.Conflict, "twenty.update", "the record changes faster than it can be written")
}

// guards are the conditions for the fields that may be a person's; unguarded says
// that one of them cannot be put as a condition.
func (w *writing) guards(ch crm.Change, fields []crm.Field) (out []string, unguarded bool) {
	for _, f := range fields {
		seen, contested := ch.Seen[f]
		if !contested {
			continue
		}
		s := w.l.slots[ch.Object][f]
		guard := forms[s.form()].guard
		if guard == nil {
			unguarded = true
			continue
		}
		condition, ok := guard(s, wire(seen.Raw))
		if !ok {
			unguarded = true
			continue
		}
		out = append(out, condition)
	}
	return out, unguarded
}

// now reads the record as it stands.
func (w *writing) now(ctx context.Context, ch crm.Change) (record, error) {
	o := objects[ch.Object]
	answer, err := w.c.call(ctx, "twenty.read", http.MethodGet, "/rest/"+o.many+"/"+url.PathEscape(ch.ID), nil, nil)
	if err != nil {
		return nil, err
	}
	r := recordOf(recordOf(answer["data"])[o.one])
	if r == nil {
		return nil, galena.Errorf(galena.Malformed, "twenty.read", "the answer has no %s", o.one)
	}
	return r, nil
}

// standing keeps the fields that still hold what was seen, and notes the others
// as lost.
func (w *writing) standing(i int, now record, fields []crm.Field) []crm.Field {
	ch := w.changes[i]
	var out []crm.Field
	for _, f := range fields {
		seen, contested := ch.Seen[f]
		s := w.l.slots[ch.Object][f]
		if contested && !sameRaw(s, rawOf(now, s), wire(seen.Raw)) {
			w.out[i].Lost = append(w.out[i].Lost, f)
			continue
		}
		out = append(out, f)
	}
	return out
}

// sameRaw compares two values more sharply than the norm does: a person who only
// changed the spelling has been there too.
func sameRaw(s slot, a, b any) bool {
	form := forms[s.form()]
	if form.norm(s, a) != form.norm(s, b) {
		return false
	}
	if form.guard == nil {
		return true
	}
	x, _ := form.guard(s, a)
	y, _ := form.guard(s, b)
	return x == y
}

// patch sends what changed, whatever stands there.
func (w *writing) patch(ctx context.Context, ch crm.Change, fields []crm.Field, _ []string) (bool, error) {
	b, err := w.body(ch, fields)
	if err != nil {
		return false, err
	}
	o := objects[ch.Object]
	answer, err := w.c.call(ctx, "twenty.update", http.MethodPatch, "/rest/"+o.many+"/"+url.PathEscape(ch.ID), nil, b)
	if err != nil {
		return false, err
	}
	return true, w.changed(recordOf(recordOf(answer["data"])["update"+title(o.one)]))
}

// patchWhere sends what changed, for a record that is not deleted and meets the
// guards, and says whether there was one.
func (w *writing) patchWhere(ctx context.Context, ch crm.Change, fields []crm.Field, guards []string) (bool, error) {
	const op = "twenty.update"
	b, err := w.body(ch, fields)
	if err != nil {
		return false, err
	}
	id, ok := quote(ch.ID)
	if !ok {
		return false, galena.Errorf(galena.Invalid, op, "the id is not one of Twenty's")
	}
	o := objects[ch.Object]
	conditions := append([]string{"id[eq]:" + id, "deletedAt[is]:NULL"}, guards...)
	q := url.Values{"filter": {"and(" + strings.Join(conditions, ",") + ")"}}
	answer, err := w.c.call(ctx, op, http.MethodPatch, "/rest/"+o.many, q, b)
	if err != nil {
		return false, err
	}
	changed, ok := recordsOf(answer, "update"+title(o.many))
	if !ok {
		return false, galena.Errorf(galena.Malformed, op, "the answer lists no %s", o.many)
	}
	if len(changed) == 0 {
		return false, nil
	}
	return true, w.changed(changed[0])
}

// changed looks at the record that was written: Twenty takes changes of deleted
// ones, and leaves them deleted.
func (w *writing) changed(r record) error {
	w.c.learn(r)
	if textOf(r["deletedAt"]) != "" {
		return galena.Errorf(galena.NotFound, "twenty.update", "somebody deleted the record")
	}
	return nil
}
