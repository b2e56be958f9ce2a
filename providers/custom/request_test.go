package custom

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// odd is a key with everything that must be escaped somewhere.
const odd = `k"1\<&>/ é'+%`

// sent is what a description made of a request.
type sent struct {
	method, uri, typ, body string
	header                 http.Header
}

// send asks for acme.example and returns what went over the wire.
func send(t *testing.T, w providers.Wire) sent {
	t.Helper()
	var got sent
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = sent{r.Method, r.RequestURI, r.Header.Get("Content-Type"), string(body), r.Header}
		rw.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	p, err := Spec.New(providers.Settings{ID: "odd", BaseURL: server.URL + "/base", Key: odd, Client: client, Now: time.Now, Wire: &w})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Enrich(t.Context(), providers.Query{Domain: "acme.example", Known: map[string]string{"company.legal_name": "A & <B>"}}); galena.KindOf(err) != galena.NotFound {
		t.Fatalf("got %v, want a miss", err)
	}
	return got
}

func TestWhatIsFilledInIsEscapedForItsPlace(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		wire providers.Wire
		want sent
	}{
		{"path", providers.Wire{Path: "/v1/{key}/{domain}.json"},
			sent{method: "GET", uri: "/base/v1/k%221%5C%3C&%3E%2F%20%C3%A9%27+%25/acme.example.json"}},
		{"query", providers.Wire{Path: "/x", Query: map[string]string{"k": "{key}", "d": "https://{domain}"}},
			sent{method: "GET", uri: "/base/x?d=https%3A%2F%2Facme.example&k=k%221%5C%3C%26%3E%2F+%C3%A9%27%2B%25"}},
		{"form", providers.Wire{Form: map[string]string{"k": "{key}", "d": "{domain}"}},
			sent{method: "POST", uri: "/base", typ: "application/x-www-form-urlencoded", body: "d=acme.example&k=k%221%5C%3C%26%3E%2F+%C3%A9%27%2B%25"}},
		{"json", providers.Wire{JSON: map[string]any{"domains": []any{"{domain}"}, "auth": map[string]any{"k": "{key}"}, "n": uint64(3), "exact": true}},
			sent{method: "POST", uri: "/base", typ: "application/json",
				body: `{"auth":{"k":"k\"1\\\u003c\u0026\u003e/ é'+%"},"domains":["acme.example"],"exact":true,"n":3}`}},
		{"xml", providers.Wire{XML: "\n<q k=\"{key}\">{domain}<s>{key}</s></q>\n"},
			sent{method: "POST", uri: "/base", typ: "text/xml; charset=utf-8",
				body: `<q k="k&#34;1\&lt;&amp;&gt;/ é&#39;+%">acme.example<s>k&#34;1\&lt;&amp;&gt;/ é&#39;+%</s></q>`}},
		{"a fact", providers.Wire{Query: map[string]string{"n": "{company.legal_name}"}, XML: "<n>{company.legal_name}</n>"},
			sent{method: "POST", uri: "/base?n=A+%26+%3CB%3E", typ: "text/xml; charset=utf-8", body: "<n>A &amp; &lt;B&gt;</n>"}},
		{"a type of one's own", providers.Wire{XML: "<d>{domain}</d>", Headers: map[string]string{"Content-Type": "application/soap+xml"}},
			sent{method: "POST", uri: "/base", typ: "application/soap+xml", body: "<d>acme.example</d>"}},
		{"a post without a body", providers.Wire{Method: "POST", Path: "/{domain}"}, sent{method: "POST", uri: "/base/acme.example"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, tc.wire)
			got.header = nil
			if got.method != tc.want.method || got.uri != tc.want.uri || got.typ != tc.want.typ || got.body != tc.want.body {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestTheKeyGoesWhereItIsSaidTo(t *testing.T) {
	t.Parallel()
	got := send(t, providers.Wire{Path: "/{domain}", Headers: map[string]string{"X-Key": "{key}", "X-Token": "Token {key}", "User-Agent": "ours"}})
	for name, want := range map[string]string{"X-Key": odd, "X-Token": "Token " + odd, "User-Agent": "ours", "Authorization": ""} {
		if h := got.header.Get(name); h != want {
			t.Errorf("%s is %q, want %q", name, h, want)
		}
	}
	for _, tc := range []struct {
		basic      providers.Basic
		user, pass string
	}{
		{providers.Basic{User: "{key}"}, odd, ""},
		{providers.Basic{User: "us", Password: "{key}"}, "us", odd},
	} {
		got := send(t, providers.Wire{Path: "/{domain}", Basic: &tc.basic})
		user, pass, ok := (&http.Request{Header: got.header}).BasicAuth()
		if !ok || user != tc.user || pass != tc.pass {
			t.Errorf("got %q, %q, %v, want %q, %q", user, pass, ok, tc.user, tc.pass)
		}
	}
}

func TestAnAdapterWithoutADescriptionIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Spec.New(providers.Settings{ID: "x"}); galena.KindOf(err) != galena.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestAVendorThatIsToldAFactNeedsIt(t *testing.T) {
	t.Parallel()
	e := providers.Entry{ID: "x", Kind: "http", HTTP: &providers.Wire{Path: "/{domain}", JSON: map[string]any{"q": []any{"{company.legal_name} {key}"}}}}
	if got := e.Spec([]providers.Spec{Spec}).Needs; !slices.Equal(got, []string{"company.legal_name"}) {
		t.Errorf("needs %v, want the legal name", got)
	}
}

func TestADescriptionWithoutAKeyWantsNone(t *testing.T) {
	t.Parallel()
	specs := []providers.Spec{Spec}
	for text, want := range map[string]bool{"{key}": false, "none": true} {
		e := providers.Entry{ID: "x", Kind: "http", HTTP: &providers.Wire{Path: "/{domain}", Query: map[string]string{"q": text}}}
		if got := e.Spec(specs).Keyless; got != want {
			t.Errorf("%s: keyless %v, want %v", text, got, want)
		}
	}
}
