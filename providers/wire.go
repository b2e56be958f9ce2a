package providers

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// kindHTTP in an entry says that the vendor has no adapter: the entry describes it.
const kindHTTP = "http"

// wireAdapter is the built-in vendor that obeys a Wire.
const wireAdapter = "custom"

// Wire is the contract of a vendor that has no adapter: what to send, and how
// to read what comes back. Texts of the request may hold {domain}, the company
// asked for, and {key}, the vendor's key; each is escaped for the place where
// it stands. A vendor whose Wire says {key} nowhere wants none.
type Wire struct {
	Method  string            `yaml:"method,omitempty"` // GET, or POST where there is a body
	Path    string            `yaml:"path,omitempty"`   // behind the entry's url
	Query   map[string]string `yaml:"query,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty"`
	Basic   *Basic            `yaml:"basic,omitempty"`

	Form map[string]string `yaml:"form,omitempty"` // the body: at most one of these three
	JSON map[string]any    `yaml:"json,omitempty"`
	XML  string            `yaml:"xml,omitempty"`

	Answer     string             `yaml:"answer,omitempty"` // json, or xml; default: as the body, json without one
	Outcomes   []Outcome          `yaml:"outcomes,omitempty"`
	Subject    Subject            `yaml:"subject"`
	Values     map[string]Reading `yaml:"values"`
	Confidence *Confidence        `yaml:"confidence,omitempty"`
	AsOf       string             `yaml:"as_of,omitempty"`       // the path of the day for which the vendor vouches
	Credits    *Place             `yaml:"credits,omitempty"`     // what the call cost, in credits of cost_cents each
	Cents      *Place             `yaml:"cents,omitempty"`       // or in cents
	RetryAfter *Place             `yaml:"retry_after,omitempty"` // beside the header Retry-After
}

// Basic is Basic authorization: the key is the user's name or the password.
type Basic struct {
	User     string `yaml:"user"`
	Password string `yaml:"password"`
}

// Outcome is one line of the table from answers to meanings; the first that
// fits counts, and what none fits means what its status means everywhere.
type Outcome struct {
	Status   int    `yaml:"status"`             // 0 = 200
	At       string `yaml:"at,omitempty"`       // a path that must lead to something
	Equals   string `yaml:"equals,omitempty"`   // or to this word
	Contains string `yaml:"contains,omitempty"` // or to a text with this in it
	Absent   bool   `yaml:"absent,omitempty"`   // or to nothing
	Is       string `yaml:"is"`
}

// Subject is where the answer says which company it is about.
type Subject struct {
	At      string `yaml:"at,omitempty"`
	Aliases string `yaml:"aliases,omitempty"` // the company's other domains
	Unnamed bool   `yaml:"unnamed,omitempty"` // the answer does not say: it is believed
}

// Reading is where one field stands.
type Reading struct {
	At       string            `yaml:"at"`
	Or       string            `yaml:"or,omitempty"`       // where it stands instead
	Band     string            `yaml:"band,omitempty"`     // the range beside a number
	Currency string            `yaml:"currency,omitempty"` // of an amount; dollars without it
	Words    map[string]string `yaml:"words,omitempty"`    // the vendor's words -> ours
}

// Confidence is where the vendor says how sure it is.
type Confidence struct {
	At    string  `yaml:"at"`
	Scale float64 `yaml:"scale,omitempty"` // what full confidence is written as; default 1
}

// Place is a header of an answer, or a path in it.
type Place struct {
	Header string `yaml:"header,omitempty"`
	At     string `yaml:"at,omitempty"`
}

// Outcomes are the words for what an answer means; found is the one that is
// read on, and has no Kind.
func Outcomes() map[string]galena.Kind {
	out := map[string]galena.Kind{"found": ""}
	for _, k := range []galena.Kind{galena.NotFound, galena.Pending, galena.RateLimited, galena.Exhausted, galena.Unauthorized,
		galena.Invalid, galena.Unavailable, galena.Malformed, galena.WrongSubject} {
		out[string(k)] = k
	}
	return out
}

// TellsXML says that the vendor answers XML.
func (w *Wire) TellsXML() bool { return w.Answer == "xml" || w.Answer == "" && w.XML != "" }

// Posts says that the request has a body.
func (w *Wire) Posts() bool {
	return w.Form != nil || w.JSON != nil || w.XML != "" || w.Method == http.MethodPost
}

// What may stand in braces.
const (
	blankDomain = "domain"
	blankKey    = "key"
)

var blank = regexp.MustCompile(`\{([A-Za-z_.]+)\}`)

// Fill puts what is asked into a text of the request.
func Fill(text string, q Query, key string, escape func(string) string) string {
	return blank.ReplaceAllStringFunc(text, func(b string) string {
		switch name := b[1 : len(b)-1]; name {
		case blankDomain:
			return escape(q.Domain)
		case blankKey:
			return escape(key)
		default:
			return escape(q.Known[name])
		}
	})
}

// FillJSON is Fill for every text of a JSON value.
func FillJSON(v any, fill func(string) string) any {
	switch x := v.(type) {
	case string:
		return fill(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = FillJSON(x[i], fill)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = FillJSON(x[k], fill)
		}
		return out
	default:
		return v
	}
}

// says looks for a blank in the whole request.
func (w *Wire) says(name string) bool {
	found := false
	w.texts(func(_, text string) { found = found || strings.Contains(text, "{"+name+"}") })
	return found
}

// needs are the facts of the company that the request tells beside its domain.
func (w *Wire) needs() []string {
	var out []string
	w.texts(func(_, text string) {
		for _, m := range blank.FindAllStringSubmatch(text, -1) {
			if tellable(m[1]) && !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
	})
	slices.Sort(out)
	return out
}

// tellable says that a field is a fact of the company that a request may tell.
func tellable(name string) bool {
	_, known := galena.LookupField(name)
	return known && strings.HasPrefix(name, "company.") && name != "company.domain"
}

// texts shows every text of the request with its path below the entry's http.
func (w *Wire) texts(see func(path, text string)) {
	see("path", w.Path)
	see("xml", w.XML)
	for key, all := range map[string]map[string]string{"query": w.Query, "headers": w.Headers, "form": w.Form} {
		for name, text := range all {
			see(key+"."+name, text)
		}
	}
	if w.Basic != nil {
		see("basic.user", w.Basic.User)
		see("basic.password", w.Basic.Password)
	}
	seeJSON("json", w.JSON, see)
}

func seeJSON(path string, v any, see func(path, text string)) {
	switch x := v.(type) {
	case string:
		see(path, x)
	case []any:
		for i := range x {
			seeJSON(path+"["+strconv.Itoa(i)+"]", x[i], see)
		}
	case map[string]any:
		for k := range x {
			seeJSON(path+"."+k, x[k], see)
		}
	}
}

// described is the Spec of a vendor without an adapter: the entry tells what
// the Spec cannot.
func described(s Spec, w *Wire) Spec {
	if w == nil || s.New == nil {
		return s
	}
	obey := s.New
	s.New = func(set Settings) (Provider, error) {
		set.Wire = w
		return obey(set)
	}
	s.Needs = w.needs()
	s.Keyless = s.Keyless || !w.says(blankKey)
	s.Fields = make(map[string]float64, len(w.Values))
	for field := range w.Values {
		s.Fields[field] = 0.5 // how often is not known
	}
	return s
}
