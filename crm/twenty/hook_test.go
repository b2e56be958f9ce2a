package twenty

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// delivery is one that a server really sent.
type delivery struct{ Timestamp, Signature, Body string }

func deliveries(t *testing.T) (out []delivery) {
	t.Helper()
	for line := range strings.Lines(slurp(t, "deliveries.jsonl")) {
		var d delivery
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

func headers(stamp, signature string) http.Header {
	h := http.Header{}
	h.Set("X-Twenty-Webhook-Timestamp", stamp)
	h.Set("X-Twenty-Webhook-Signature", signature)
	return h
}

func TestRecordedDeliveriesAreSigned(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-for-tests"
	for _, d := range deliveries(t) {
		sent := time.UnixMilli(mustInt(t, d.Timestamp))
		other := "0" + d.Signature[1:]
		if other == d.Signature {
			other = "1" + d.Signature[1:]
		}
		for name, tc := range map[string]struct {
			err  error
			want bool
		}{
			"as sent":           {Verify(secret, headers(d.Timestamp, d.Signature), []byte(d.Body), sent.Add(time.Second)), true},
			"upper case":        {Verify(secret, headers(d.Timestamp, strings.ToUpper(d.Signature)), []byte(d.Body), sent), true},
			"at the edge":       {Verify(secret, headers(d.Timestamp, d.Signature), []byte(d.Body), sent.Add(window)), true},
			"played again":      {Verify(secret, headers(d.Timestamp, d.Signature), []byte(d.Body), sent.Add(window+1)), false},
			"from the future":   {Verify(secret, headers(d.Timestamp, d.Signature), []byte(d.Body), sent.Add(-window-1)), false},
			"another secret":    {Verify("other", headers(d.Timestamp, d.Signature), []byte(d.Body), sent), false},
			"no secret":         {Verify("", headers(d.Timestamp, d.Signature), []byte(d.Body), sent), false},
			"another body":      {Verify(secret, headers(d.Timestamp, d.Signature), []byte(d.Body+" "), sent), false},
			"another time":      {Verify(secret, headers(d.Timestamp+"0", d.Signature), []byte(d.Body), sent), false},
			"another signature": {Verify(secret, headers(d.Timestamp, other), []byte(d.Body), sent), false},
			"cut short":         {Verify(secret, headers(d.Timestamp, d.Signature[:32]), []byte(d.Body), sent), false},
			"not signed":        {Verify(secret, http.Header{}, []byte(d.Body), sent), false},
		} {
			if (tc.err == nil) != tc.want || tc.err != nil && galena.KindOf(tc.err) != galena.Unauthorized {
				t.Errorf("%s: %v", name, tc.err)
			}
		}
	}
}

func mustInt(t *testing.T, s string) int64 {
	t.Helper()
	n, err := json.Number(s).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// edited is an update by a person, in the form in which servers send it.
const edited = `{"targetUrl":"https://galena.example/hooks/twenty","eventName":"company.updated","objectMetadata":{"id":"b0d0a4a2-6a3e-4b9e-9d63-0a6a4f4c1a11","nameSingular":"company"},` +
	`"eventDate":"2026-11-21T10:01:02.003Z","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","record":{"id":"3f0c1f0e-5c3a-4f0e-9d4c-2a1a6f1d9b11","name":"Acme Robotics",` +
	`"domainName":{"primaryLinkUrl":"https://www.acme-robotics.example"},"employees":300,"industry":"","annualRevenue":{"amountMicros":"5000000000000","currencyCode":"USD"},` +
	`"address":{"addressCity":"Paris","addressCountry":"France"},"techStack":["AWS"],"updatedBy":{"source":"MANUAL","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","name":"Phil Schiler"}},` +
	`"updatedFields":["employees","industry","annualRevenue","address","techStack","position"]}`

// The vector was computed apart from this code.
func TestAVectorIsSigned(t *testing.T) {
	t.Parallel()
	const body = `{"targetUrl":"https://galena.example/hooks/twenty","eventName":"company.updated","objectMetadata":{"id":"b0d0a4a2-6a3e-4b9e-9d63-0a6a4f4c1a11","nameSingular":"company"},"workspaceId":"20202020-1c25-4d02-bf25-6aeccf7ea419","webhookId":"5d9a3d33-6d0d-4f0a-a4d5-6a1f0ee1a001","eventDate":"2026-11-21T10:01:02.003Z","userId":"20202020-9e3b-46d4-a556-88b9ddc2b034","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","record":{"id":"3f0c1f0e-5c3a-4f0e-9d4c-2a1a6f1d9b11","name":"Acme Robotics","employees":300,"updatedBy":{"source":"MANUAL","workspaceMemberId":"20202020-1553-45c6-a028-5a9064cce07f","name":"Phil Schiler","context":{}}},"updatedFields":["employees"]}`
	err := Verify("s3cr3t-for-tests", headers("1763719200123", "58484752e919fa5cc428846e2cd0c9bf51fe433a054a2d7a70fa8d7c3edee50d"), []byte(body), time.UnixMilli(1763719200123))
	if err != nil {
		t.Error(err)
	}
}

func TestAPersonsEditIsRead(t *testing.T) {
	t.Parallel()
	e, err := ParseEvent(Config{KeyName: "enrichment connector"}, []byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	if e.Object != crm.Company || e.ID != "3f0c1f0e-5c3a-4f0e-9d4c-2a1a6f1d9b11" || e.Domain != "acme-robotics.example" || e.Action != "updated" ||
		e.By != crm.ByPerson || e.Member != "20202020-1553-45c6-a028-5a9064cce07f" || !e.At.Equal(time.Date(2026, 11, 21, 10, 1, 2, 3e6, time.UTC)) {
		t.Errorf("got %+v", e)
	}
	want := map[crm.Field]galena.Value{employees: galena.Number(300), revenue: galena.Number(5_000_000), "company.hq_city": galena.TextValue("Paris"),
		"company.hq_country": galena.CountryValue("FR"), "company.technologies": galena.SetValue([]string{"aws"}, false), industry: {}}
	for _, got := range e.Edits {
		w, ok := want[got.Field]
		if !ok || got.Blank != (got.Field == industry) || !got.Blank && !got.Value.Equal(w) {
			t.Errorf("%s is %v, blank %t", got.Field, got.Value, got.Blank)
		}
		delete(want, got.Field)
	}
	if len(want) > 0 {
		t.Errorf("not told of %v", want)
	}
}

// Who makes a company without a list, or empties one, says no more than with any
// other blank: nobody said that there is nothing.
func TestAnEmptyListIsNoWord(t *testing.T) {
	t.Parallel()
	for _, list := range []string{`null`, `[]`, `""`, `[""]`, `" , "`} {
		for _, action := range []string{"created", "updated"} {
			body := `{"eventName":"company.` + action + `","eventDate":"2026-11-21T10:01:02.003Z","record":{"id":"1","technologies":` + list +
				`,"updatedBy":{"source":"MANUAL"}},"updatedFields":["technologies"]}`
			e, err := ParseEvent(Config{}, []byte(body))
			if err != nil || len(e.Edits) != 1 || !e.Edits[0].Blank {
				t.Errorf("%s with %s says %+v, %v", action, list, e.Edits, err)
			}
		}
	}
}

func TestAPersonTakesOutOfAListOnlyWhatWeShowedThem(t *testing.T) {
	t.Parallel()
	set := func(closed bool, items ...string) galena.Value { return galena.SetValue(items, closed) }
	for _, tc := range []struct {
		name  string
		left  galena.Value
		held  galena.Value
		shown Shown
		want  galena.Value
	}{
		{"added to a list of their own", set(false, "aws", "go"), set(false, "go", "snowflake"), Shown{}, set(false, "aws", "go")},
		{"added to ours", set(false, "aws", "go"), set(false, "go", "snowflake"), Shown{Wrote: "go"}, set(false, "aws", "go")},
		{"took out of ours", set(false, "aws"), set(false, "aws", "go"), Shown{Wrote: "aws,go"}, set(true, "aws")},
		{"took out of ours, and more is known", set(false, "aws"), set(false, "aws", "go", "snowflake"), Shown{Wrote: "aws,go"}, set(true, "aws", "snowflake")},
		{"it was text", set(false, "aws"), set(false, "aws", "google-cloud"), Shown{Wrote: "aws, google cloud"}, set(true, "aws")},
		{"took out once, adds now", set(false, "aws", "php"), set(true, "aws"), Shown{Wrote: "aws,go"}, set(true, "aws", "php")},
		{"takes out what they had added", set(false, "aws"), set(true, "aws", "cobol", "snowflake"), Shown{Wrote: "aws,go", Left: "aws,cobol"}, set(true, "aws", "snowflake")},
		{"put it back", set(false, "aws", "go"), set(true, "aws"), Shown{Wrote: "aws,go"}, set(false, "aws", "go")},
		{"no list", galena.Number(300), galena.Number(250), Shown{Wrote: "250"}, galena.Number(300)},
	} {
		if got := (Edit{Value: tc.left}).Word(tc.held, tc.shown); !got.Equal(tc.want) {
			t.Errorf("%s: %v, closed %t; want %v, closed %t", tc.name, got, got.Closed, tc.want, tc.want.Closed)
		}
	}
}

func TestOurOwnEchoIsKnown(t *testing.T) {
	t.Parallel()
	for i, d := range deliveries(t) {
		for name, want := range map[string]crm.Actor{"enrichment connector": crm.ByUs, "another key": crm.ByOther, "": crm.ByOther} {
			if e, err := ParseEvent(Config{KeyName: name}, []byte(d.Body)); err != nil || e.By != want {
				t.Errorf("delivery %d for the key %q is by %q, %v", i, name, e.By, err)
			}
		}
	}
}

func TestForeignDeliveriesAreLeftOut(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]galena.Kind{
		`{"eventName":"task.updated","record":{"id":"1"}}`:    galena.NotFound,
		`{"eventName":"company.updated","record":{}}`:         galena.Malformed,
		`{"eventName":"company.updated","record":{"id":"1"}}`: galena.Malformed,
		`[]`: galena.NotFound,
		`x`:  galena.Malformed,
		`{"eventName":"company.deleted","eventDate":"2026-11-21T10:01:02Z","record":{"id":"1"},"updatedFields":["deletedAt"]}`: "",
	} {
		if e, err := ParseEvent(Config{}, []byte(body)); galena.KindOf(err) != want || len(e.Edits) > 0 {
			t.Errorf("%s is %v, %v", body, err, e.Edits)
		}
	}
}

// A workspace spells an option otherwise than we do (Twenty makes NODE_JS of the label
// Node.js). Who takes it out has not said that the company uses it.
func TestWhatIsSpeltOtherwiseThereAndTakenOutIsNotAffirmed(t *testing.T) {
	t.Parallel()
	s := slot{name: "techStack", kind: "MULTI_SELECT", options: []option{{"AWS", "AWS"}, {"NODE_JS", "Node.js"}}}
	held := galena.SetValue([]string{"AWS", "Node.js"}, false)
	raw, ok := encodeOptions(s, held)
	if !ok || len(raw.([]any)) != 2 {
		t.Fatalf("sent %v", raw)
	}
	wrote := normList(s, wire(raw)) // the norm of the ledger
	left := edit("company.technologies", []any{"AWS"})
	got := left.Word(held, Shown{Wrote: wrote})
	if slices.Contains(got.Set, "node.js") {
		t.Errorf("wrote %q; the person took NODE_JS out and is kept as saying %v, closed %t", wrote, got.Set, got.Closed)
	}
}
