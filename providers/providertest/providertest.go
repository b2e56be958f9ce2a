// Package providertest holds every vendor to the same rules. A vendor's test is
// one line; its cases are recorded answers in testdata.
//
//	testdata/found.http              whole HTTP answer: status line, headers, body
//	testdata/found.golden.json       the profile it must become (UPDATE_GOLDEN=1 rewrites)
//	testdata/tech/found.http         an answer of the further service "vendor-tech"
//	testdata/rate_limited-30s.http   first word: the Kind; last word: the RetryAfter it must carry
//
// The header X-Asked-Domain of a file names the company that was asked for when
// it was recorded, and X-Asked-Known what a second hop was told: "field=value",
// one a line, instead of what all are told. A vendor that takes several calls keeps the answers to the
// others in testdata/steps (steps.go). Beside the recordings Run plays what no
// vendor should send: redirects, bombs, silence and echoes of the key.
//
// Run speaks HTTP and JSON, RunXML XML, RunPage plays a company's own pages, and
// RunDNS a name server whose recordings are testdata/found.zone (dns.go).
package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// marker is the key that must never be seen in an error.
const marker = "sk_marker_7f3a9c51d2e84b60"

// found is the first word of a recorded hit.
const found = "found"

// now is the instant all recordings are played at.
func now() time.Time { return time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC) }

// Run plays all cases against a vendor that answers JSON over HTTP.
func Run(t *testing.T, spec providers.Spec) {
	play(t, spec, required(spec), tongue{hostile, galena.Malformed, echoJSON})
	t.Run("EveryRetryAfter", func(t *testing.T) { t.Parallel(); throttle(t, spec) })
	t.Run("EveryOddType", func(t *testing.T) { t.Parallel(); drift(t, spec) })
}

// RunXML plays all cases against a vendor that answers XML, SOAP or not.
func RunXML(t *testing.T, spec providers.Spec) {
	play(t, spec, required(spec), tongue{hostileXML, galena.Malformed, echoXML})
	t.Run("EveryRetryAfter", func(t *testing.T) { t.Parallel(); throttle(t, spec) })
	t.Run("OutsideIsNotFetched", func(t *testing.T) { t.Parallel(); outside(t, spec) })
}

// RunPage plays all cases against one that reads pages of the company itself.
// Such a page asks nobody for a key and throttles nobody, and where it sends
// us elsewhere it is about somebody else.
func RunPage(t *testing.T, spec providers.Spec) {
	kinds := []string{found, string(galena.NotFound), string(galena.Unavailable), string(galena.Malformed), string(galena.WrongSubject)}
	play(t, spec, kinds, tongue{hostilePages, galena.WrongSubject, echoJSON})
}

// tongue is what is played beside the recordings.
type tongue struct {
	hostile []hostileAnswer
	sent    galena.Kind                               // what a redirect to another host must become
	echo    func(said, url string) (typ, body string) // an answer that tells a key
}

// play is a whole suite.
func play(t *testing.T, spec providers.Spec, kinds []string, in tongue) {
	t.Parallel()
	checkSpec(t, spec)
	files, err := filepath.Glob(filepath.Join(testdata(spec), "*.http"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		kind, wait := caseOf(f)
		seen[kind] = true
		t.Run(strings.TrimSuffix(filepath.Base(f), ".http"), func(t *testing.T) {
			t.Parallel()
			playFile(t, spec, f, kind, wait)
		})
	}
	for _, kind := range kinds {
		if !seen[kind] {
			t.Errorf("no recording of %s: save one as %s/%s.http", kind, testdata(spec), kind)
		}
	}
	if fields := fewest(t, spec); len(spec.Fields) > 1 && fields >= len(spec.Fields) {
		t.Errorf("no recording of a company of which little is known: save one as %s/found-partial.http", testdata(spec))
	}
	runHostile(t, spec, in)
}

// fewest is how many fields the poorest golden profile has.
func fewest(t *testing.T, spec providers.Spec) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata(spec), "*.golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	least := len(spec.Fields)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		profile := map[string]json.RawMessage{}
		if err := json.Unmarshal(b, &profile); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		maps.DeleteFunc(profile, func(field string, _ json.RawMessage) bool { _, promised := spec.Fields[field]; return !promised })
		least = min(least, len(profile))
	}
	return least
}

// testdata is the folder of a vendor's recordings: of a further service the one
// with the service's name.
func testdata(spec providers.Spec) string {
	_, service, _ := strings.Cut(spec.Name, "-")
	return filepath.Join("testdata", service)
}

// required are the cases that every vendor must show.
func required(spec providers.Spec) []string {
	kinds := []string{found, string(galena.NotFound), string(galena.RateLimited), string(galena.Unavailable), string(galena.Malformed)}
	if len(spec.Needs) == 0 { // a search by name finds namesakes: that is a miss
		kinds = append(kinds, string(galena.WrongSubject))
	}
	if !spec.Keyless {
		kinds = append(kinds, string(galena.Unauthorized), string(galena.Exhausted))
	}
	return kinds
}

// caseOf reads what a recording must become from its name.
func caseOf(file string) (kind string, wait time.Duration) {
	words := strings.Split(strings.TrimSuffix(filepath.Base(file), ".http"), "-")
	wait, err := time.ParseDuration(words[len(words)-1])
	if err != nil {
		wait = -1 // not asserted
	}
	return words[0], wait
}

// checkSpec refuses a Spec that leaves an operator without an answer.
func checkSpec(t *testing.T, s providers.Spec) {
	t.Helper()
	vendor, _, _ := strings.Cut(s.Name, "-")
	if dir, err := os.Getwd(); err != nil || filepath.Base(dir) != vendor {
		t.Errorf("Spec.Name %q does not begin with the folder's name", s.Name)
	}
	for _, field := range s.Needs {
		if question(s).Known[field] == "" {
			t.Errorf("Spec.Needs has %q, of which the suite knows no value", field)
		}
	}
	if s.Title == "" || s.Docs == "" || s.New == nil {
		t.Error("Spec needs Title, Docs and New")
	}
	if s.Timeout <= 0 || s.P95 <= 0 || s.P95 > s.Timeout {
		t.Errorf("Spec.Timeout %v and P95 %v make no sense", s.Timeout, s.P95)
	}
	if s.Trust <= 0 || s.Trust > 1 || !slices.Contains(galena.SourceClasses(), s.Class) {
		t.Errorf("Spec.Trust %v or Class %q is out of range", s.Trust, s.Class)
	}
	if len(s.Fields) == 0 {
		t.Error("Spec.Fields is empty: nobody would ever ask")
	}
	for name, hit := range s.Fields {
		if _, ok := galena.LookupField(name); !ok || hit <= 0 || hit > 1 {
			t.Errorf("Spec.Fields[%q] = %v: unknown field or no hit rate", name, hit)
		}
	}
}

// subject makes the vendor talk to a server.
func subject(t *testing.T, spec providers.Spec, h http.Handler) asked {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	p, err := spec.New(providers.Settings{ID: spec.Name, BaseURL: server.URL + "/base", Key: marker, Client: client, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return asked{p, spec}
}

// playFile answers with a recording and checks what becomes of it.
func playFile(t *testing.T, spec providers.Spec, file, want string, wait time.Duration) {
	t.Helper()
	rec := read(t, file)
	p := subject(t, spec, rec.withSteps(t, spec))
	record, err := p.Enrich(t.Context(), rec.question(spec))
	if want == found {
		if err != nil {
			t.Fatalf("got %v, want a record", err)
		}
		checkGolden(t, spec, strings.TrimSuffix(file, ".http")+".golden.json", record)
		return
	}
	checkFailure(t, err, galena.Kind(want))
	if got := galena.RetryAfterOf(err); wait >= 0 && got != wait {
		t.Errorf("RetryAfter %v, want %v", got, wait)
	}
}

// checkFailure wants a kind, and an error that tells no secret.
func checkFailure(t *testing.T, err error, want galena.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("got a record, want %s", want)
	}
	if got := galena.KindOf(err); got != want {
		t.Errorf("kind %s, want %s: %v", got, want, err)
	}
	assertNoLeak(t, err)
}

// goldenRow is one value of a golden profile.
type goldenRow struct {
	Value      any     `json:"value"`
	Raw        string  `json:"raw,omitempty"`
	Ref        string  `json:"ref"`
	Confidence float64 `json:"confidence,omitempty"`
	ObservedAt string  `json:"observed_at,omitempty"`
}

// checkGolden compares a record with its profile.
func checkGolden(t *testing.T, spec providers.Spec, file string, r providers.Record) {
	t.Helper()
	profile := map[string]any{}
	for _, o := range r.Observations {
		if _, promised := spec.Fields[o.Field]; !promised {
			t.Errorf("%s is supplied, and Spec.Fields does not promise it", o.Field)
		}
		if _, twice := profile[o.Field]; twice {
			t.Errorf("%s is supplied twice", o.Field)
		}
		row := goldenRow{Value: o.Value.Plain(), Raw: o.Value.Raw, Ref: o.Ref, Confidence: o.Confidence}
		if !o.ObservedAt.IsZero() {
			row.ObservedAt = o.ObservedAt.Format(time.RFC3339)
		}
		profile[o.Field] = row
	}
	if len(r.Unmapped) > 0 {
		profile["unmapped"] = r.Unmapped
	}
	if r.Credits != nil {
		profile["credits"] = *r.Credits
	}
	if r.CostMicros != nil {
		profile["cost_micros"] = *r.CostMicros
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(profile); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("no golden profile, run with UPDATE_GOLDEN=1 and read it: %v", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("profile differs from %s:\n%s", file, got.String())
	}
}

// enrich asks for a company that exists nowhere.
func enrich(ctx context.Context, p asked) error {
	_, err := p.Enrich(ctx, question(p.spec))
	return err
}

// question asks for a company that exists nowhere, and tells of it what a second
// hop needs.
func question(spec providers.Spec) providers.Query {
	q := providers.Query{Domain: "acme.example", Known: map[string]string{}}
	for _, field := range spec.Needs {
		q.Known[field] = map[string]string{"company.legal_name": "Acme Inc.", "company.hq_country": "US"}[field]
	}
	return q
}

// asked is a vendor at work and what it says of itself.
type asked struct {
	providers.Provider
	spec providers.Spec
}
