package custom

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes the adapter; an operator's catalogue says the rest.
var Spec = providers.Spec{
	Name: "custom", Title: "Any service that you describe with `kind: http`", Docs: "docs/providers.md",
	P95: 500 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.6, Class: galena.ClassProvider,
	Fields: map[string]float64{"company.name": 0.5},
	New:    newAdapter,
}

// adapter obeys one description.
type adapter struct {
	settings   providers.Settings
	wire       *providers.Wire
	op         string
	outcomes   []outcome
	readings   []reading
	subject    providers.Path
	aliases    providers.Path
	confidence providers.Path
	asOf       providers.Path
	credits    place
	cents      place
	retryAfter place
}

// newAdapter prepares what the checks of the catalogue have found right.
func newAdapter(s providers.Settings) (providers.Provider, error) {
	w := s.Wire
	if w == nil {
		return nil, galena.Errorf(galena.Invalid, "providers.new", "it is not described: say kind: http, and http")
	}
	var (
		p paths
		a = adapter{settings: s, wire: w, op: s.ID + ".enrich"}
	)
	a.subject, a.aliases, a.asOf = p.path(w.Subject.At), p.path(w.Subject.Aliases), p.path(w.AsOf)
	if w.Confidence != nil {
		a.confidence = p.path(w.Confidence.At)
	}
	a.credits, a.cents, a.retryAfter = p.place(w.Credits), p.place(w.Cents), p.place(w.RetryAfter)
	a.outcomes, a.readings = p.outcomes(w.Outcomes), p.readings(w.Values)
	return a, p.err
}

// Enrich asks for one company.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	reply, err := providers.Send(ctx, a.settings, a.request(q))
	if err != nil {
		return providers.Record{}, err
	}
	if kind := a.means(reply); kind != "" {
		return providers.Record{}, reply.Fail(a.op, kind, a.wait(reply))
	}
	if reply.Body == nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, a.op, "a hit without an answer")
	}
	if !a.wire.Subject.Unnamed {
		aliases, _ := reply.Body.FindTexts(a.aliases)
		if err := providers.CheckSubject(a.op, q.Domain, reply.Body.FindText(a.subject), aliases); err != nil {
			return providers.Record{}, err
		}
	}
	return a.read(reply), nil
}

// request fills the description in.
func (a adapter) request(q providers.Query) providers.Request {
	w := a.wire
	fill := func(text string, escape func(string) string) string {
		return providers.Fill(text, q, a.settings.Key, escape)
	}
	r := providers.Request{Op: a.op, Path: fill(w.Path, url.PathEscape), Query: url.Values{}, Header: map[string]string{},
		Method: http.MethodGet, XML: w.TellsXML(), Reads: a.listens}
	for k, v := range w.Query {
		r.Query.Set(k, fill(v, asIs))
	}
	if w.Posts() {
		r.Method = http.MethodPost
	}
	switch {
	case w.Form != nil:
		form := url.Values{}
		for k, v := range w.Form {
			form.Set(k, fill(v, asIs))
		}
		r.Body, r.Type = []byte(form.Encode()), "application/x-www-form-urlencoded"
	case w.JSON != nil:
		r.Body, _ = json.Marshal(providers.FillJSON(w.JSON, func(s string) string { return fill(s, asIs) })) //nolint:errchkjson // what a YAML file holds
		r.Type = "application/json"
	case w.XML != "":
		r.Body, r.Type = []byte(strings.TrimSpace(fill(w.XML, escapeXML))), "text/xml; charset=utf-8"
	}
	if w.Basic != nil {
		pair := fill(w.Basic.User, asIs) + ":" + fill(w.Basic.Password, asIs)
		r.Header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	}
	for k, v := range w.Headers {
		r.Header[k] = fill(v, asIs)
	}
	return r
}

// asIs escapes nothing: what carries the text does.
func asIs(s string) string { return s }

// escapeXML makes text of an element or of an attribute.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// Bounds of what an answer may say of its price; beyond them it is none.
const (
	maxCredits = 100
	maxCents   = 1000
)

// read takes what a hit says.
func (a adapter) read(reply providers.Reply) providers.Record {
	var (
		r   providers.Record
		now = a.settings.Now()
	)
	for _, v := range a.readings {
		v.read(&r, reply.Body, now)
	}
	r.Vouch(a.sureness(reply.Body), providers.When(reply.Body.FindText(a.asOf), now))
	if n, err := strconv.ParseInt(a.credits.of(reply), 10, 64); err == nil && n >= 0 && n <= maxCredits {
		r.Credits = &n
	}
	if x, err := strconv.ParseFloat(a.cents.of(reply), 64); err == nil && x >= 0 && x <= maxCents {
		micros := int64(math.Round(x * 10_000))
		r.CostMicros = &micros
	}
	return r
}

// sureness is the vendor's confidence, 0 when it says none that makes sense.
func (a adapter) sureness(o providers.Object) float64 {
	x, err := strconv.ParseFloat(o.FindText(a.confidence), 64)
	if err != nil {
		return 0
	}
	if scale := a.wire.Confidence.Scale; scale > 0 {
		x /= scale
	}
	if !(x > 0 && x <= 1) {
		return 0
	}
	return x
}
