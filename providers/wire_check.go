package providers

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/galenahq/galena"
)

// checkKind holds the kind of an entry and its description against each other.
func (e Entry) checkKind(path string) []error {
	fault := func(key, message string) []error {
		return []error{galena.Faultf(path+"."+key, "E02", "%s", message)}
	}
	switch {
	case e.Kind != "" && e.Kind != kindHTTP:
		f := galena.Faultf(path+".kind", "E02", "kind must be http, is %q", e.Kind)
		f.Hint = galena.Nearest(e.Kind, []string{kindHTTP})
		return []error{f}
	case e.Kind == "" && e.HTTP != nil:
		return fault("http", "needs kind: http beside it")
	case e.Kind == "" && e.Adapter == wireAdapter:
		return fault("adapter", "a vendor of your own is described by kind: http and http, not by an adapter")
	case e.Kind == "":
		return nil
	case e.HTTP == nil:
		return fault("kind", "kind http needs http, the description of the vendor")
	case e.Adapter != "":
		return fault("adapter", "a vendor of kind http has no adapter")
	default:
		return e.HTTP.check(path + ".http")
	}
}

// wireCheck collects what is wrong with a description.
type wireCheck struct {
	*Wire
	at     string
	faults []error
}

func (c *wireCheck) fail(key, format string, args ...any) {
	c.faults = append(c.faults, galena.Faultf(c.at+"."+key, "E02", format, args...))
}

func (w *Wire) check(at string) []error {
	c := &wireCheck{Wire: w, at: at}
	c.checkRequest()
	c.checkSecrets()
	c.checkAnswer()
	return c.faults
}

// checkRequest looks at what is sent.
func (c *wireCheck) checkRequest() {
	bodies := 0
	for _, given := range []bool{c.Form != nil, c.JSON != nil, c.XML != ""} {
		if given {
			bodies++
		}
	}
	switch {
	case c.Method != "" && c.Method != http.MethodGet && c.Method != http.MethodPost:
		c.fail("method", "method must be GET or POST, is %q", c.Method)
	case c.Method == http.MethodGet && bodies > 0:
		c.fail("method", "a GET has no body: say POST, or nothing")
	}
	if bodies > 1 {
		c.fail("method", "the body must be one of form, json and xml")
	}
	if c.Path != "" && (!strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#")) {
		c.fail("path", "path must begin with / and hold no ? or #, which belong to query")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		c.checkHeader(name, c.Headers[name])
	}
	if c.XML != "" {
		if _, err := decodeXML([]byte(c.sample()), ""); err != nil {
			c.fail("xml", "cannot be sent: %v", err)
		}
	}
	known := []string{blankDomain, blankKey}
	c.texts(func(path, text string) {
		for _, m := range blank.FindAllStringSubmatch(text, -1) {
			switch {
			case tellable(m[1]) && strings.HasPrefix(path, "headers."):
				c.fail(path, "{%s} may hold what no header can: send it in the query or the body", m[1])
			case !tellable(m[1]) && !slices.Contains(known, m[1]):
				f := galena.Faultf(c.at+"."+path, "E02", "{%s} is nothing that can be filled in", m[1])
				f.Hint = cmp.Or(galena.Nearest(m[1], known), "{domain}, {key} or a fact such as {company.legal_name}")
				c.faults = append(c.faults, f)
			}
		}
	})
	if !c.says(blankDomain) && len(c.needs()) == 0 {
		c.fail("path", "the request does not name the company: say {domain} somewhere")
	}
}

// sample is the body as XML with words filled in.
func (c *wireCheck) sample() string {
	return strings.TrimSpace(blank.ReplaceAllString(c.XML, "x"))
}

// headersOfOurs are those that the client writes by itself.
var headersOfOurs = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "Te", "Trailer", "Upgrade"}

func (c *wireCheck) checkHeader(name, value string) {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		c.fail("headers."+name, "%q is no name of a header", name)
	case slices.Contains(headersOfOurs, http.CanonicalHeaderKey(name)):
		c.fail("headers."+name, "the header %s is not for you to set", name)
	case !httpguts.ValidHeaderFieldValue(value):
		c.fail("headers."+name, "the header %s may hold no line break", name)
	}
}

// secretName matches what keys are sent as; Basic and Bearer begin one, whatever
// carries them.
var (
	secretName  = regexp.MustCompile(`(?i)(^|[^a-z])(api|access|auth|app|client|license|user|subscription)?[-_]?key$|authorization|token|secret|passw|pwd|cookie|credential`)
	secretValue = regexp.MustCompile(`(?i)^(basic|bearer|token)\s+\S`)
)

// secret says that a text stands where keys stand and is written out.
func secret(name, text string) bool {
	return strings.TrimSpace(text) != "" && !strings.Contains(text, "{"+blankKey+"}") && (secretName.MatchString(name) || secretValue.MatchString(text))
}

// checkSecrets refuses a key in the file: it would be in every copy, diff and
// backup of it.
func (c *wireCheck) checkSecrets() {
	tell := func(path string) {
		f := galena.Faultf(c.at+"."+path, "E20", "a key is written out")
		f.Hint = "write {key}, and the key into GALENA_PROVIDER_<ID>_KEY"
		c.faults = append(c.faults, f)
	}
	c.texts(func(path, text string) {
		name := path[strings.LastIndexByte(path, '.')+1:]
		if path != "xml" && secret(name, text) {
			tell(path)
		}
	})
	if o, err := decodeXML([]byte(strings.TrimSpace(c.XML)), ""); err == nil && secretIn("", o) {
		tell("xml")
	}
}

// secretIn looks through the elements of a body.
func secretIn(name string, v any) bool {
	switch x := v.(type) {
	case string:
		return secret(name, x)
	case []any:
		return slices.ContainsFunc(x, func(it any) bool { return secretIn(name, it) })
	case Object:
		for k, it := range x {
			if k == elementText {
				k = name
			}
			if secretIn(strings.TrimPrefix(k, "@"), it) {
				return true
			}
		}
	}
	return false
}

// checkAnswer looks at how the answer is read.
func (c *wireCheck) checkAnswer() {
	if c.Answer != "" && c.Answer != "json" && c.Answer != "xml" {
		c.fail("answer", "answer must be json or xml, is %q", c.Answer)
	}
	for i, o := range c.Outcomes {
		c.checkOutcome("outcomes["+strconv.Itoa(i)+"]", o)
	}
	c.checkPath("subject.at", c.Subject.At, false)
	c.checkPath("subject.aliases", c.Subject.Aliases, false)
	if c.Subject.Unnamed == (c.Subject.At != "" || c.Subject.Aliases != "") {
		c.fail("subject", "say where the answer names the company's domain (at), or unnamed: true where it names none")
	}
	if len(c.Values) == 0 {
		c.fail("values", "values must say where at least one field stands")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		c.checkReading(name, c.Values[name])
	}
	if c.Confidence != nil {
		c.checkPath("confidence.at", c.Confidence.At, true)
		if !(c.Confidence.Scale >= 0 && c.Confidence.Scale <= 1e6) {
			c.fail("confidence.scale", "scale must be above 0, is %v", c.Confidence.Scale)
		}
	}
	c.checkPath("as_of", c.AsOf, false)
	for key, p := range map[string]*Place{"credits": c.Credits, "cents": c.Cents, "retry_after": c.RetryAfter} {
		if p == nil {
			continue
		}
		c.checkPath(key+".at", p.At, false)
		if (p.Header == "") == (p.At == "") {
			c.fail(key, "%s must be header or at", key)
		}
	}
	if c.Credits != nil && c.Cents != nil {
		c.fail("cents", "the price is said in credits or in cents, not in both")
	}
}

func (c *wireCheck) checkOutcome(key string, o Outcome) {
	if o.Status != 0 && (o.Status < 200 || o.Status > 599) {
		c.fail(key+".status", "status must be from 200 to 599, is %d", o.Status)
	}
	if _, ok := Outcomes()[o.Is]; !ok {
		words := slices.Sorted(maps.Keys(Outcomes()))
		f := galena.Faultf(c.at+"."+key+".is", "E02", "an outcome is one of %s, not %q", strings.Join(words, ", "), o.Is)
		f.Hint = galena.Nearest(o.Is, words)
		c.faults = append(c.faults, f)
	}
	c.checkPath(key+".at", o.At, false)
	tests := 0
	for _, given := range []bool{o.Equals != "", o.Contains != "", o.Absent} {
		if given {
			tests++
		}
	}
	switch {
	case tests > 1:
		c.fail(key, "an outcome has one of equals, contains and absent")
	case tests == 1 && o.At == "":
		c.fail(key, "an outcome with a test needs at, the path of what is tested")
	case o.At == "" && o.Status == 0:
		c.fail(key, "an outcome needs a status, or at")
	}
}

func (c *wireCheck) checkReading(name string, r Reading) {
	key := "values." + name
	f, known := galena.LookupField(name)
	switch {
	case !known:
		c.faults = append(c.faults, knownField(c.at+"."+key, name)...)
		return
	case !strings.HasPrefix(name, "company.") || name == "company.domain":
		c.fail(key, "a vendor does not supply %s", name)
		return
	}
	c.checkPath(key+".at", r.At, true)
	c.checkPath(key+".or", r.Or, false)
	c.checkPath(key+".band", r.Band, false)
	c.checkPath(key+".currency", r.Currency, false)
	if r.Band != "" && name != "company.employee_count" && name != "company.annual_revenue_usd" {
		c.fail(key+".band", "only employees and revenue have a band")
	}
	if r.Currency != "" && !strings.HasSuffix(name, "_usd") {
		c.fail(key+".currency", "only an amount of money has a currency")
	}
	if len(r.Words) > 0 && f.Type == galena.TypeNumber {
		c.fail(key+".words", "words are not for numbers")
	}
}

func (c *wireCheck) checkPath(key, path string, must bool) {
	if path == "" && !must {
		return
	}
	if _, err := ParsePath(path); err != nil {
		c.fail(key, "%q %v", path, err)
	}
}
