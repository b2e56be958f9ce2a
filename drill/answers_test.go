package drill

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// status answers with a code, and a header where one is named.
func status(code int, header ...string) answer {
	name := fmt.Sprint(code)
	if len(header) == 2 {
		name += " " + header[0] + ": " + header[1]
	}
	return answer{name, func(w http.ResponseWriter, _ *http.Request) {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"error":"simulated"}`)
	}}
}

// says answers 200 with a body of a type.
func says(name, contentType, text string) answer {
	return answer{name, func(w http.ResponseWriter, _ *http.Request) { body(w, contentType, text) }}
}

// hangs never answers.
var hangs = answer{"hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}

// dripsHeaders sends a header line a second, without end.
var dripsHeaders = raw("drips headers", func(c net.Conn) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
	for i := range 120 {
		time.Sleep(time.Second)
		if _, err := fmt.Fprintf(c, "X-%d: slow\r\n", i); err != nil {
			return
		}
	}
})

// dripsBody sends a byte of its body a second.
var dripsBody = raw("drips its body", func(c net.Conn) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
	for range 120 {
		if _, err := io.WriteString(c, " "); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
})

// raw answers with whatever it writes to the connection, which then ends.
func raw(name string, write func(net.Conn)) answer {
	return answer{name, func(w http.ResponseWriter, _ *http.Request) {
		h, ok := w.(http.Hijacker)
		if !ok {
			return
		}
		c, _, err := h.Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		write(c)
	}}
}

// bytesOf answers with a text as it stands.
func bytesOf(name, text string) answer {
	return raw(name, func(c net.Conn) { _, _ = io.WriteString(c, text) })
}

// hostile is an answer that is none, and the outcome that the ledger of calls
// must show for it.
type hostile struct {
	answer
	outcome string
}

const (
	okHead   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	goodFact = `{"company.employee_count": 7777777}`
)

// torn are answers that end before they should (F53).
func torn() []hostile {
	return []hostile{
		{raw("reset", reset), "unavailable"},
		{raw("closed", func(net.Conn) {}), "unavailable"},
		{bytesOf("half a body", okHead+"Content-Length: 500\r\n\r\n"+goodFact), "unavailable"},
		{bytesOf("a body longer than it says", okHead+"Content-Length: 5\r\n\r\n"+goodFact), "malformed"},
		{bytesOf("a cut chunk", okHead+"Transfer-Encoding: chunked\r\n\r\n40\r\n"+goodFact), "unavailable"},
		{bytesOf("a chunk without end", okHead+"Transfer-Encoding: chunked\r\n\r\n23\r\n"+goodFact+"\r\n"), "unavailable"},
		{bytesOf("a cut gzip", okHead+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"+string(packed(goodFact)[:25])), "unavailable"},
		{bytesOf("gzip that is none", okHead+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"+goodFact), "malformed"},
		{bytesOf("no HTTP", "220 mail.example ESMTP\r\n"), "unavailable"},
	}
}

// nonsense are whole answers that nobody can use (F54).
func nonsense() []hostile {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	return []hostile{
		{says("half JSON", "application/json", goodFact[:20]), "malformed"},
		{says("HTML", "text/html", "<html><body>Sign in</body></html>"), "malformed"},
		{says("HTML as JSON", "application/json", "<html></html>"), "malformed"},
		{says("JSON as text", "text/plain", goodFact), "malformed"},
		{says("UTF-16", "application/json; charset=utf-16", goodFact), "malformed"},
		{says("a list", "application/json", "["+goodFact+"]"), "malformed"},
		{says("a number", "application/json", "7"), "malformed"},
		{says("nothing", "application/json", ""), "malformed"},
		{says("NaN", "application/json", `{"company.employee_count": NaN}`), "malformed"},
		{says("deep", "application/json", `{"x":`+deep+`}`), "malformed"},
		{says("null", "application/json", `null`), "malformed"},
		{says("null in a field", "application/json", `{"company.employee_count": null}`), "hit"},
		{says("a wrong type", "application/json", `{"company.employee_count": {"value": 7777777}}`), "hit"},
		{status(204), "not_found"},
		{bytesOf("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"+goodFact), "malformed"},
	}
}

// floods are answers without measure (F55).
func floods() []hostile {
	return []hostile{
		{raw("a gzip bomb of 1 GB", func(c net.Conn) {
			_, _ = io.WriteString(c, okHead+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n")
			repeat(c, packed(strings.Repeat(" ", 1<<20)), 1024)
		}), "malformed"},
		{raw("a body of 1 GB", func(c net.Conn) {
			_, _ = io.WriteString(c, okHead+"Content-Length: 1073741824\r\n\r\n")
			repeat(c, bytes.Repeat([]byte(" "), 1<<20), 1024)
		}), "malformed"},
		{raw("a body without end", func(c net.Conn) {
			_, _ = io.WriteString(c, okHead+"Connection: close\r\n\r\n")
			repeat(c, bytes.Repeat([]byte(" "), 64<<10), 1<<20)
		}), "malformed"},
		{raw("headers without end", func(c net.Conn) {
			_, _ = io.WriteString(c, okHead)
			repeat(c, []byte("X-Filler: "+strings.Repeat("x", 4000)+"\r\n"), 1<<20)
		}), "unavailable"},
	}
}

// detours send the asker elsewhere: to the canary, which must not be visited,
// and to places that no vendor has to do with (F56).
func detours(self, canary string) []hostile {
	var out []hostile
	for _, to := range []string{
		"http://" + canary + "/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:127.0.0.1]:1/",
		"https://other-host.invalid/", "file:///etc/passwd", "http://" + self + "/loop", "gopher://" + canary + "/",
	} {
		out = append(out, hostile{status(http.StatusFound, "Location", to), "malformed"},
			hostile{status(http.StatusTemporaryRedirect, "Location", to), "malformed"})
	}
	return out
}

// repeat writes a piece again and again until the other side has had enough.
func repeat(c net.Conn, piece []byte, times int) {
	w := bufio.NewWriterSize(c, 64<<10)
	for range times {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
	_ = w.Flush()
}

// newSelfSigned starts a server whose certificate nobody vouches for.
func newSelfSigned() *httptest.Server {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body(w, "application/json", goodFact)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would complain of every client that leaves
	srv.StartTLS()
	return srv
}

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}
