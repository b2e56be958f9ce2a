package custom

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// paths reads the paths of a description and keeps the first error.
type paths struct{ err error }

func (p *paths) path(s string) providers.Path {
	if s == "" {
		return nil
	}
	out, err := providers.ParsePath(s)
	if err != nil && p.err == nil {
		p.err = galena.Errorf(galena.Invalid, "providers.new", "%q %v", s, err)
	}
	return out
}

// place is a header or a path.
type place struct {
	header string
	at     providers.Path
}

func (p *paths) place(w *providers.Place) place {
	if w == nil {
		return place{}
	}
	return place{w.Header, p.path(w.At)}
}

// of is what stands there.
func (p place) of(r providers.Reply) string {
	if p.header != "" {
		return r.Header.Get(p.header)
	}
	return r.Body.FindText(p.at)
}

// outcome is a line of the table.
type outcome struct {
	providers.Outcome
	status int
	at     providers.Path
	kind   galena.Kind
}

func (p *paths) outcomes(lines []providers.Outcome) []outcome {
	out := make([]outcome, len(lines))
	for i, l := range lines {
		kind, known := providers.Outcomes()[l.Is]
		if !known && p.err == nil {
			p.err = galena.Errorf(galena.Invalid, "providers.new", "an outcome cannot be %q", l.Is)
		}
		out[i] = outcome{l, cmp.Or(l.Status, http.StatusOK), p.path(l.At), kind}
	}
	return out
}

// fits says that a line is about this reply.
func (o outcome) fits(r providers.Reply) bool {
	if o.status != r.Status {
		return false
	}
	texts, _ := r.Body.FindTexts(o.at)
	switch {
	case o.At == "":
		return true
	case o.Absent:
		return r.Body != nil && !r.Body.Says(o.at)
	case o.Equals != "":
		return slices.ContainsFunc(texts, func(s string) bool { return strings.EqualFold(s, o.Equals) })
	case o.Contains != "":
		return slices.ContainsFunc(texts, func(s string) bool {
			return strings.Contains(strings.ToLower(s), strings.ToLower(o.Contains))
		})
	default:
		return r.Body.Says(o.at)
	}
}

// listens says that the body of a status has something to say, though it is no
// hit. SOAP tells its faults with a 500.
func (a adapter) listens(status int) bool {
	return a.wire.TellsXML() && status == http.StatusInternalServerError || a.retryAfter.at != nil && status == http.StatusTooManyRequests ||
		slices.ContainsFunc(a.outcomes, func(o outcome) bool { return o.status == status && (o.At != "" || o.kind == "") })
}

// means is the kind of a reply, "" for a hit.
func (a adapter) means(r providers.Reply) galena.Kind {
	for _, o := range a.outcomes {
		if o.fits(r) {
			return o.kind
		}
	}
	if r.Kind == "" || r.Status == http.StatusInternalServerError {
		return cmp.Or(fault(r.Body), r.Kind)
	}
	return r.Kind
}

// fault is what a SOAP fault means that no outcome knows: version 1.1 says
// Client where 1.2 says Sender, and both mean that we asked wrongly.
func fault(body providers.Object) galena.Kind {
	f := body.Object("Envelope").Object("Body").Object("Fault")
	if f == nil {
		return ""
	}
	code := strings.ToLower(cmp.Or(f.Text("faultcode"), f.Object("Code").Text("Value")))
	code = code[strings.LastIndexByte(code, ':')+1:]
	if first, _, _ := strings.Cut(code, "."); first == "client" || first == "sender" {
		return galena.Invalid
	}
	return galena.Unavailable
}

// wait is the vendor's hint when to come again: where the description says it
// stands, else in the usual header.
func (a adapter) wait(r providers.Reply) time.Duration {
	now := a.settings.Now()
	if d := providers.RetryAfter(a.retryAfter.of(r), now); d > 0 {
		return d
	}
	return providers.RetryAfter(r.Header.Get("Retry-After"), now)
}
