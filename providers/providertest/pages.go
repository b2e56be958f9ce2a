package providertest

import (
	"net/http"
	"strings"

	"github.com/galenahq/galena"
)

// hostilePages are pages that nobody should be asked to read.
var hostilePages = []hostileAnswer{
	{"PageWithoutEnd", "", htmlOf(strings.Repeat("<p>x", 1<<19))},
	{"HalfTag", "", htmlOf(`<html><meta name="description" content="`)},
	{"DeepPage", "", htmlOf(strings.Repeat("<div>", 100_000))},
	{"ManyScripts", "", htmlOf(strings.Repeat(`<script src="https://a.example/x.js"></script>`, 10_000))},
	{"LongAttribute", "", htmlOf(`<meta name="generator" content="` + strings.Repeat("x", 1<<20) + `">`)},
	{"DeepLinkedData", "", htmlOf(`<script type="application/ld+json">` + strings.Repeat("[", 100_000) + `</script>`)},
	{"BrokenLinkedData", "", htmlOf(`<script type="application/ld+json">{"@type":"Organization",</script>`)},
	{"NotText", "", htmlOf("\x00\xff\xfe<title>\xf0\x28</title>")},
	{"Empty", "", htmlOf("")},
	{"JSON", galena.Malformed, jsonOf(`{"status":1}`, nil)},
	{"NotGzip", galena.Malformed, jsonOf(`<p>not packed at all</p>`, map[string]string{"Content-Type": "text/html", "Content-Encoding": "gzip"})},
	{"GzipBomb", "", bombOf("text/html", "x")},
	{"ConnectionReset", galena.Unavailable, hijack("")},
	{"HalfBody", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 400\r\n\r\n<p>")},
	{"SwitchingProtocols", galena.Malformed, hijack("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")},
	{"HugeHeader", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 128<<10) + "\r\n\r\n<p>")},
}

// htmlOf answers 200 with a page.
func htmlOf(page string) http.HandlerFunc {
	return jsonOf(page, map[string]string{"Content-Type": "text/html; charset=utf-8"})
}
