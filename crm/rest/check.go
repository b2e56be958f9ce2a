package rest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// check collects what is wrong with a configuration.
type check struct {
	at     string
	faults []error
}

func (k *check) fail(path, format string, args ...any) {
	k.faults = append(k.faults, galena.Faultf(k.at+"."+path, "E02", format, args...))
}

// choice refuses a word that is none of those known; empty is the default.
func (k *check) choice(path, got string, words ...string) {
	if got == "" || slices.Contains(words, got) {
		return
	}
	f := galena.Faultf(k.at+"."+path, "E02", "must be one of %s, is %q", strings.Join(words, ", "), got)
	f.Hint = galena.Nearest(got, words)
	k.faults = append(k.faults, f)
}

func (k *check) path(at, p string, must bool) {
	if p == "" {
		if must {
			k.fail(at, "must be a path such as data.items[0].name")
		}
		return
	}
	if _, err := parsePath(p); err != nil {
		k.fail(at, "%q %v", p, err)
	}
	k.filled(at, p)
}

// filled refuses what a file that is shipped leaves to the operator.
func (k *check) filled(at, text string) {
	if strings.Contains(text, "FILL-IN") {
		k.fail(at, "is still to be filled in: the top of the file says with what")
	}
}

// Validate returns every fault, with paths that begin with at.
func (c Config) Validate(at string) error {
	k := &check{at: at}
	k.base(c)
	k.auth(c.Auth)
	k.limits(c.Limits)
	k.errors(c.Errors)
	k.owners(c)
	known := []string{string(crm.Company), string(crm.Person)}
	if len(c.Objects) == 0 {
		k.fail("objects", "must describe company, person or both")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Objects)) {
		if !slices.Contains(known, name) {
			k.choice("objects."+name, name, known...)
			continue
		}
		k.object("objects."+name, crm.Object(name), c.Objects[name])
	}
	slices.SortFunc(k.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(k.faults...)
}

func (k *check) base(c Config) {
	if !usable(c.BaseURL) {
		k.fail("base_url", "must be http:// or https:// with a host and without user, query or fragment")
	}
	if c.Timeout != 0 && (c.Timeout < 100*time.Millisecond || c.Timeout > 2*time.Minute) {
		k.fail("timeout", "must be from 100ms to 2m, is %s", c.Timeout)
	}
	k.filled("base_url", c.BaseURL)
	k.headers("headers", c.Headers)
	if !httpguts.ValidHeaderFieldValue(c.UserAgent) {
		k.fail("user_agent", "may hold no line break")
	}
}

func usable(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// ours are the headers that the client writes by itself.
var ours = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "Te", "Trailer", "Upgrade"}

// secretName matches what keys are sent as, secretValue what begins one.
var (
	secretName  = regexp.MustCompile(`(?i)(^|[^a-z])(api|access|auth|app|client)?[-_]?key$|authorization|token|secret|passw|cookie|chave`)
	secretValue = regexp.MustCompile(`(?i)^(basic|bearer|token)\s+\S`)
)

// written tells a key that stands in the file: it would be in every copy of it.
func (k *check) written(at, name, text string) {
	if text != "" && (secretName.MatchString(name) || secretValue.MatchString(text)) {
		f := galena.Faultf(k.at+"."+at, "E20", "a key is written out")
		f.Hint = "say in auth how it is sent, and put it into GALENA_CRM_<ID>_TOKEN"
		k.faults = append(k.faults, f)
	}
}

func (k *check) headers(at string, all map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			k.fail(at+"."+name, "%q is no name of a header", name)
		case slices.Contains(ours, http.CanonicalHeaderKey(name)):
			k.fail(at+"."+name, "the header %s is not for you to set", name)
		case !httpguts.ValidHeaderFieldValue(all[name]):
			k.fail(at+"."+name, "the header %s may hold no line break", name)
		}
		k.written(at+"."+name, name, all[name])
	}
}

func (k *check) auth(a Auth) {
	styles := []string{styleNone, styleBearer, styleHeader, styleQuery, stylePath, styleBasic, styleRefresh, styleClient}
	if a.Style == "" {
		k.fail("auth.style", "must be one of %s", strings.Join(styles, ", "))
	}
	k.choice("auth.style", a.Style, styles...)
	k.choice("auth.client_auth", a.ClientAuth, "basic", "body")
	named := a.Style == styleHeader || a.Style == styleQuery
	switch {
	case named && a.Name == "":
		k.fail("auth", "style %s needs name", a.Style)
	case !named && a.Name != "":
		k.fail("auth.name", "name goes with style header or query")
	case a.Style == styleHeader && !httpguts.ValidHeaderFieldName(a.Name):
		k.fail("auth.name", "%q is no name of a header", a.Name)
	}
	if a.Style == stylePath && !strings.HasPrefix(a.Prefix, "/") {
		k.fail("auth", "style path needs prefix, the path before the token, such as /")
	}
	if len(a.Prefix) > 20 || !httpguts.ValidHeaderFieldValue(a.Prefix) {
		k.fail("auth.prefix", "is what stands before the token, at most 20 letters")
	}
	oauth := a.Style == styleRefresh || a.Style == styleClient
	switch {
	case oauth && !usable(a.TokenURL):
		k.fail("auth.token_url", "style %s needs token_url, http:// or https:// without query", a.Style)
	case !oauth && (a.TokenURL != "" || a.Scope != "" || a.ClientAuth != ""):
		k.fail("auth", "token_url, scope and client_auth go with an oauth2 style")
	}
}

func (k *check) limits(l Limits) {
	if (l.Rate.Calls != 0 || l.Rate.Per != 0) && (l.Rate.Calls < 1 || l.Rate.Per < time.Millisecond || l.Rate.Per > 24*time.Hour) {
		k.fail("limits.rate", "must have calls from 1 and per from 1ms to 24h")
	}
	if l.Concurrency < 0 || l.Concurrency > 64 {
		k.fail("limits.concurrency", "must be from 1 to 64, is %d", l.Concurrency)
	}
	for key, n := range map[string]int{"budget": l.Daily.Budget, "search": l.Daily.Search, "read": l.Daily.Read, "create": l.Daily.Create, "update": l.Daily.Update} {
		if n < 0 {
			k.fail("limits.daily."+key, "must not be below zero")
		}
	}
	for i, p := range l.RetryAfter {
		at := "limits.retry_after[" + strconv.Itoa(i) + "]"
		if (p.Header == "") == (p.At == "") {
			k.fail(at, "must be header or at")
		}
		k.path(at+".at", p.At, false)
	}
}

func (k *check) errors(e Errors) {
	for i, p := range e.Message {
		k.path("errors.message["+strconv.Itoa(i)+"]", p, true)
	}
	for i, m := range e.Kinds {
		at := "errors.kinds[" + strconv.Itoa(i) + "]"
		k.path(at+".at", m.At, false)
		if m.Is == "" {
			k.fail(at, "needs is, one of %s", strings.Join(kinds(), ", "))
		}
		k.choice(at+".is", m.Is, kinds()...)
		switch {
		case m.Status != 0 && (m.Status < 200 || m.Status > 599):
			k.fail(at+".status", "must be from 200 to 599, is %d", m.Status)
		case m.Contains == "" && (m.Status < 300):
			k.fail(at, "needs contains: without it every answer would be this")
		}
	}
}

// owners checks how users are looked up, and that the field that wants it can.
func (k *check) owners(c Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Objects)) {
		for f, field := range c.Objects[name].Fields {
			switch at := "objects." + name + ".fields." + f + ".type"; {
			case field.Type == typeUser && crm.Field(f) != crm.Owner:
				k.fail(at, "type user is for the owner")
			case field.Type == typeUser && c.Owners == nil:
				k.fail(at, "type user needs owners, which says how users are looked up")
			}
		}
	}
	if c.Owners == nil {
		return
	}
	k.call("owners.lookup", c.Owners.Lookup, "email")
	k.needs("owners.lookup", c.Owners.Lookup, "{email}")
	k.path("owners.list", c.Owners.List, false)
	k.path("owners.match", c.Owners.Match, true)
	k.path("owners.id", c.Owners.ID, false)
	for _, rep := range slices.Sorted(maps.Keys(c.Owners.Reps)) {
		k.filled("owners.reps."+rep, c.Owners.Reps[rep])
		if !strings.Contains(c.Owners.Reps[rep], "@") {
			k.fail("owners.reps."+rep, "must be the e-mail address of a user of the CRM")
		}
	}
}

func (k *check) object(at string, kind crm.Object, o Object) {
	for key, p := range map[string]string{"id": o.ID, "version": o.Version, "evidence.updated_at": o.Edited.At, "evidence.updated_by": o.Edited.By} {
		k.path(at+"."+key, p, false)
	}
	for _, why := range slices.Sorted(maps.Keys(o.Closed)) {
		k.path(at+".closed."+why, o.Closed[why], true)
	}
	if o.URL != "" && !strings.Contains(o.URL, "{id}") {
		k.fail(at+".url", "must hold {id}")
	}
	k.headers(at+".guard", o.Guard)
	if len(o.Guard) > 0 && o.Version == "" {
		k.fail(at+".guard", "needs version, the path of what changes with every write")
	}
	k.requests(at, o)
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		k.field(at+".fields."+name, name, o.Fields[name], o)
	}
	if key := keyField(kind); o.Fields[string(key)].Path == "" {
		k.fail(at+".fields", "must hold %s, which a %s is found by", key, kind)
	}
	if _, owner := o.Fields[string(crm.Owner)]; o.Assign != nil && !owner {
		k.fail(at+".assign", "needs the field owner")
	}
}

// requests checks what is asked of the CRM about an object.
func (k *check) requests(at string, o Object) {
	k.call(at+".lookup", o.Lookup.Call, "key", "keys", "fields")
	if !o.Lookup.Call.says("{key}") && !o.Lookup.Call.says("{keys}") {
		k.fail(at+".lookup", "must say {key} or {keys} somewhere")
	}
	k.path(at+".lookup.list", o.Lookup.List, false)
	k.path(at+".lookup.match", o.Lookup.Match, false)
	k.choice(at+".lookup.ambiguous", o.Lookup.Ambiguous, "error", "oldest")
	k.path(at+".lookup.created", o.Lookup.Created, o.Lookup.Ambiguous == "oldest")
	for i, v := range o.Lookup.Variants {
		if !strings.Contains(v, "{key}") {
			k.fail(fmt.Sprintf("%s.lookup.variants[%d]", at, i), "must hold {key}")
		}
	}
	k.call(at+".read", o.Read, "id", "fields")
	k.needs(at+".read", o.Read, "{id}")
	k.call(at+".create", o.Create.Call)
	k.path(at+".create.set_under", o.Create.SetUnder, false)
	k.call(at+".update", o.Update.Call, "id", "version")
	k.needs(at+".update", o.Update.Call, "{id}")
	k.path(at+".update.set_under", o.Update.SetUnder, false)
	k.choice(at+".update.semantics", o.Update.Semantics, "merge", "replace")
	if len(o.Update.Omit) > 0 && o.Update.Semantics != "replace" {
		k.fail(at+".update.omit", "omit goes with semantics: replace")
	}
	for i, p := range o.Update.Omit {
		k.path(fmt.Sprintf("%s.update.omit[%d]", at, i), p, true)
	}
	if o.Assign != nil {
		k.call(at+".assign", *o.Assign, "id", "owner")
		k.needs(at+".assign", *o.Assign, "{owner}")
	}
	if b := o.Batch; b != nil {
		k.call(at+".batch", b.Call)
		for key, p := range map[string]string{"items": b.Items, "set_under": b.SetUnder, "results": b.Results, "result_id": b.ResultID, "status": b.Status} {
			k.path(at+".batch."+key, p, false)
		}
		k.path(at+".batch.item_id", b.ItemID, true)
		if b.Size < 2 || b.Size > 1000 {
			k.fail(at+".batch.size", "must be from 2 to 1000, is %d", b.Size)
		}
		if !b.Atomic && b.ResultID == "" && b.Status == "" {
			k.fail(at+".batch", "must say how a result is told apart: result_id, status with ok, or atomic: true")
		}
	}
}

func (k *check) needs(at string, c Call, text string) {
	if !c.says(text) {
		k.fail(at, "must say %s somewhere", text)
	}
}

// call checks one request; its texts may hold the blanks that are listed.
func (k *check) call(at string, c Call, may ...string) {
	k.choice(at+".method", c.Method, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch)
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#") {
		k.fail(at+".path", "must begin with / and hold no ? or #, which belong to query")
	}
	k.path(at+".record", c.Record, false)
	k.path(at+".success", c.Success, false)
	for _, s := range c.Statuses {
		if s < 200 || s > 299 {
			k.fail(at+".statuses", "a success is from 200 to 299, not %d", s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Query)) {
		k.written(at+".query."+name, name, c.Query[name])
		k.filled(at+".query."+name, name)
	}
	k.filled(at+".path", c.Path)
	for _, s := range append(append(texts(c.Body), c.Path), slices.Collect(maps.Values(c.Query))...) {
		for _, m := range blank.FindAllStringSubmatch(s, -1) {
			if !slices.Contains(may, m[1]) {
				f := galena.Faultf(k.at+"."+at, "E02", "{%s} is nothing that can be filled in here", m[1])
				f.Hint = cmp.Or(galena.Nearest(m[1], may), "one of {"+strings.Join(may, "}, {")+"}")
				k.faults = append(k.faults, f)
			}
		}
	}
}

func (k *check) field(at, name string, f Field, o Object) {
	if !slices.Contains(crm.Fields(), name) && !shadow(name, o) {
		fault := galena.Faultf(k.at+"."+at, "E04", "unknown field %q", name)
		fault.Hint = galena.Nearest(name, crm.Fields())
		k.faults = append(k.faults, fault)
	}
	k.faults = append(k.faults, f.Faults(k.at+"."+at, crm.Field(name))...)
	if _, ok := o.Fields[f.Shadow]; f.Shadow != "" && !ok {
		k.fail(at+".shadow", "no field is called %q", f.Shadow)
	}
	k.path(at+".path", f.Path, true)
	k.path(at+".set", f.Set, false)
	k.path(at+".currency", f.Currency, false)
	k.choice(at+".type", f.Type, types()...)
	for _, p := range slices.Sorted(maps.Keys(f.With)) {
		k.path(at+".with."+p, p, true)
	}
	for _, ours := range slices.Sorted(maps.Keys(f.Map)) {
		k.filled(at+".map."+ours, word(f.Map[ours]))
	}
	only := func(key string, given bool, with ...string) {
		if given && !slices.Contains(with, cmp.Or(f.Type, typeText)) {
			k.fail(at+"."+key, "%s goes with type %s", key, strings.Join(with, " or "))
		}
	}
	only("map", f.Map != nil, typeEnum)
	only("unit", f.Unit != 0, typeMoney)
	only("currency", f.Currency != "", typeMoney, typeMicros)
	only("quoted", f.Quoted, typeInt, typeNumber, typeMoney, typeMicros)
	only("format", f.Format != "", typeDate, typeDomain)
	only("yes", f.Yes != nil, typeBool)
	only("no", f.No != nil, typeBool)
	only("join", f.Join != "", typeList)
	only("max_len", f.MaxLen != 0, typeText)
	if f.Unit < 0 || f.MaxLen < 0 {
		k.fail(at, "unit and max_len must be above zero")
	}
	switch {
	case f.Type == typeDate:
		k.choice(at+".format", f.Format, "date", "datetime", "unix", "unix_ms")
	case f.Type == typeDomain && f.Format != "" && !strings.Contains(f.Format, "{value}"):
		k.fail(at+".format", "must hold {value}")
	}
}

// shadow says that a field exists for the suggestions of another.
func shadow(name string, o Object) bool {
	for _, f := range o.Fields {
		if f.Shadow == name {
			return true
		}
	}
	return false
}
