package providertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// hostileXML are the answers that make readers of XML ill.
var hostileXML = []hostileAnswer{
	{"BillionLaughs", galena.Malformed, xmlOf(laughs(10))},
	{"EntityOfItsOwn", galena.Malformed, xmlOf(`<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`)},
	{"EntityNobodyDeclared", galena.Malformed, xmlOf(`<a>&nbsp;</a>`)},
	{"LocalFile", galena.Malformed, xmlOf(`<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`)},
	{"DocumentType", galena.Malformed, xmlOf(`<!DOCTYPE a><a/>`)},
	{"DeepXML", galena.Malformed, xmlOf(strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000))},
	{"ManyElements", galena.Malformed, xmlOf("<a>" + strings.Repeat("<b/>", 200_000) + "</a>")},
	{"BodyOverOneMegabyte", galena.Malformed, xmlOf("<a>" + strings.Repeat("x", 1<<20) + "</a>")},
	{"TwentyMegabytes", galena.Malformed, flood},
	{"LongAttribute", galena.Malformed, xmlOf(`<a b="` + strings.Repeat("x", 1<<20) + `"/>`)},
	{"GzipBomb", galena.Malformed, bombOf("text/xml", " ")},
	{"CutGzip", galena.Unavailable, cutGzip("text/xml", "<a><b>x</b></a>")},
	{"NotGzip", galena.Malformed, jsonOf("<a>not packed at all</a>", map[string]string{"Content-Type": "text/xml", "Content-Encoding": "gzip"})},
	{"AnotherEncodingThanItSays", galena.Malformed, xmlOf("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>Andr\xe9</a>")},
	{"EncodingNobodyKnows", galena.Malformed, xmlOf(`<?xml version="1.0" encoding="x-klingon"?><a/>`)},
	{"EncodingOfTheHeaderIsNot", galena.Malformed, jsonOf("<a>Andr\xe9</a>", map[string]string{"Content-Type": "text/xml; charset=utf-8"})},
	{"UTF16WithoutSaying", galena.Malformed, xmlOf("\xff\xfe<\x00a\x00/\x00>\x00")},
	{"ControlCharacters", galena.Malformed, xmlOf("<a>\x00\x01</a>")},
	{"HalfXML", galena.Malformed, xmlOf("<a><key>" + marker)},
	{"CrossedTags", galena.Malformed, xmlOf("<a><b></a></b>")},
	{"TwoDocuments", galena.Malformed, xmlOf("<a/><a/>")},
	{"TextAfterTheEnd", galena.Malformed, xmlOf("<a/>" + marker)},
	{"AttributeTwice", galena.Malformed, xmlOf(`<a b="1" b="2"/>`)},
	{"Empty", galena.Malformed, xmlOf("")},
	{"OnlyAComment", galena.Malformed, xmlOf("<!-- " + marker + " -->")},
	{"JSON", galena.Malformed, jsonOf(`{"status":1}`, nil)},
	{"JSONAsXML", galena.Malformed, xmlOf(`{"status":1}`)},
	{"HTML", galena.Malformed, jsonOf("<html>"+marker, map[string]string{"Content-Type": "text/html"})},
	{"ConnectionReset", galena.Unavailable, hijack("")},
	{"HalfBody", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 400\r\n\r\n<a>")},
	{"SwitchingProtocols", galena.Malformed, hijack("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")},
	{"HugeHeader", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 128<<10) + "\r\n\r\n<a/>")},
}

// xmlOf answers 200 with a document that does not say its encoding in the header.
func xmlOf(body string) http.HandlerFunc {
	return jsonOf(body, map[string]string{"Content-Type": "text/xml"})
}

// flood is twenty megabytes of a document that goes well so far.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, "<a>")
	for range 20 {
		if _, err := io.WriteString(w, strings.Repeat("<b>x</b>", 1<<17)); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "</a>")
}

// laughs is a document of a few hundred bytes that stands for ten to the n words.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE a [<!ENTITY e0 "ha">`)
	for i := range n {
		fmt.Fprintf(&b, `<!ENTITY e%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
	}
	fmt.Fprintf(&b, `]><a>&e%d;</a>`, n)
	return b.String()
}

// outside names things to fetch in all the ways that XML has: none is fetched.
func outside(t *testing.T, spec providers.Spec) {
	t.Helper()
	var visits atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer canary.Close()
	for _, form := range []string{
		`<!DOCTYPE a [<!ENTITY e SYSTEM "%s">]><a>&e;</a>`,
		`<!DOCTYPE a SYSTEM "%s"><a/>`,
		`<!DOCTYPE a [<!ENTITY %% p SYSTEM "%s"> %%p;]><a/>`,
	} {
		checkFailure(t, enrich(t.Context(), subject(t, spec, xmlOf(fmt.Sprintf(form, canary.URL)))), galena.Malformed)
	}
	for _, form := range []string{
		`<?xml-stylesheet href="%s"?><a/>`,
		`<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="%s"/></a>`,
		`<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a %s"/>`,
	} {
		assertNoLeak(t, enrich(t.Context(), subject(t, spec, xmlOf(fmt.Sprintf(form, canary.URL)))))
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("%d things fetched, want none", n)
	}
}

// echoXML tells the key where a fault tells its reason.
func echoXML(said, url string) (typ, body string) {
	return "text/xml", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>` +
		`<faultstring>` + said + `</faultstring><detail>` + strings.ReplaceAll(url, "&", "&amp;") + `</detail></s:Fault></s:Body></s:Envelope>`
}
